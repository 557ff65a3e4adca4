//! error: a job is no method

struct Counter;

impl Counter {
    #[palitra::job("ui.method")]
    async fn method(&self) -> String { // here
        String::new()
    }
}

fn main() {}

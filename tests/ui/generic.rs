//! error: a job has no type parameters

#[palitra::job("ui.generic")]
async fn generic<T: Into<String>>(text: String) -> String { // here
    text
}

fn main() {}

//! error: a job is an async function: write `async fn`

#[palitra::job("ui.not_async")]
fn not_async(text: String) -> String { // here
    text
}

fn main() {}

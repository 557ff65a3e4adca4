//! error: a job is an async function

#[palitra::job("ui.not_async")]
fn not_async(text: String) -> String {
    text
}

fn main() {}

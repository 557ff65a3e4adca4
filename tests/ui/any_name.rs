//! compiles

// Whatever the functions are called, what the attribute writes does not hide them.

use palitra::job;

#[job("ui.request")]
async fn request(text: String) -> String {
    text
}

#[job("ui.register")]
async fn register() {}

#[job("ui.call")]
async fn call(argument_0: String) -> String {
    argument_0
}

fn main() {}

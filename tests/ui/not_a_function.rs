//! error: a job is an async function

#[palitra::job("ui.not_a_function")]
struct NotAFunction; // here

fn main() {}

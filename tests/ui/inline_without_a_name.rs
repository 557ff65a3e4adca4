//! error: a job begins with its name

#[palitra::job(inline)]
async fn nameless() {}

fn main() {}

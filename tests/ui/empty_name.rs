//! error: a job's name is not empty and holds no NUL

#[palitra::job("")]
async fn nameless() {}

fn main() {}

//! error: a job's name is not empty and holds no NUL

#[palitra::job("ui.nul\0")]
async fn unspeakable() {}

fn main() {}

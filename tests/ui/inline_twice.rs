//! error: the only word after a job's name is `inline`

#[palitra::job("ui.inline_twice", inline, inline)]
async fn inline_twice() {}

fn main() {}

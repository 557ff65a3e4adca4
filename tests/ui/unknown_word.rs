//! error: the only word after a job's name is `inline`

#[palitra::job("ui.unknown_word", eager)]
async fn unknown_word() {}

fn main() {}

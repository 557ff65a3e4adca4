//! error: the only word after a job's name is `inline`

#[palitra::job("ui.inline_as_text", "inline")]
async fn inline_as_text() {}

fn main() {}

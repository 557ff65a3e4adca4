//! error: a job cannot return a `Option<String>`

#[palitra::job("ui.option_as_a_reply")]
async fn option_as_a_reply(text: String) -> Option<String> { // here
    Some(text)
}

fn main() {}

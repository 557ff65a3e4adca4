//! error: the result of a job is a type with a name

#[palitra::job("ui.result_without_a_name")]
async fn result_without_a_name() -> impl palitra::IntoReply { // here
    "text"
}

fn main() {}

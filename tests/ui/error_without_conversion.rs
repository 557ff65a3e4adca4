//! error: the trait bound `JobError: From<Refused>` is not satisfied

struct Refused;

#[palitra::job("ui.error_without_conversion")]
async fn error_without_conversion() -> Result<String, Refused> { // here
    Err(Refused)
}

fn main() {}

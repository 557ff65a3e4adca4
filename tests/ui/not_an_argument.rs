//! error: a job cannot take a `Instant`

#[palitra::job("ui.not_an_argument")]
async fn not_an_argument(
    text: String,
    _at: std::time::Instant, // here
) -> String {
    text
}

fn main() {}

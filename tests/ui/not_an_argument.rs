//! error: the trait bound

// An argument that no extractor gives: the compiler's own words, pointing at the attribute or the function.
#[palitra::job("ui.not_an_argument")]
async fn not_an_argument(_number: std::time::Instant) {}

fn main() {}

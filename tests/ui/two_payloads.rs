//! error: only one argument of a job can take its payload

#[palitra::job("ui.two_payloads")]
async fn two_payloads(
    text: String,
    bytes: Vec<u8>, // here
) -> String {
    format!("{text}{bytes:?}")
}

fn main() {}

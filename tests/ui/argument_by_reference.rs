//! error: a job owns what it takes

#[palitra::job("ui.argument_by_reference")]
async fn argument_by_reference(
    text: &str, // here
) -> String {
    text.to_uppercase()
}

fn main() {}

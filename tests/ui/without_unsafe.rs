//! compiles

// As an author's whole crate has it: nothing that the macros write is against it.
#![forbid(unsafe_code)]

use palitra::{ErrorCodes, job};

#[derive(Debug, ErrorCodes)]
enum Empty {
    #[code = 1]
    Text,
}

impl std::fmt::Display for Empty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the text is empty")
    }
}

impl std::error::Error for Empty {}

#[job("ui.without_unsafe")]
async fn without_unsafe(text: String) -> Result<String, Empty> {
    if text.is_empty() { Err(Empty::Text) } else { Ok(text) }
}

fn main() {}

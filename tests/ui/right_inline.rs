//! compiles

use palitra::job;

#[job("ui.right_inline", inline)]
async fn right(text: String) -> String {
    text
}

fn main() {}

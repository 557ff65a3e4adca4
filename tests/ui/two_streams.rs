//! error: only one argument of a job can send its items

use palitra::{Items, job};

#[job("ui.two_streams")]
async fn two_streams(
    _texts: Items<String>,
    _bytes: Items<Vec<u8>>, // here
) {
}

fn main() {}

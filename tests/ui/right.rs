//! compiles

use palitra::{Context, Json, job};

#[job("ui.right")]
async fn right(_context: Context, Json(number): Json<u32>) -> Json<u32> {
    Json(number + 1)
}

fn main() {}

//! compiles

use palitra::{Context, State};

type Shared = State<u32>;

#[palitra::job("ui.nine_arguments")]
async fn nine_arguments(
    _a: Shared,
    _b: Shared,
    _c: Shared,
    _d: Shared,
    _e: Shared,
    _f: Shared,
    _g: Shared,
    _context: Context,
    text: String,
) -> String {
    text
}

fn main() {}

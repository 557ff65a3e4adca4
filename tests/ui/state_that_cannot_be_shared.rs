//! error: `Cell<u32>` cannot be shared between threads safely
//! error: future cannot be sent between threads safely

use std::cell::Cell;

#[palitra::job("ui.state_that_cannot_be_shared")]
async fn state_that_cannot_be_shared(
    count: palitra::State<Cell<u32>>, // here
) -> String {
    count.get().to_string()
}

fn main() {}

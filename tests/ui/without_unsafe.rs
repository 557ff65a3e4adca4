//! compiles

// `forbid` would refuse the `allow(unsafe_code)` of the macro that registers a job.
#![deny(unsafe_code)]

use palitra::job;

#[job("ui.without_unsafe")]
async fn without_unsafe(text: String) -> String {
    text
}

fn main() {}

//! error: future cannot be sent between threads safely

use std::sync::Mutex;

static COUNT: Mutex<u64> = Mutex::new(0);

#[palitra::job("ui.lock_across_an_await")]
async fn lock_across_an_await() { // here
    let mut count = COUNT.lock().unwrap();
    std::future::ready(()).await;
    *count += 1;
}

fn main() {}

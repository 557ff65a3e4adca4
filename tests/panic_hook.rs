//! The panic hook that a program asks for, in a process of its own: a hook is the process's.

use std::sync::Mutex;
use std::time::Duration;

use palitra::{Runner, Status, job};

/// What the program's own hook was called with.
static OTHERS: Mutex<Vec<String>> = Mutex::new(Vec::new());

const LINE: u32 = line!() + 5;

/// Panics at once or later.
#[job("hook.panic", inline)]
async fn panic(when: String) {
    let panic = |when: &str| panic!("{when}"); // this line is LINE
    if when == "later" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic(&when);
}

/// Passes on the panic of a task.
#[job("hook.panic_in_a_task")]
async fn panic_in_a_task(when: String) {
    if let Err(error) = tokio::spawn(panic(when)).await {
        std::panic::resume_unwind(error.into_panic());
    }
}

#[test]
fn a_reply_says_where_its_job_panicked_and_the_hook_before_gets_every_other_panic() {
    let harness = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        OTHERS.lock().unwrap().push(panic.to_string());
        harness(panic);
    }));
    palitra::install_panic_hook();
    palitra::install_panic_hook();
    let runner = Runner::new().unwrap();
    for when in ["now", "later"] {
        for timeout in [None, Some(Duration::from_secs(60))] {
            let reply = runner.run_job("hook.panic", when, timeout).unwrap();
            assert_eq!(reply.status(), Status::JobPanicked);
            let expected = format!("{when} (at tests/panic_hook.rs:{LINE}:");
            assert!(reply.text().starts_with(&expected), "{}", reply.text());
            // Another thread may have polled the task: then the place is in the log alone.
            let reply = runner.run_job("hook.panic_in_a_task", when, timeout).unwrap();
            assert_eq!(reply.status(), Status::JobPanicked);
            assert!([when, &*expected].iter().any(|text| reply.text().starts_with(text)), "{}", reply.text());
        }
    }
    assert!(OTHERS.lock().unwrap().is_empty(), "{OTHERS:?}");
    assert!(std::thread::spawn(|| panic!("of the program's own")).join().is_err());
    let others = OTHERS.lock().unwrap();
    assert!(others.len() == 1 && others[0].contains("of the program's own"), "{others:?}");
}

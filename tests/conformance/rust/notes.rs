//! What the code of the program's jobs leaves to be read, by the name of the job, in order.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, LazyLock, Mutex};

#[derive(Default)]
struct Notes {
    left: Mutex<HashMap<String, VecDeque<String>>>,
    added: Condvar,
}

static NOTES: LazyLock<Notes> = LazyLock::new(Notes::default);

pub fn leave(job: &str, text: String) {
    NOTES.left.lock().unwrap().entry(job.to_string()).or_default().push_back(text);
    NOTES.added.notify_all();
}

/// Waits for the job's next note.
pub fn take(job: &str) -> String {
    let mut left = NOTES.left.lock().unwrap();
    loop {
        if let Some(text) = left.get_mut(job).and_then(VecDeque::pop_front) {
            return text;
        }
        left = NOTES.added.wait(left).unwrap();
    }
}

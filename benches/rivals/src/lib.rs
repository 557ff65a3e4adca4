//! Bare tokio, as a host would use it that wrote its own bridge: the rivals that `make bench` measures
//! palitra against.
//!
//! One current-thread runtime on its own thread, with sockets and timers, as palitra has by default, and
//! four ways to use it:
//!
//! - [`rival_block_on`]: a ready boxed future on the calling thread. Nothing that runs futures through
//!   tokio can be faster; what palitra adds to it is a name, a payload, a reply and the panic boundary.
//! - [`rival_spawn_echo`]: tasks spawned from outside the runtime, their handles awaited one by one.
//! - [`rival_sleep`]: detached sleeping tasks, for the memory that each takes.
//! - [`rival_wake`]: tasks that sleep and are awaited, for what it costs that many wake up together.
//!
//! Without sockets tokio wakes its thread through a condition variable and only if it sleeps; with them
//! every spawn from outside writes to an eventfd. [`rival_start`] can leave them out, so that the table
//! shows how much of the difference is that.
//!
//! The functions take and return plain numbers, so this crate needs no unsafe block. A failure aborts: a
//! benchmark that goes on after one measures nothing.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The payload of every echo job, the same 11 bytes as in `subject.hpp`.
const PAYLOAD: &[u8; 11] = b"hello world";

/// Set by [`rival_start`] for the life of the process, so that the measured calls only read it.
static HANDLE: OnceLock<Handle> = OnceLock::new();

/// The runtime's thread, until [`rival_stop`] joins it.
static THREAD: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Starts the runtime on its own thread, with timers and, if asked, sockets. Call once, before anything
/// else here.
#[unsafe(no_mangle)]
pub extern "C" fn rival_start(sockets: bool) {
    let mut builder = Builder::new_current_thread();
    if sockets {
        builder.enable_io();
    }
    let runtime = builder.enable_time().build().expect("tokio starts");
    HANDLE.set(runtime.handle().clone()).expect("rival_start is called once");
    let (stop, stopped) = oneshot::channel();
    let thread = thread::spawn(move || {
        let _ = runtime.block_on(stopped);
    });
    *THREAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { stop, thread });
}

/// Drops every task and joins the thread.
#[unsafe(no_mangle)]
pub extern "C" fn rival_stop() {
    let running = THREAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Running { stop, thread } = running.expect("rival_start was called");
    let _ = stop.send(());
    thread.join().expect("the runtime's thread ends");
}

/// Runs one ready boxed future on the calling thread and returns its result.
#[unsafe(no_mangle)]
pub extern "C" fn rival_block_on() -> usize {
    let ready: Pin<Box<dyn Future<Output = usize>>> = Box::pin(async { PAYLOAD.len() });
    // Without black_box the compiler sees through the box and removes it.
    handle().block_on(black_box(ready))
}

/// Spawns `jobs` echo tasks from the calling thread, then waits for each in turn, as a host does that
/// holds one handle a job. Returns the number of bytes that came back.
#[unsafe(no_mangle)]
pub extern "C" fn rival_spawn_echo(jobs: usize) -> usize {
    let tasks: Vec<_> = (0..jobs).map(|_| handle().spawn(echo(PAYLOAD.to_vec()))).collect();
    tasks.into_iter().map(|task| handle().block_on(task).expect("echo succeeds").len()).sum()
}

/// Spawns `jobs` detached tasks that sleep for an hour and returns when all of them sleep.
#[unsafe(no_mangle)]
pub extern "C" fn rival_sleep(jobs: usize) {
    for _ in 0..jobs {
        drop(handle().spawn(async { tokio::time::sleep(Duration::from_secs(3600)).await }));
    }
    // Tasks from outside run in the order in which they were spawned: after this one, all are asleep.
    handle().block_on(handle().spawn(async {})).expect("the last task succeeds");
}

/// Spawns `jobs` tasks that sleep for 50 ms and returns when all have woken up.
#[unsafe(no_mangle)]
pub extern "C" fn rival_wake(jobs: usize) {
    let sleep = || async { tokio::time::sleep(Duration::from_millis(50)).await };
    let tasks: Vec<_> = (0..jobs).map(|_| handle().spawn(sleep())).collect();
    for task in tasks {
        handle().block_on(task).expect("a sleep succeeds");
    }
}

async fn echo(payload: Vec<u8>) -> Vec<u8> {
    payload
}

fn handle() -> &'static Handle {
    HANDLE.get().expect("rival_start was called")
}

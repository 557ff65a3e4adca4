//! The runner's thread: made with its runtime, ended with it.
//!
//! It and all threads of the runtime block signals: one that the host handles (Ctrl-C) then always interrupts one of
//! the host's own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::build;
use super::core::{Core, Submission};
use super::driver::{Driver, Jobs};
use super::options::{LINGER, Options};
use super::shutdown::Outcome;
use crate::current::{Mark, RunnerId};
use crate::reply::{Error, Status};
use crate::sys::signals::{Blocked, Mask};
use crate::token::{self, Until};

/// Starts a runner: its core, and the thread to join when it has been shut down.
///
/// The thread makes all that belongs to it, so that there is nothing to undo but the thread.
pub(crate) fn start(id: RunnerId, options: &Options) -> Result<(Arc<Core>, JoinHandle<()>), Error> {
    // The threads inherit the mask of the thread that makes them; the host's own is restored at the end.
    let mask = Blocked::new();
    let (host, given) = (mask.host(), options.clone());
    let (ready, made) = sync_channel(1);
    let mut builder = std::thread::Builder::new().name(options.name().to_string());
    if options.thread_stack_size > 0 {
        builder = builder.stack_size(options.thread_stack_size);
    }
    let refused = |error| Error::new(Status::Internal, format!("the runner cannot be made: {error}"));
    let thread = builder.spawn(move || begin(id, &given, host, &ready)).map_err(refused)?;
    match made.recv() {
        Ok(Ok(core)) => Ok((core, thread)),
        Ok(Err(error)) => {
            let _ = thread.join();
            Err(refused(error))
        }
        Err(_) => {
            let _ = thread.join();
            Err(Error::from(Status::Internal))
        }
    }
}

fn begin(id: RunnerId, options: &Options, host: Mask, ready: &SyncSender<std::io::Result<Arc<Core>>>) {
    host.adopt();
    let runtime = match build::runtime(options, host) {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let (core, submissions) = Core::new(id, runtime.handle().clone(), options);
    let jobs =
        if options.worker_threads == 0 { Jobs::Here(FuturesUnordered::new()) } else { Jobs::Workers(JoinSet::new()) };
    let _ = ready.send(Ok(Arc::clone(&core)));
    live(&core, runtime, submissions, jobs);
}

/// The life of the runner's thread.
fn live(core: &Arc<Core>, runtime: Runtime, submissions: Receiver<Submission>, jobs: Jobs) {
    let _mark = Mark::set(core.id);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let driver = Driver::new(Arc::clone(core), submissions, jobs);
        // Dropped in here, within the runtime: what is pending or queued ends as cancelled.
        runtime.block_on(driver);
    }));
    // Only a defect of our own ends the loop before a shutdown; then nobody may go on submitting.
    core.closing.request(Until::Now);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _runtime = runtime.enter();
        core.states.clear();
    }));
    let began = Instant::now();
    runtime.shutdown_timeout(LINGER);
    let outcome = if began.elapsed() < LINGER { Outcome::Clean } else { Outcome::LeftBehind };
    if outcome == Outcome::LeftBehind {
        // The job that keeps its thread will not end its token in time, if ever.
        token::finish_all_of(core.id, Status::Cancelled);
    }
    core.finished.announce(outcome);
}

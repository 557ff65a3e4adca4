//! The runner: one persistent runtime thread that outlives every call, and all that a host asks of it.
//!
//! A [`Runner`] is a handle; clones are the same runner, and the last one shuts it down when it is dropped.
//! Everything may be called from any thread. In a forked child everything fails with `FORKED`.
//!
//! Each of these rooms uses only those above it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`doorbell`] | how a submitter wakes a sleeping driver, and only a sleeping one |
//! | [`lanes`] | the queues on which work reaches the drivers |
//! | [`callbacks`] | callbacks, and the gate in front of the host |
//! | [`closing`] | how a runner ends |
//! | [`watch`] | what the threads are doing now |
//! | [`options`] | how a runner is to be made |
//! | [`clock`] | what deadlines are by |
//! | [`registered`] | the jobs that a host registers, and how any job is found |
//! | [`queued`] | a registered job whose calls a queue delivers |
//! | [`submission`] | the arguments of a submission |
//! | [`core`] | what hosts, jobs and the threads share, and what it takes to accept a job |
//! | [`running`] | one job in progress |
//! | [`submit`] | queueing a job |
//! | [`submit_many`] | queueing many jobs at once |
//! | [`inline`] | running a job: its first poll on the calling thread |
//! | [`idle`] | what a driver without work does before it sleeps |
//! | [`driver`] | the loop that takes from the lanes, in turns |
//! | [`watchdog`] | who looks after the tokens while a job blocks a thread |
//! | [`build`] | the runtime, made whole or not at all |
//! | [`thread`] | the threads and their runtime, made and unmade |
//! | [`handle`] | the runner as a host holds it |
//! | [`global`] | the runner that is made on first use |

mod build;
mod callbacks;
mod clock;
mod closing;
mod core;
mod doorbell;
mod driver;
mod global;
mod handle;
mod idle;
mod inline;
mod lanes;
mod options;
mod queued;
mod registered;
mod running;
#[cfg(all(test, palitra_simulation))]
mod simulation;
mod submission;
mod submit;
mod submit_many;
mod thread;
mod watch;
mod watchdog;

use crate::current;
use crate::sys::fork;
use crate::sys::signals;
use crate::token;

pub(crate) use self::core::Core;
pub(crate) use callbacks::Callback;
pub use global::{gather, global_runner, is_runner_alive, run, shutdown_global_runner};
pub use handle::Runner;
pub(crate) use handle::find_core;
pub(crate) use inline::PolledInline;
pub use options::{Options, ThreadHook};
pub(crate) use queued::QueuedJob;
pub(crate) use registered::Callee;
pub(crate) use submission::{EventsWanted, Payload, Submitter, Wanted, copied};
pub(crate) use submit_many::Submission;

ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn watch_forks() {
        fork::at_fork_in_child(in_child);
    }
}

extern "C" fn in_child() {
    fork::entered_child();
    token::abandon();
    // If a job or a callback has forked, this was a thread of its runner's; here it is nobody's.
    current::forget();
    signals::in_child();
}

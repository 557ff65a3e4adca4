//! palitra lets synchronous programs call asynchronous code.
//!
//! One persistent runtime thread lives in the library. A host submits jobs (async functions registered in
//! Rust, or from Rust any future), gets a token for each, and blocks on it, polls it, waits for the first of
//! many or gathers all.
//!
//! ```
//! let page = palitra::run(async {
//!     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//!     "from an async function"
//! })?;
//! assert_eq!(page, "from an async function");
//! # Ok::<(), palitra::Error>(())
//! ```
//!
//! A job is an async function with a name. Every library that is built with this crate exports the C ABI of
//! include/palitra.h, and hosts in any language call its jobs:
//!
//! ```
//! use palitra::{Runner, job};
//!
//! /// Upper-cases its payload.
//! #[job("text.shout")]
//! async fn upper(text: String) -> String {
//!     text.to_uppercase()
//! }
//!
//! let runner = Runner::new()?;
//! let reply = runner.run_job("text.shout", "palitra", None)?;
//! assert_eq!(reply.text(), "PALITRA");
//! # Ok::<(), palitra::Error>(())
//! ```
//!
//! # The rooms
//!
//! Each uses only rooms above it. Data flows one way: host, abi, runner, job, token, host. ARCHITECTURE.md has the
//! promises, the life of a call, and which room keeps what.
//!
//! `unsafe` is in `sys`, which makes system calls, and in `ffi`, which reads the host's pointers and holds the
//! lock-free table behind its handles. In `abi` the exported names and the macros of `ffi` count as unsafe, and nothing
//! else.
//!
//! | room | what it holds |
//! |---|---|
//! | `sync` | the atomics, cells, locks and waits that can be model-checked |
//! | `deadline` | how long a call may block |
//! | `sys` | every system call: signals, threads, stacks, processors, forks, the coarse clock, the eventfd; an inbox |
//! | `spin` | looking for news for a moment before a thread sleeps |
//! | `reply` | the result of a job: reply, format, error, status |
//! | `channel` | items from any thread for consumers that look or sleep |
//! | `configuration` | what the states of jobs are configured by |
//! | `arena` | slots with fixed addresses, which handles point into |
//! | `current` | which runner the calling thread works for, and whether it may poll |
//! | `log` | the library's log, for the host's one callback |
//! | `panics` | panics that go no further, and where a job panicked |
//! | `stats` | how a runner is doing, as its host reads it |
//! | `flight` | the jobs in flight of a runner: one count for its limit, its end and its statistics |
//! | `token` | one submitted job: pending, then finished, exactly once |
//! | `call` | one call of a job that the host has registered |
//! | `queue` | completion events and their readiness descriptor |
//! | `gather` | waiting for many tokens |
//! | `job` | a job: name, async function, request, extractors |
//! | `registry` | name -> job, filled at load time |
//! | `runner` | the persistent thread: submit, run, shutdown, the global runner |
//! | `testing` | runners for the tests of jobs |
//! | `jobs` | the jobs that ship with the library |
//! | `ffi` | every unsafe conversion between C and the rooms above |
//! | `abi` | the C functions, one file for each section of the header |

#![warn(clippy::unwrap_used, clippy::expect_used)]
// A test may stop where it stands.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

// The attribute #[palitra::job] names the crate from outside; here it is the crate itself.
extern crate self as palitra;

mod sync;

mod arena;
mod call;
mod channel;
mod configuration;
mod current;
mod deadline;
mod flight;
mod gather;
mod job;
mod jobs;
mod log;
mod panics;
mod queue;
mod registry;
mod reply;
mod runner;
mod spin;
mod stats;
mod sys;
mod token;

#[cfg(feature = "testing")]
pub mod testing;

mod abi;
mod ffi;

pub use configuration::configure;
pub use job::{Context, Framed, FromRequest, IntoReply, Items, Job, Json, Request, RunnerState, State};
#[cfg(feature = "http")]
pub use jobs::http;
pub use palitra_macros::{ErrorCodes, job};
pub use panics::install_panic_hook;
pub use registry::{describe_jobs, jobs};
pub use reply::{Error, ErrorCodes, Format, JobError, Reply, Status};
pub use runner::{Options, Runner, ThreadHook, gather, global_runner, is_runner_alive, run, shutdown_global_runner};
pub use stats::Stats;
pub use sys::signals::host_signals;
pub use token::{JobToken, Token};

/// What `#[palitra::job]` and `#[derive(ErrorCodes)]` expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::job::{Contract, Probe, Types, WithCodes, WithSchema, WithoutCodes, WithoutSchema};
    pub use crate::job::{Description, JobFuture, future, input_format, items_format};
    pub use crate::registry::register;
    pub use crate::reply::Details;
}

/// The Rust programs of README.md and docs/, as tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/host-jobs.md")]
    mod host_jobs {}
    #[doc = include_str!("../docs/jobs.md")]
    mod jobs {}
    #[doc = include_str!("../docs/rust.md")]
    mod rust {}
}

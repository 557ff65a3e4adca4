//! The context of a job that is called as a function: in a unit test, without a runner.
//!
//! Its token is of no runner and has no reader. What needs one says so and fails.

use std::sync::{Arc, Weak};

use super::Registered;
use super::extract::Context;
use super::request::JobRuntime;
use super::state::States;
use crate::reply::{Error, Status};
use crate::token::{self, HostSide, JobSide, NewToken, Reading};

struct Detached {
    states: States,
    /// Both holds on the token, which is pending as long as somebody has the context.
    _sides: (HostSide, JobSide),
    me: Weak<Detached>,
}

impl Context {
    /// A context for a unit test, which calls a job as the function that it is. It is never cancelled, and progress goes
    /// nowhere. There is no runner: sending an item, calling and submitting another job fail and say so. A test of
    /// those submits the job to a [`Runner`](crate::Runner), on which it can
    /// [register](crate::Runner::register) what the job calls.
    ///
    /// ```
    /// use palitra::{Context, job};
    ///
    /// #[job("doc.double_all")]
    /// async fn double_all(context: Context, mut bytes: Vec<u8>) -> Vec<u8> {
    ///     let total = bytes.len() as u64;
    ///     for (done, byte) in bytes.iter_mut().enumerate() {
    ///         *byte *= 2;
    ///         context.progress(done as u64 + 1, total);
    ///     }
    ///     bytes
    /// }
    ///
    /// assert_eq!(palitra::run(double_all(Context::detached(), vec![1, 2, 3]))?, [2, 4, 6]);
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the process has more tokens than can be counted.
    pub fn detached() -> Context {
        let made = token::create(NewToken { reading: Reading::NOBODY, ..NewToken::default() });
        #[expect(clippy::expect_used, reason = "said above")]
        let sides = made.expect("a slot for a token");
        let token = sides.0.token();
        let runtime = Arc::new_cyclic(|me| Detached { states: States::default(), _sides: sides, me: Weak::clone(me) });
        Context { runtime, token }
    }
}

impl JobRuntime for Detached {
    fn states(&self) -> &States {
        &self.states
    }

    fn make_token(&self, _: Reading) -> Result<(HostSide, JobSide), Status> {
        Err(Status::ShutDown)
    }

    fn submit(&self, job: &str, _: Vec<u8>) -> Result<HostSide, Error> {
        let message = format!("a detached context has no runner for \"{job}\": a test of this submits to a Runner");
        Err(Error::new(Status::ShutDown, message))
    }

    fn registered(&self, _: u32) -> Option<Registered> {
        None
    }

    fn to_arc(&self) -> Arc<dyn JobRuntime> {
        match self.me.upgrade() {
            Some(me) => me,
            None => unreachable!("it is borrowed, so it is alive"),
        }
    }

    fn why_nobody_reads(&self) -> &'static str {
        "a detached context has no reader of a stream: a test of this submits to a Runner"
    }
}

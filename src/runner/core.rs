//! What hosts, jobs and the runner's thread share of one runner: the submission queue and its doorbell.
//!
//! Everything a call needs in order to submit, and nothing that owns a thread: a job may hold it for ever.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::calls::Calls;
use super::doorbell::Doorbell;
use super::options::Options;
use super::running::{Running, poll_caught};
use super::shutdown::{Closing, Finished};
use crate::current::{Mark, RunnerId, Standing, standing};
use crate::fork;
use crate::job::{Host, Job, JobFuture, OnDemand, Request, RequestToken, States};
use crate::limit::{Limit, Permit};
use crate::queue::Queue;
use crate::registry;
use crate::reply::{Error, Reply, Status};
use crate::stats::{Counters, Stats};
use crate::token::{self, Call, Callback, Event, Events, HostSide, JobSide, Observer, Tenant, TokenRef, Until};

/// Work on its way to the runner's thread. Dropped on the way, it ends its token as cancelled.
///
/// Kept small: the queue's blocks of 31 then fit what allocators keep at hand for each thread (1,032 bytes in
/// glibc), and a submission is written and read in a few words.
pub(crate) enum Submission {
    /// A job to begin.
    Start { job: &'static Job, token: JobSide },
    /// A job that has begun on the host's thread, or a Rust future.
    Continue(Box<Running>),
    /// A callback that is due.
    Call(Box<(Call, Status)>),
}

const _: () = assert!(size_of::<Submission>() <= 24);

pub(crate) struct Core {
    pub(crate) id: RunnerId,
    pub(crate) doorbell: Doorbell,
    pub(crate) closing: Closing,
    pub(crate) finished: Finished,
    pub(crate) states: States,
    pub(crate) counters: Arc<Counters>,
    pub(crate) calls: Calls,
    pub(crate) runtime: tokio::runtime::Handle,
    limit: Limit,
    max_payload: usize,
    submissions: Sender<Submission>,
    threads: u32,
    /// How deep in a chain of forks it was made.
    depth: u32,
    me: Weak<Core>,
}

impl Core {
    pub(crate) fn new(
        id: RunnerId,
        runtime: tokio::runtime::Handle,
        options: &Options,
    ) -> (Arc<Core>, Receiver<Submission>) {
        let (submissions, receiver) = crossbeam_channel::unbounded();
        let core = Arc::new_cyclic(|me| Core {
            id,
            doorbell: Doorbell::default(),
            closing: Closing::new(),
            finished: Finished::default(),
            states: States::default(),
            counters: Arc::default(),
            calls: Calls::default(),
            threads: 1 + options.worker_threads,
            runtime,
            limit: Limit::new(options.max_in_flight),
            max_payload: if options.max_payload == 0 { usize::MAX } else { options.max_payload },
            submissions,
            depth: fork::depth(),
            me: Weak::clone(me),
        });
        (core, receiver)
    }

    /// Whether this process has the runner's thread.
    pub(crate) fn check_process(&self) -> Result<(), Status> {
        if self.depth == fork::depth() { Ok(()) } else { Err(Status::Forked) }
    }

    /// Whether the runner takes work.
    pub(crate) fn check_open(&self) -> Result<(), Status> {
        self.check_process()?;
        if self.closing.count() > 0 { Err(Status::ShutDown) } else { Ok(()) }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.check_open().is_ok() && !self.finished.is_announced()
    }

    fn send(&self, submission: Submission) -> Result<(), Status> {
        self.submissions.send(submission).map_err(|_| Status::ShutDown)?;
        self.doorbell.ring();
        Ok(())
    }

    fn check_payload(&self, len: usize) -> Result<(), Status> {
        if len > self.max_payload { Err(Status::TooLarge) } else { Ok(()) }
    }

    /// Queues a job. Everything that can be wrong is found before the payload is copied.
    pub(crate) fn submit(
        &self,
        job: &'static Job,
        payload: Payload<'_>,
        deadline: Option<Instant>,
        extras: Extras,
    ) -> Result<HostSide, Status> {
        self.check_open()?;
        self.check_payload(payload.len())?;
        let permit = self.limit.acquire()?;
        let payload = Some(payload.into_vec());
        let (host, token) = token::create(Tenant { runner: self.id, deadline, payload, permit })?;
        extras.apply(&host);
        if let Err(refused) = self.submissions.send(Submission::Start { job, token }) {
            // Nothing was submitted, so no queue is told of its end.
            host.token().forget_completion();
            drop(refused);
            return Err(Status::ShutDown);
        }
        self.doorbell.ring();
        Ok(host)
    }

    /// Queues a future whose output is a reply.
    pub(crate) fn submit_future(&self, future: JobFuture) -> Result<HostSide, Status> {
        self.check_open()?;
        let (host, token) = self.create_token(self.limit.acquire()?)?;
        self.send(Submission::Continue(Box::new(Running::new(self, "", future, token))))?;
        Ok(host)
    }

    /// Calls `call` on the runner's thread when the token finishes, or soon if it has. Dropped uncalled where
    /// that cannot be, or when the host lets go of the unfinished token.
    pub(crate) fn on_complete(&self, token: TokenRef, call: Call) -> Result<(), Status> {
        self.check_process()?;
        if self.finished.is_announced() {
            return Err(Status::ShutDown);
        }
        let core = Weak::clone(&self.me);
        let dispatch = move |call: Call, status: Status| {
            if let Some(core) = core.upgrade() {
                let _ = core.send(Submission::Call(Box::new((call, status))));
            }
        };
        let callback: Arc<dyn Observer> = Arc::new(Callback::new(call, dispatch));
        match token.observe(&callback, 0)? {
            Status::Pending => {}
            status => callback.finished(0, status),
        }
        Ok(())
    }

    /// How the runner is doing.
    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot(self.submissions.len(), self.threads)
    }

    /// Runs a job to its end and answers its reply. See promises 2 and 3.
    pub(crate) fn run(
        &self,
        job: &'static Job,
        payload: Payload<'_>,
        timeout: Option<Duration>,
    ) -> Result<Reply, Status> {
        let polls_here = self.check_may_run()?;
        self.check_payload(payload.len())?;
        if timeout.is_some() || !polls_here {
            return self.run_within(job, payload, timeout);
        }
        self.run_here(job.name(), payload.into_vec(), |request| job.start(request))
    }

    /// Runs a future to its end.
    pub(crate) fn run_future(&self, future: JobFuture) -> Result<Reply, Status> {
        if !self.check_may_run()? {
            return self.submit_future(future)?.token().wait_until(Until::Forever);
        }
        self.run_here("", Vec::new(), |_| Ok(future))
    }

    /// Whether the job may be polled on this thread.
    fn check_may_run(&self) -> Result<bool, Status> {
        self.check_open()?;
        match standing(self.id) {
            Standing::Worker => Err(Status::WouldDeadlock),
            Standing::Host => Ok(true),
            Standing::Ending => Ok(false),
        }
    }

    /// On the runner's thread from the start, so that the timeout holds for a job that never yields.
    fn run_within(&self, job: &'static Job, payload: Payload<'_>, timeout: Option<Duration>) -> Result<Reply, Status> {
        let host = self.submit(job, payload, None, Extras::default())?;
        match host.token().wait_until(Until::after(timeout)) {
            Err(Status::Pending) => {
                // Either this ends it, or it has just ended by itself.
                host.token().end(Status::Deadline)?;
                host.token().poll()
            }
            answer => answer,
        }
    }

    /// Begins a job without ever waiting for it: the first poll on this thread, then the runner's. From the runner's
    /// own thread, and from one that is ending, it is submitted as it is.
    pub(crate) fn start(
        &self,
        job: &'static Job,
        payload: Payload<'_>,
        deadline: Option<Instant>,
        extras: Extras,
    ) -> Result<Started, Status> {
        self.check_open()?;
        if !matches!(standing(self.id), Standing::Host) {
            return self.submit(job, payload, deadline, extras).map(Started::Pending);
        }
        self.check_payload(payload.len())?;
        match self.begin_here(payload.into_vec(), extras.stream_items, |request| job.start(request))? {
            Begun::Ended(reply) => Ok(Started::Ended(reply)),
            Begun::Pending(future, token) => {
                let (host, job_side) = token.into_token(self)?;
                if let Some(deadline) = deadline {
                    host.token().set_deadline(deadline);
                }
                extras.apply(&host);
                self.go_on(job.name(), future, &host, job_side);
                Ok(Started::Pending(host))
            }
        }
    }

    fn run_here(
        &self,
        name: &'static str,
        payload: Vec<u8>,
        start: impl FnOnce(&mut Request<'_>) -> Result<JobFuture, Reply>,
    ) -> Result<Reply, Status> {
        match self.begin_here(payload, 0, start)? {
            Begun::Ended(reply) => Ok(reply),
            Begun::Pending(future, token) => {
                let (host, job_side) = token.into_token(self)?;
                self.go_on(name, future, &host, job_side);
                host.token().wait_until(Until::Forever)
            }
        }
    }

    /// The first poll on this thread: a job that is ready needs no other thread and no token.
    #[inline]
    fn begin_here(
        &self,
        payload: Vec<u8>,
        stream_items: usize,
        start: impl FnOnce(&mut Request<'_>) -> Result<JobFuture, Reply>,
    ) -> Result<Begun, Status> {
        // Before the job begins: one that is refused has not done half of its work.
        let token = OnDemand::new(self.limit.acquire()?, stream_items);
        let future = {
            let _runtime = self.runtime.enter();
            let _mark = Mark::set(self.id);
            let mut request = Request::new(payload, self, RequestToken::OnDemand(&token));
            let mut future = match start(&mut request) {
                Ok(future) => future,
                Err(reply) => return Ok(Begun::Ended(self.count(reply))),
            };
            match poll_caught(&mut future, &mut Context::from_waker(Waker::noop())) {
                // Whatever the job met when its runtime ended under it, it is the shutdown that ended the job.
                Poll::Ready(reply) if reply.status() == Status::JobPanicked && self.closing.is_over() => {
                    return Ok(Begun::Ended(self.count(Reply::ending(Status::Cancelled))));
                }
                Poll::Ready(reply) => return Ok(Begun::Ended(self.count(reply))),
                Poll::Pending => future,
            }
        };
        if let Err(forked) = self.check_process() {
            // The job has forked. In the child there is no runner to go on, and nothing of the parent's is dropped.
            std::mem::forget(future);
            return Err(forked);
        }
        Ok(Begun::Pending(future, token))
    }

    /// Hands a job that has begun here to the runner's thread. Refused by a runner that has just ended, the job is
    /// dropped, which ends its token as cancelled.
    fn go_on(&self, name: &'static str, future: JobFuture, host: &HostSide, token: JobSide) {
        let _ = self.send(Submission::Continue(Box::new(Running::new(self, name, future, token))));
        if self.closing.is_over() {
            // A shutdown that left its thread behind may have finished the runner's tokens before this one was made.
            let _ = host.token().end(Status::Cancelled);
        }
    }
}

/// What came of a job's first poll on its host's thread.
enum Begun {
    Ended(Reply),
    Pending(JobFuture, OnDemand),
}

/// What came of [`Core::start`].
pub(crate) enum Started {
    /// The job was ready at once.
    Ended(Reply),
    /// It goes on at the runner.
    Pending(HostSide),
}

/// What few submissions ask for.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) events: Option<EventsWanted>,
    /// The most items of a stream that wait for their reader; 0: as many as usual.
    pub(crate) stream_items: usize,
}

impl Extras {
    /// Has a queue told of the token's end, and of its items if that is wanted. Before the job goes on.
    fn apply(self, host: &HostSide) {
        if self.stream_items > 0 {
            host.token().set_stream_items(self.stream_items);
        }
        if let Some(wanted) = self.events {
            let id = wanted.named.then(|| host.token().id());
            let events = Arc::new(Events { queue: wanted.queue, tag: wanted.tag, token: id });
            // First: the look for a stream notices a deadline that has passed.
            host.token().set_completion(Arc::clone(&events) as _);
            if wanted.items {
                host.token().set_item_events(events);
            }
        }
    }
}

impl Core {
    /// A job that ended on the host's thread.
    fn count(&self, reply: Reply) -> Reply {
        self.counters.ended(reply.status());
        reply
    }
}

/// Which queue is to be told of a submitted job.
pub(crate) struct EventsWanted {
    pub(crate) queue: Weak<Queue<Event>>,
    pub(crate) tag: u64,
    /// Whether the host gets a name for the token.
    pub(crate) named: bool,
    /// Whether it is told of items that wait, too.
    pub(crate) items: bool,
}

impl Host for Core {
    fn states(&self) -> &States {
        &self.states
    }

    fn create_token(&self, permit: Permit) -> Result<(HostSide, JobSide), Status> {
        token::create(Tenant { runner: self.id, permit, ..Tenant::default() })
    }

    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error> {
        let job = registry::find(job.as_bytes()).ok_or_else(|| registry::unknown_job(job))?;
        Ok(Core::submit(self, job, Payload::Owned(payload), None, Extras::default())?)
    }

    fn to_arc(&self) -> Arc<dyn Host> {
        match self.me.upgrade() {
            Some(core) => core,
            None => unreachable!("a runner is borrowed, so it is alive"),
        }
    }
}

/// A payload that is copied only once all is known to be well.
pub(crate) enum Payload<'a> {
    Owned(Vec<u8>),
    Borrowed(&'a [u8]),
}

impl Payload<'_> {
    fn len(&self) -> usize {
        match self {
            Payload::Owned(bytes) => bytes.len(),
            Payload::Borrowed(bytes) => bytes.len(),
        }
    }

    fn into_vec(self) -> Vec<u8> {
        match self {
            Payload::Owned(bytes) => bytes,
            Payload::Borrowed(bytes) => bytes.to_vec(),
        }
    }
}

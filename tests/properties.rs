//! Any sequence of calls keeps the promises. proptest makes up the sequences, and shortens one that does not.
//!
//! Beside the library goes a model of what may be: which endings a job can have, how many jobs may be in flight, whether
//! the runner has been shut down. What is up to timing, such as whether a cancel comes before the end, the model leaves
//! open until the library has said it; from then on it must say the same.
//!
//! Promise 1: a token finishes exactly once.
//! Promise 8: a shutdown ends everything.
//! Promise 11: bad input and limits return a status.

use std::time::{Duration, Instant};

use palitra::{Error, JobToken, Options, Reply, Runner, Status};
use palitra_test_jobs as _;
use palitra_test_support::process::{PATIENCE, wait_until};
use proptest::prelude::*;

const MAX_PAYLOAD: usize = 64;
const MAX_IN_FLIGHT: usize = 3;

/// Long enough to see that a call waits.
const A_MOMENT: Duration = Duration::from_micros(200);

#[derive(Clone, Debug)]
enum Job {
    Echo(Vec<u8>),
    Fail(i32),
    Panic,
    Never,
    Unknown,
}

impl Job {
    fn any() -> impl Strategy<Value = Job> {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD + 2).prop_map(Job::Echo),
            2 => (1..1000).prop_map(Job::Fail),
            1 => Just(Job::Panic),
            3 => Just(Job::Never),
            1 => Just(Job::Unknown),
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Job::Echo(_) => "palitra.echo",
            Job::Fail(_) => "test.fail",
            Job::Panic => "test.panic",
            Job::Never => "test.never",
            Job::Unknown => "no.such.job",
        }
    }

    fn payload(&self) -> Vec<u8> {
        match self {
            Job::Echo(data) => data.clone(),
            Job::Fail(code) => format!(r#"{{"code":{code},"message":"as asked"}}"#).into_bytes(),
            Job::Panic => b"as asked".to_vec(),
            Job::Never | Job::Unknown => Vec::new(),
        }
    }

    /// How it ends when nobody ends it.
    fn own_ending(&self) -> Option<Ending> {
        match self {
            Job::Echo(data) => Some(Ending { status: Status::Ok, code: 0, data: data.clone() }),
            Job::Fail(code) => Some(Ending { status: Status::JobFailed, code: *code, data: b"as asked".to_vec() }),
            Job::Panic => Some(Ending { status: Status::JobPanicked, code: 0, data: b"as asked".to_vec() }),
            Job::Never | Job::Unknown => None,
        }
    }

    /// What refuses it, whatever the runner does.
    fn refusal(&self) -> Option<Status> {
        match self {
            Job::Unknown => Some(Status::UnknownJob),
            _ if self.payload().len() > MAX_PAYLOAD => Some(Status::TooLarge),
            _ => None,
        }
    }
}

/// One call. A place means one of the tokens that are held.
#[derive(Clone, Debug)]
enum Call {
    Submit(Job),
    SubmitMany(Vec<Job>),
    Run(Job),
    Poll(prop::sample::Index),
    Wait(prop::sample::Index),
    Cancel(prop::sample::Index),
    Drop(prop::sample::Index),
    Gather { fail_fast: bool },
    Stats,
    Shutdown,
}

impl Call {
    fn any() -> impl Strategy<Value = Call> {
        let place = any::<prop::sample::Index>;
        prop_oneof![
            8 => Job::any().prop_map(Call::Submit),
            2 => proptest::collection::vec(Job::any(), 0..5).prop_map(Call::SubmitMany),
            2 => Job::any().prop_map(Call::Run),
            4 => place().prop_map(Call::Poll),
            4 => place().prop_map(Call::Wait),
            4 => place().prop_map(Call::Cancel),
            2 => place().prop_map(Call::Drop),
            2 => any::<bool>().prop_map(|fail_fast| Call::Gather { fail_fast }),
            1 => Just(Call::Stats),
            1 => Just(Call::Shutdown),
        ]
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Ending {
    status: Status,
    code: i32,
    data: Vec<u8>,
}

impl Ending {
    fn of(reply: &Reply) -> Ending {
        // Where a job panicked stands behind its message.
        let data = match reply.status() {
            Status::JobPanicked => reply.text().split(" (at ").next().unwrap_or_default().as_bytes().to_vec(),
            Status::Cancelled => Vec::new(),
            _ => reply.data().to_vec(),
        };
        Ending { status: reply.status(), code: reply.code(), data }
    }

    fn cancelled() -> Ending {
        Ending { status: Status::Cancelled, code: 0, data: Vec::new() }
    }
}

struct Held {
    token: JobToken,
    /// The endings that it can still have; none: it cannot end yet. One that was seen is the only one left.
    endings: Vec<Ending>,
    has_ended: bool,
}

impl Held {
    fn saw(&mut self, reply: &Reply) {
        let ending = Ending::of(reply);
        assert!(self.endings.contains(&ending), "{ending:?} is none of {:?}", self.endings);
        self.endings = vec![ending];
        self.has_ended = true;
    }

    /// Somebody ends it now, unless it has ended.
    fn may_be_cancelled(&mut self) {
        if !self.has_ended {
            self.endings.push(Ending::cancelled());
        }
    }

    fn cannot_end(&self) -> bool {
        self.endings.is_empty()
    }
}

struct World {
    runner: Runner,
    held: Vec<Held>,
    /// Jobs without an end whose tokens were dropped: they run on.
    endless: usize,
    /// Jobs that nobody has seen give their places back: they were cancelled, or dropped before their end was seen.
    unseen: usize,
    accepted: u64,
    is_shut_down: bool,
}

impl World {
    fn new(worker_threads: u32) -> World {
        let (max_in_flight, max_payload) = (MAX_IN_FLIGHT, MAX_PAYLOAD);
        let options = Options { worker_threads, max_in_flight, max_payload, ..Options::default() };
        World {
            runner: Runner::with_options(options).unwrap(),
            held: Vec::new(),
            endless: 0,
            unseen: 0,
            accepted: 0,
            is_shut_down: false,
        }
    }

    fn call(&mut self, call: Call) {
        match call {
            Call::Submit(job) => self.submit(&job),
            Call::SubmitMany(jobs) => self.submit_many(&jobs),
            Call::Run(job) => self.run(&job),
            Call::Poll(place) => self.with(place, |held| match held.token.poll() {
                Ok(reply) => held.saw(&reply),
                Err(error) => assert_pending(&error, !held.has_ended),
            }),
            Call::Wait(place) => self.with(place, |held| {
                match held.token.wait(Some(if held.cannot_end() { A_MOMENT } else { PATIENCE })) {
                    Ok(reply) => held.saw(&reply),
                    Err(error) => assert_pending(&error, held.cannot_end()),
                }
            }),
            Call::Cancel(place) => {
                self.unseen += 1;
                self.with(place, |held| {
                    if held.token.cancel() {
                        assert!(!held.has_ended, "it was cancelled after its end");
                        held.endings = vec![Ending::cancelled()];
                    }
                    // Whoever ended it, it has ended.
                    held.saw(&held.token.poll().unwrap());
                    assert!(!held.token.cancel());
                });
            }
            Call::Drop(place) => {
                if !self.held.is_empty() {
                    let held = self.held.swap_remove(place.index(self.held.len()));
                    self.endless += usize::from(held.cannot_end());
                    self.unseen += usize::from(!held.cannot_end() && !held.has_ended);
                }
            }
            Call::Gather { fail_fast } => self.gather(fail_fast),
            Call::Stats => self.check_stats(),
            Call::Shutdown => self.shut_down(),
        }
    }

    fn with(&mut self, place: prop::sample::Index, act: impl FnOnce(&mut Held)) {
        if !self.held.is_empty() {
            let place = place.index(self.held.len());
            act(&mut self.held[place]);
        }
    }

    /// Jobs that take a place for good.
    fn endless(&self) -> usize {
        self.endless + self.held.iter().filter(|held| held.cannot_end()).count()
    }

    /// What the runner refuses a good job with now. Others give their places back soon.
    fn refusal(&self) -> Option<Status> {
        if self.is_shut_down {
            Some(Status::ShutDown)
        } else if self.endless() >= MAX_IN_FLIGHT {
            Some(Status::Busy)
        } else {
            None
        }
    }

    /// Whether it was refused rightly; not if it is to be tried again.
    fn is_refused(&self, job: &Job, status: Status) -> bool {
        let reasons = [job.refusal(), self.refusal()];
        if status == Status::Busy && reasons == [None, None] {
            let unended = self.held.iter().filter(|held| !held.has_ended).count();
            assert!(
                self.endless + self.unseen + unended >= MAX_IN_FLIGHT,
                "who has seen a job end may submit the next"
            );
            return false;
        }
        assert!(reasons.contains(&Some(status)), "{job:?} was refused with {status:?}, not one of {reasons:?}");
        true
    }

    fn accept(&mut self, job: &Job, token: JobToken) {
        assert_eq!([job.refusal(), self.refusal()], [None, None], "{job:?} was accepted");
        self.held.push(Held { token, endings: job.own_ending().into_iter().collect(), has_ended: false });
        self.accepted += 1;
    }

    fn submit(&mut self, job: &Job) {
        let start = Instant::now();
        loop {
            match self.runner.submit_job(job.name(), job.payload()) {
                Ok(token) => return self.accept(job, token),
                Err(error) if self.is_refused(job, error.status()) => return,
                Err(_) => assert!(start.elapsed() < PATIENCE, "no place comes back"),
            }
        }
    }

    fn submit_many(&mut self, jobs: &[Job]) {
        let payloads: Vec<_> = jobs.iter().map(|job| (job.name(), job.payload())).collect();
        let submissions = payloads.iter().map(|(name, payload)| (*name, &payload[..]));
        let (tokens, all) = self.runner.submit_many_jobs(submissions);
        let accepted = tokens.len();
        for (job, token) in jobs.iter().zip(tokens) {
            self.accept(job, token);
        }
        match all {
            Ok(()) => assert_eq!(accepted, jobs.len()),
            Err(error) => _ = self.is_refused(&jobs[accepted], error.status()),
        }
    }

    fn run(&mut self, job: &Job) {
        let start = Instant::now();
        let timeout = if job.own_ending().is_some() { PATIENCE } else { A_MOMENT };
        loop {
            match self.runner.run_job(job.name(), job.payload(), Some(timeout)) {
                Ok(reply) => {
                    assert_eq!([job.refusal(), self.refusal()], [None, None], "{job:?} was run");
                    match job.own_ending() {
                        Some(ending) => assert_eq!(Ending::of(&reply), ending),
                        None => assert_eq!(reply.status(), Status::Deadline),
                    }
                    self.unseen += usize::from(job.own_ending().is_none());
                    self.accepted += 1;
                    return;
                }
                Err(error) if self.is_refused(job, error.status()) => return,
                Err(_) => assert!(start.elapsed() < PATIENCE, "no place comes back"),
            }
        }
    }

    /// All tokens that are held: in order, or none if one of them cannot end.
    fn gather(&mut self, fail_fast: bool) {
        let can_fail = |held: &Held| held.endings.iter().any(|ending| ending.status != Status::Ok);
        let some_fail = fail_fast && self.held.iter().any(can_fail);
        let must_end = self.held.iter().all(|held| !held.cannot_end()) || some_fail;
        if some_fail {
            self.unseen += self.held.len();
            self.held.iter_mut().for_each(Held::may_be_cancelled);
        }
        let tokens = self.held.iter().map(|held| &held.token);
        let timeout = Some(if must_end { PATIENCE } else { A_MOMENT });
        let gathered = match fail_fast {
            true => self.runner.gather_jobs_fail_fast(tokens, timeout),
            false => self.runner.gather_jobs(tokens, timeout),
        };
        match gathered {
            Ok(replies) => {
                assert_eq!(replies.len(), self.held.len());
                self.held.iter_mut().zip(&replies).for_each(|(held, reply)| held.saw(reply));
            }
            Err(error) => assert_pending(&error, !must_end),
        }
    }

    fn check_stats(&self) {
        let stats = self.runner.stats().unwrap();
        let ended = stats.succeeded + stats.failed + stats.panicked + stats.cancelled + stats.deadline;
        assert_eq!((stats.submitted, stats.queued + stats.running + ended), (self.accepted, self.accepted));
    }

    fn shut_down(&mut self) {
        // On a machine that is very busy the fixed second may not do; then again.
        wait_until("the runner has ended", || {
            let ended = self.runner.shutdown(Some(Duration::ZERO)).map_err(|error| error.status());
            assert!([Ok(()), Err(Status::Pending)].contains(&ended), "{ended:?}");
            ended.is_ok()
        });
        self.is_shut_down = true;
        self.endless = 0;
        for held in &mut self.held {
            held.may_be_cancelled();
            held.saw(&held.token.poll().unwrap());
        }
        self.check_stats();
        let stats = self.runner.stats().unwrap();
        assert_eq!((stats.queued, stats.running), (0, 0));
    }
}

fn assert_pending(error: &Error, may_be: bool) {
    assert!(may_be && error.status() == Status::Pending, "{error}");
}

proptest! {
    // PROPTEST_CASES=N in the environment: so many.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_calls_keeps_the_promises(
        workers in 0..2u32,
        calls in proptest::collection::vec(Call::any(), 0..40),
    ) {
        palitra::install_panic_hook();
        let mut world = World::new(workers);
        calls.into_iter().for_each(|call| world.call(call));
        world.shut_down();
    }
}

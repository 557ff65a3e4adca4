//! What the jobs of one runner share: how it is made, configured, closed.
//!
//! Promise 8: a shutdown ends everything within its bound.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use palitra::{Context, JobError, Options, Runner, RunnerState, State, Status, job};
use serde::Deserialize;
use tokio::time::sleep;

use super::{Flag, Meeting, PATIENCE, assert_refused, bounded, end, occupy, runner, runner_with_workers, wait_until};

/// Counts the jobs of one runner.
#[derive(Default)]
struct Shared(AtomicUsize);

#[job("rust.count")]
async fn count(shared: State<Shared>) -> String {
    super::give_way().await;
    (shared.0.fetch_add(1, Ordering::SeqCst) + 1).to_string()
}

#[test]
fn the_jobs_of_a_runner_share_its_state_and_no_other_runners() {
    let (one, other) = (runner(), runner());
    let count = |runner: &Runner| runner.run_job("rust.count", "", None).unwrap().text().into_owned();
    assert_eq!([count(&one), count(&one), count(&other), count(&one)], ["1", "2", "1", "3"]);
}

/// Is slow to be made, and counts how often it was.
struct Slow;

static SLOW: AtomicUsize = AtomicUsize::new(0);

impl RunnerState for Slow {
    const NAME: &str = "slow";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        SLOW.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(50)).await;
        Ok(Slow)
    }
}

#[job("rust.slow_state")]
async fn slow_state(_slow: State<Slow>) {}

#[test]
fn a_state_is_made_once_for_a_runner_also_when_many_ask_at_once() {
    let (runner, meeting) = (runner(), Meeting::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert!(meeting.attend(4));
                assert!(runner.run_job("rust.slow_state", "", None).unwrap().is_ok());
            });
        }
    });
    assert_eq!(SLOW.load(Ordering::SeqCst), 1);
}

/// Cannot be made the first two times: fails, then panics.
struct Moody;

static MOODS: AtomicUsize = AtomicUsize::new(0);

impl RunnerState for Moody {
    const NAME: &str = "moody";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        match MOODS.fetch_add(1, Ordering::SeqCst) {
            0 => Err(JobError::new(3, "not now")),
            1 => panic!("not at all"),
            _ => Ok(Moody),
        }
    }
}

#[job("rust.moody_state")]
async fn moody_state(_moody: State<Moody>) {}

#[test]
fn a_state_that_cannot_be_made_fails_the_job_and_the_next_tries_again() {
    let runner = runner();
    let replies = [(); 4].map(|()| runner.run_job("rust.moody_state", "", Some(PATIENCE)).unwrap());
    let texts = replies.each_ref().map(|reply| (reply.status(), reply.code(), reply.text()));
    assert_eq!(texts[0], (Status::JobFailed, 3, "not now".into()));
    assert_eq!(texts[1], (Status::JobPanicked, 0, "not at all".into()));
    assert!(replies[2].is_ok() && replies[3].is_ok());
    assert_eq!(MOODS.load(Ordering::SeqCst), 3);
}

/// Lives until its runner is shut down.
struct Mortal {
    _dropped: super::RaiseOnDrop,
}

static MORTAL: OnceLock<Flag> = OnceLock::new();

impl RunnerState for Mortal {
    const NAME: &str = "mortal";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        // Made and unmade within the runtime, as a pool of connections must be.
        tokio::runtime::Handle::try_current().map_err(|error| error.to_string())?;
        Ok(Mortal { _dropped: MORTAL.get_or_init(Flag::default).on_drop() })
    }
}

#[job("rust.mortal_state")]
async fn mortal_state(_mortal: State<Mortal>) {}

#[test]
fn a_state_is_dropped_when_its_runner_is_shut_down() {
    let runner = runner();
    assert!(runner.run_job("rust.mortal_state", "", None).unwrap().is_ok());
    let flag = MORTAL.get().unwrap();
    assert!(!flag.is_up());
    runner.shutdown(None).unwrap();
    assert!(flag.is_up());
}

/// The life of a pool: where it is made, and what its runner lets it do at the end.
struct Pool {
    config: Config,
    made_by: String,
}

#[derive(Clone, Deserialize)]
struct Config {
    url: String,
    #[serde(default)]
    goodbye_ms: u64,
}

static GOODBYES: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn said_goodbye(url: &str) -> bool {
    GOODBYES.lock().unwrap().iter().any(|said| said == url)
}

impl RunnerState for Pool {
    const NAME: &str = "pool";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        sleep(Duration::from_millis(1)).await;
        let made_by = thread::current().name().unwrap_or_default().to_string();
        Ok(Pool { config, made_by })
    }

    async fn close(&self) {
        sleep(Duration::from_millis(self.config.goodbye_ms)).await;
        GOODBYES.lock().unwrap().push(self.config.url.clone());
    }
}

/// Its payload is taken although the pool, which is asked for after it, is not there at first.
#[job("rust.pool")]
async fn pool(payload: String, pool: State<Pool>, _context: Context) -> String {
    format!("{payload} {} {}", pool.config.url, pool.made_by)
}

#[job("rust.pool_alone")]
async fn pool_alone(pool: State<Pool>) -> String {
    pool.config.url.clone()
}

fn configured(config: &str) -> Runner {
    Runner::with_options(Options { config: config.to_string(), ..Options::default() }).unwrap()
}

#[test]
fn a_state_is_made_of_its_part_of_the_configuration_on_the_runners_thread_however_it_is_called() {
    let expected = "asked here palitra";
    for call in [
        |runner: &Runner| runner.run_job("rust.pool", "asked", None),
        |runner: &Runner| runner.run_job("rust.pool", "asked", Some(PATIENCE)),
        |runner: &Runner| runner.submit_job("rust.pool", "asked")?.wait(Some(PATIENCE)),
    ] {
        let runner = configured(r#"{"pool": {"url": "here"}, "other": 1}"#);
        assert_eq!(call(&runner).unwrap().text(), expected);
        assert_eq!(call(&runner).unwrap().text(), expected, "once it is there");
    }
}

#[test]
fn a_configuration_that_does_not_fit_fails_the_job_and_names_type_and_field() {
    for (config, why) in [
        ("", "there is none, and it has no default: missing field `url`"),
        (r#"{"pool": {"goodbye_ms": 1}}"#, "missing field `url`"),
        (r#"{"pool": {"url": 1}}"#, "invalid type: integer `1`, expected a string"),
    ] {
        let reply = configured(config).run_job("rust.pool", "", None).unwrap();
        assert_eq!(reply.status(), Status::JobFailed);
        let text = reply.text();
        let expected = format!("the configuration \"pool\", of rust::state::Pool, does not fit: {why}");
        assert_eq!(text, expected);
    }
}

#[test]
fn options_refuse_a_configuration_that_is_no_json_object() {
    for config in ["{", "[]", "pool"] {
        let options = Options { config: config.to_string(), ..Options::default() };
        assert_refused(Runner::with_options(options), Status::InvalidArgument);
        assert_eq!(palitra::configure(config).unwrap_err().status(), Status::InvalidArgument);
    }
}

/// Never made.
struct Endless;

static ENDLESS: AtomicUsize = AtomicUsize::new(0);

impl RunnerState for Endless {
    const NAME: &str = "endless";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        ENDLESS.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[job("rust.endless_state")]
async fn endless_state(_endless: State<Endless>) {}

#[test]
fn a_job_that_waits_for_a_state_keeps_its_timeout_can_be_cancelled_and_ends_with_its_runner() {
    let runner = runner();
    let late = runner.run_job("rust.endless_state", "", Some(Duration::from_millis(20))).unwrap();
    assert_eq!(late.status(), Status::Deadline);
    let token = runner.submit_job("rust.endless_state", "").unwrap();
    assert_refused(token.wait(Some(Duration::from_millis(20))), Status::Pending);
    assert!(token.cancel());
    let left = runner.submit_job("rust.endless_state", "").unwrap();
    bounded(move || runner.shutdown(Some(Duration::ZERO))).unwrap();
    assert_eq!(left.poll().unwrap().status(), Status::Cancelled);
    assert_eq!(ENDLESS.load(Ordering::SeqCst), 1, "one attempt, which nobody's end ended");
}

/// Takes its time and then cannot be made.
struct Refusing;

static REFUSING: AtomicUsize = AtomicUsize::new(0);

impl RunnerState for Refusing {
    const NAME: &str = "refusing";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        sleep(Duration::from_millis(50)).await;
        Err(JobError::new(REFUSING.fetch_add(1, Ordering::SeqCst) as i32, "no connection"))
    }
}

#[job("rust.refusing_state")]
async fn refusing_state(_refusing: State<Refusing>) {}

#[test]
fn jobs_that_wait_for_one_attempt_share_its_failure() {
    let runner = runner();
    for attempt in 0..2 {
        let tokens: Vec<_> = (0..100).map(|_| runner.submit_job("rust.refusing_state", "").unwrap()).collect();
        let replies = runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap();
        assert!(replies.iter().all(|reply| (reply.status(), reply.code()) == (Status::JobFailed, attempt)));
    }
    assert_eq!(REFUSING.load(Ordering::SeqCst), 2);
}

#[test]
fn a_state_is_closed_before_its_runner_has_ended_with_or_without_workers() {
    for (workers, url) in [(0, "closed"), (2, "closed with workers")] {
        let config = format!(r#"{{"pool": {{"url": "{url}", "goodbye_ms": 20}}}}"#);
        let options = Options { worker_threads: workers, config, ..Options::default() };
        let runner = Runner::with_options(options).unwrap();
        assert_eq!(runner.run_job("rust.pool_alone", "", None).unwrap().text(), url);
        assert!(!said_goodbye(url));
        runner.shutdown(Some(Duration::ZERO)).unwrap();
        assert!(said_goodbye(url));
    }
}

#[test]
fn a_state_that_does_not_close_in_time_is_dropped_within_the_bound() {
    let runner = configured(r#"{"pool": {"url": "late", "goodbye_ms": 60000}}"#);
    runner.run_job("rust.pool_alone", "", None).unwrap();
    let begun = Instant::now();
    runner.shutdown(Some(Duration::ZERO)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(!said_goodbye("late"));
}

#[test]
fn a_state_has_less_time_to_close_where_a_job_has_blocked_the_thread() {
    let runner = configured(r#"{"pool": {"url": "blocked", "goodbye_ms": 60000}}"#);
    runner.run_job("rust.pool_alone", "", None).unwrap();
    let (_blocking, release) = occupy(&runner);
    let releasing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(600));
        drop(release);
    });
    runner.shutdown(Some(Duration::ZERO)).unwrap();
    assert!(!said_goodbye("blocked"));
    releasing.join().unwrap();
}

/// Never done with its goodbye.
struct Lingering;

/// How many have begun with it.
static LINGERING: AtomicUsize = AtomicUsize::new(0);

impl RunnerState for Lingering {
    const NAME: &str = "lingering";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        Ok(Lingering)
    }

    async fn close(&self) {
        LINGERING.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[job("rust.lingering_state")]
async fn lingering_state(_lingering: State<Lingering>) {}

#[test]
fn a_later_shutdown_shortens_one_that_waits_for_a_state_to_close() {
    let hour = Some(Duration::from_secs(3600));
    for (workers, grace, closings) in [(0, None, 1), (0, hour, 2), (2, None, 3)] {
        let runner = runner_with_workers(workers);
        runner.run_job("rust.lingering_state", "", None).unwrap();
        let waiting = runner.clone();
        let first = thread::spawn(move || waiting.shutdown(grace));
        wait_until("the state says goodbye", || LINGERING.load(Ordering::SeqCst) == closings);
        end(&runner, Some(Duration::ZERO));
        first.join().unwrap().unwrap();
    }
}

/// Has a task say goodbye after it, for a drop cannot wait.
struct Polite(Flag);

impl Drop for Polite {
    fn drop(&mut self) {
        let flag = self.0.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(5)).await;
            drop(flag.on_drop());
        });
    }
}

#[test]
fn what_a_dropped_job_spawns_is_driven_to_its_end() {
    for runner in [runner(), runner_with_workers(2)] {
        let flag = Flag::default();
        let polite = Polite(flag.clone());
        let token = runner.submit(async move {
            let _polite = polite;
            std::future::pending::<()>().await;
        });
        let begun = runner.submit(async {}).unwrap();
        begun.wait(Some(PATIENCE)).unwrap();
        runner.shutdown(Some(Duration::ZERO)).unwrap();
        drop(token);
        assert!(flag.is_up());
    }
}

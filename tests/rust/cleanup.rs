//! What is left of a job that was cancelled, and how it cleans up: tasks that wait for `cancelled()`, and guards that
//! spawn one when they are dropped. Both are shown with a pool whose server must be told that nobody waits any more.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use palitra::{Context, JobError, Options, Runner, State, Status, job};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::sleep;

use super::{Flag, PATIENCE, bounded, runner, runner_with_workers, wait_until};

/// Answers "milliseconds name" with "name" when they have passed, and "CANCEL" with "CANCELLED" at once: then the query
/// before it has no answer. One query after the other, as a database does on one connection.
static SERVER: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || serve(connection.unwrap()));
        }
    });
    address
});

fn serve(connection: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(connection.try_clone().unwrap());
    let (mut writer, mut waiting) = (connection, Vec::new());
    loop {
        let query = match waiting.is_empty() {
            true => next_line(&mut lines, None)?,
            false => waiting.remove(0),
        };
        let Some((milliseconds, name)) = query.trim().split_once(' ') else {
            writer.write_all(b"CANCELLED\n").ok()?;
            continue;
        };
        let end = Instant::now() + Duration::from_millis(milliseconds.parse().unwrap());
        let answer = loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break name;
            }
            match next_line(&mut lines, Some(left))?.as_str() {
                "" => {}
                "CANCEL\n" => break "CANCELLED",
                other => waiting.push(other.to_string()),
            }
        };
        writer.write_all(format!("{answer}\n").as_bytes()).ok()?;
    }
}

/// An empty one if none came in time; `None` at the end.
fn next_line(lines: &mut BufReader<TcpStream>, limit: Option<Duration>) -> Option<String> {
    lines.get_ref().set_read_timeout(limit).ok()?;
    let mut line = String::new();
    match lines.read_line(&mut line) {
        Ok(0) => None,
        Ok(_) => Some(line),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(String::new()),
        Err(_) => None,
    }
}

/// A pool with one connection, made at its first use.
#[derive(Default)]
struct Pool(Arc<Mutex<Option<Connection>>>);

type Connection = tokio::io::BufReader<tokio::net::TcpStream>;

async fn connection(slot: &mut Option<Connection>) -> Result<&mut Connection, JobError> {
    if slot.is_none() {
        let made = tokio::net::TcpStream::connect(&*SERVER).await?;
        *slot = Some(tokio::io::BufReader::new(made));
    }
    slot.as_mut().ok_or("no connection".into())
}

async fn ask(slot: &mut Option<Connection>, query: &str) -> Result<String, JobError> {
    let connection = connection(slot).await?;
    connection.write_all(format!("{query}\n").as_bytes()).await?;
    let mut answer = String::new();
    connection.read_line(&mut answer).await?;
    Ok(answer)
}

/// Tells the server that nobody waits for its answer, and reads on until it has understood.
async fn cancel(slot: &mut Option<Connection>) -> Result<(), JobError> {
    let Some(connection) = slot else { return Ok(()) };
    connection.write_all(b"CANCEL\n").await?;
    let mut answer = String::new();
    while answer != "CANCELLED\n" {
        answer.clear();
        connection.read_line(&mut answer).await?;
    }
    Ok(())
}

/// The naive way: a query that is cancelled leaves its answer to the next one.
#[job("rust.ask_naively")]
async fn ask_naively(pool: State<Pool>, query: String) -> Result<String, JobError> {
    ask(&mut *pool.0.lock().await, &query).await
}

/// The way with a guard: dropped with a query under way, it has a task end that before the connection is free again.
#[job("rust.ask_with_a_guard")]
async fn ask_with_a_guard(pool: State<Pool>, query: String) -> Result<String, JobError> {
    let mut asking = Asking(Some(Arc::clone(&pool.0).lock_owned().await));
    let slot = asking.0.as_mut().ok_or("no connection")?;
    let answer = ask(slot, &query).await;
    asking.0 = None;
    answer
}

struct Asking(Option<OwnedMutexGuard<Option<Connection>>>);

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(mut slot) = self.0.take() {
            tokio::spawn(async move { cancel(&mut slot).await });
        }
    }
}

/// The way with a task, which has the connection until the query has ended, and learns that nobody waits any more.
#[job("rust.ask_in_a_task")]
async fn ask_in_a_task(context: Context, pool: State<Pool>, query: String) -> Result<String, JobError> {
    let pool = Arc::clone(&pool.0);
    let asking = tokio::spawn(async move {
        let mut slot = pool.lock_owned().await;
        let answer = tokio::select! {
            answer = ask(&mut slot, &query) => Some(answer),
            () = context.cancelled() => None,
        };
        match answer {
            Some(answer) => answer,
            None => cancel(&mut slot).await.map(|()| String::new()),
        }
    });
    asking.await.map_err(|error| JobError::from_error(1, &error))?
}

#[test]
fn a_naive_job_poisons_its_pool_the_next_query_waits_and_gets_the_answer_of_the_one_before() {
    let runner = runner();
    let late = runner.run_job("rust.ask_naively", "600 first", Some(Duration::from_millis(100))).unwrap();
    assert_eq!(late.status(), Status::Deadline);
    let begun = Instant::now();
    let second = runner.run_job("rust.ask_naively", "0 second", Some(PATIENCE)).unwrap();
    assert_eq!(second.text(), "first\n");
    assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[test]
fn a_pool_stays_well_if_a_guard_or_a_task_ends_the_query_of_a_cancelled_job() {
    for runner in [runner(), runner_with_workers(2)] {
        for job in ["rust.ask_with_a_guard", "rust.ask_in_a_task"] {
            // Longer than anybody waits for the second.
            let query = format!("{} first", 10 * PATIENCE.as_millis());
            let late = runner.run_job(job, query, Some(Duration::from_millis(50))).unwrap();
            assert_eq!(late.status(), Status::Deadline);
            let second = runner.run_job(job, "0 second", Some(PATIENCE)).unwrap();
            assert_eq!(second.text(), "second\n", "{job}");
        }
    }
}

/// Spawns a task that waits for the job's end and then takes a moment. What the task has seen is in the flag.
fn left_behind(runner: &Runner, name: &str, seen: &Flag, ends: bool) {
    let seen = seen.clone();
    let job = move |context: Context, _payload| {
        let seen = seen.clone();
        async move {
            let waiting = context.clone();
            tokio::spawn(async move {
                waiting.cancelled().await;
                sleep(Duration::from_millis(5)).await;
                assert!(waiting.is_cancelled());
                seen.raise();
            });
            if !ends {
                // Long enough for the task to wait.
                context.progress(1, 1);
                std::future::pending::<()>().await;
            }
        }
    };
    runner.register(name, job).unwrap();
}

fn runners() -> [Runner; 2] {
    [runner(), runner_with_workers(2)]
}

#[test]
fn a_task_that_a_job_left_behind_learns_of_its_cancel_its_deadline_and_its_end() {
    for runner in runners() {
        let end = |name: &str, ends: bool, end: &dyn Fn()| {
            let seen = Flag::default();
            left_behind(&runner, name, &seen, ends);
            // Again if a deadline had passed before the job began: then it has left nothing behind.
            let learns = (0..5).any(|_| {
                end();
                let soon = Instant::now() + Duration::from_secs(4);
                while !seen.is_up() && Instant::now() < soon {
                    thread::sleep(Duration::from_millis(1));
                }
                seen.is_up()
            });
            assert!(learns, "{name}");
        };
        let started = |name: &str| {
            let token = runner.submit_job(name, "").unwrap();
            wait_until("it has started", || token.progress().unwrap() == (1, 1));
            token
        };
        end("cancelled", false, &|| assert!(started("cancelled").cancel()));
        end("late", false, &|| {
            let token = runner.submit_job_within("late", "", Duration::from_millis(20)).unwrap();
            assert_eq!(token.wait(Some(PATIENCE)).unwrap().status(), Status::Deadline);
        });
        end("run", false, &|| {
            let reply = runner.run_job("run", "", Some(Duration::from_millis(20))).unwrap();
            assert_eq!(reply.status(), Status::Deadline);
        });
        end("ended", true, &|| assert!(runner.run_job("ended", "", None).unwrap().is_ok()));
    }
}

#[test]
fn a_task_that_a_job_left_behind_says_goodbye_while_its_runner_shuts_down() {
    for runner in runners() {
        let seen = Flag::default();
        left_behind(&runner, "left", &seen, false);
        let token = runner.submit_job("left", "").unwrap();
        wait_until("it has started", || token.progress().unwrap() == (1, 1));
        assert!(!seen.is_up());
        bounded(move || runner.shutdown(Some(Duration::ZERO))).unwrap();
        assert!(seen.is_up());
    }
}

#[test]
fn a_task_is_told_nothing_while_its_job_is_wanted_also_if_its_token_was_freed() {
    let runner = runner();
    let seen = Flag::default();
    left_behind(&runner, "wanted", &seen, false);
    let token = runner.submit_job("wanted", "").unwrap();
    wait_until("it has started", || token.progress().unwrap() == (1, 1));
    drop(token);
    runner.run(async { sleep(Duration::from_millis(50)).await }).unwrap();
    assert!(!seen.is_up());
    runner.shutdown(Some(Duration::ZERO)).unwrap();
    assert!(seen.is_up());
}

#[test]
fn whoever_waits_for_the_end_of_a_job_that_has_ended_does_not_wait() {
    let kept = Arc::new(std::sync::Mutex::new(None));
    let (runner, keep) = (runner(), Arc::clone(&kept));
    let job = move |context: Context, _payload| {
        *keep.lock().unwrap() = Some(context);
        async {}
    };
    runner.register("kept", job).unwrap();
    runner.run_job("kept", "", None).unwrap();
    let context = kept.lock().unwrap().take().unwrap();
    bounded(move || super::block_on(context.cancelled()));
}

/// Spawns a task when it is dropped.
struct Goodbye(Flag);

impl Drop for Goodbye {
    fn drop(&mut self) {
        let flag = self.0.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(5)).await;
            flag.raise();
        });
    }
}

#[test]
fn what_a_cancelled_job_spawns_as_it_is_dropped_is_driven_although_nobody_calls_the_runner() {
    for options in [0, 2].map(|worker_threads| Options { worker_threads, ..Options::default() }) {
        let runner = Runner::with_options(options).unwrap();
        let flag = Flag::default();
        let (goodbye, started) = (Goodbye(flag.clone()), Flag::default());
        let running = started.clone();
        let token = runner.submit(async move {
            let _goodbye = goodbye;
            running.raise();
            std::future::pending::<()>().await;
        });
        let token = token.unwrap();
        wait_until("it has started", || started.is_up());
        assert!(token.cancel());
        wait_until("it has said goodbye", || flag.is_up());
    }
}

static PARTED: AtomicUsize = AtomicUsize::new(0);

/// A state that has a task say goodbye when it is dropped with its runner.
#[derive(Default)]
struct Parting;

impl Drop for Parting {
    fn drop(&mut self) {
        tokio::spawn(async {
            sleep(Duration::from_millis(5)).await;
            PARTED.fetch_add(1, Ordering::SeqCst);
        });
    }
}

#[job("rust.parting")]
async fn parting(_parting: State<Parting>) {}

#[test]
fn what_a_state_spawns_as_it_is_dropped_with_its_runner_is_driven_to_its_end() {
    for (parted, runner) in runners().into_iter().enumerate() {
        runner.run_job("rust.parting", "", None).unwrap();
        assert_eq!(PARTED.load(Ordering::SeqCst), parted);
        runner.shutdown(Some(Duration::ZERO)).unwrap();
        assert_eq!(PARTED.load(Ordering::SeqCst), parted + 1);
    }
}

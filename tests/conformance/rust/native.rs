//! Steps through the public Rust API.

#![allow(unsafe_code, reason = "fork, waitpid, alarm and _exit are system calls")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palitra::{Context, Error, JobError, JobToken, Options, Runner, Status, global_runner};

use super::{Host, ended, no_step, notes, option, outcome_of, payload, status, time, with_text};

/// The longest that a forked child lives, which nobody but itself would end.
const CHILD_SECONDS: u32 = 20;

/// In the order in which they are dropped.
#[derive(Default)]
pub struct Native {
    tokens: Mutex<HashMap<String, Arc<JobToken>>>,
    runners: Mutex<HashMap<String, Runner>>,
}

impl Host for Native {
    fn carry_out(&self, words: &[&str]) -> String {
        match words {
            ["runner", name, options @ ..] => self.make_runner(name, options),
            ["alive", runner] => self.runner(runner).is_alive().to_string(),
            ["submit", token, runner, job, text, deadline @ ..] => {
                self.submit(token, runner, job, payload(text), option(deadline, "deadline").map(time))
            }
            ["submit_many", runner, jobs @ ..] => self.submit_many(runner, jobs),
            ["run", runner, job, text, timeout @ ..] => {
                outcome_of(self.runner(runner).run_job(job, payload(text), option(timeout, "timeout").map(time)))
            }
            ["wait", token] => outcome_of(self.token(token).wait(None)),
            ["wait", token, at_most] => outcome_of(self.token(token).wait(Some(time(at_most)))),
            ["poll", token] => outcome_of(self.token(token).poll()),
            ["cancel", token] => {
                // Says whether it was the one that ended the job: no, if that had finished. Both are well.
                self.token(token).cancel();
                status(Status::Ok)
            }
            ["gather", "fail_fast", tokens @ ..] => self.gather(tokens, true),
            ["gather", tokens @ ..] => self.gather(tokens, false),
            ["next", token, at_most @ ..] => self.next(token, at_most),
            ["drain", token] => self.drain(token),
            ["progress", token] => self.progress(token),
            ["free", token] => {
                drop(self.take(token));
                status(Status::Ok)
            }
            ["shutdown", runner, grace] => ended(self.runner(runner).shutdown(Some(time(grace)))),
            ["register", runner, job, does] => self.register(runner, job, does),
            ["note", job] => notes::take(job),
            ["ready", token] => self.ready(token),
            ["callback", token, "wait", other] => self.wait_in_callback(token, other),
            ["fork", "wait", token] => {
                let token = self.token(token);
                forked(|| token.wait(None).map(drop))
            }
            ["fork", "run", runner, job, text] => {
                let runner = self.runner(runner);
                forked(|| runner.run_job(job, payload(text), None).map(drop))
            }
            ["fork", "global"] => forked(|| global_runner()?.run_job("palitra.echo", "", None).map(drop)),
            other => no_step(other),
        }
    }
}

impl Native {
    fn runner(&self, name: &str) -> Runner {
        self.runners.lock().unwrap()[name].clone()
    }

    fn token(&self, name: &str) -> Arc<JobToken> {
        Arc::clone(&self.tokens.lock().unwrap()[name])
    }

    /// The token itself, which nobody else has: for calls that want to own it.
    fn take(&self, name: &str) -> JobToken {
        let token = self.tokens.lock().unwrap().remove(name).expect("a token of that name");
        Arc::into_inner(token).expect("a token that no other thread uses")
    }

    fn put(&self, name: &str, token: JobToken) {
        self.tokens.lock().unwrap().insert(name.to_string(), Arc::new(token));
    }

    fn make_runner(&self, name: &str, options: &[&str]) -> String {
        let number = |name| option(options, name).map_or(0, |text| text.parse().expect("a number"));
        let options = Options {
            max_in_flight: number("max_in_flight"),
            max_payload: number("max_payload"),
            config: option(options, "config").unwrap_or_default().to_string(),
            ..Options::default()
        };
        ended(Runner::with_options(options).map(|runner| {
            self.runners.lock().unwrap().insert(name.to_string(), runner);
        }))
    }

    fn submit(&self, name: &str, runner: &str, job: &str, payload: &str, deadline: Option<Duration>) -> String {
        let runner = self.runner(runner);
        let token = match deadline {
            Some(deadline) => runner.submit_job_within(job, payload, deadline),
            None => runner.submit_job(job, payload),
        };
        ended(token.map(|token| self.put(name, token)))
    }

    /// Each job is three words: the name of its token, its own, its payload.
    fn submit_many(&self, runner: &str, jobs: &[&str]) -> String {
        let named = jobs.chunks(3).map(|job| (job[1], payload(job[2]).as_bytes()));
        let (tokens, submitted) = self.runner(runner).submit_many_jobs(named);
        let outcome = format!("{} {}", ended(submitted), tokens.len());
        jobs.chunks(3).zip(tokens).for_each(|(job, token)| self.put(job[0], token));
        outcome
    }

    /// It must not matter which runner gathers: it only checks that the caller may block.
    fn gather(&self, names: &[&str], fail_fast: bool) -> String {
        let tokens: Vec<_> = names.iter().map(|name| self.token(name)).collect();
        let tokens = tokens.iter().map(Arc::as_ref);
        let runner = self.runners.lock().unwrap().values().next().expect("a runner").clone();
        let gathered = match fail_fast {
            true => runner.gather_jobs_fail_fast(tokens, None),
            false => runner.gather_jobs(tokens, None),
        };
        let outcome = match gathered {
            Ok(replies) => replies.into_iter().map(|reply| outcome_of(Ok(reply))).collect(),
            Err(error) => vec![status(error.status()); names.len()],
        };
        outcome.join(" | ")
    }

    fn next(&self, name: &str, at_most: &[&str]) -> String {
        match self.token(name).next(at_most.first().copied().map(time)) {
            Ok(Some(item)) => outcome_of(Ok(item)),
            Ok(None) => status(Status::End),
            Err(error) => with_text(error.status(), error.code(), &error.to_string()),
        }
    }

    /// The texts of the items, and then what was none.
    fn drain(&self, name: &str) -> String {
        let mut items = String::new();
        for item in self.token(name).items() {
            match item {
                Ok(item) => items += &format!("{} ", item.text()),
                Err(error) => return items + &with_text(error.status(), error.code(), &error.to_string()),
            }
        }
        items + &status(Status::End)
    }

    fn register(&self, runner: &str, name: &str, does: &str) -> String {
        let (job, does) = (name.to_string(), does.to_string());
        ended(self.runner(runner).register(name, move |context, payload| {
            host_job(job.clone(), does.clone(), context, String::from_utf8_lossy(&payload).into_owned())
        }))
    }

    fn progress(&self, name: &str) -> String {
        match self.token(name).progress() {
            Ok((done, total)) => format!("OK {done} {total}"),
            Err(error) => status(error.status()),
        }
    }

    /// A future, on a runner of its own.
    fn ready(&self, name: &str) -> String {
        let mut token = self.take(name);
        let awaited = Runner::new().and_then(|other| {
            other.run(async move {
                let reply = (&mut token).await;
                (token, reply)
            })
        });
        match awaited {
            Ok((token, reply)) => {
                self.put(name, token);
                outcome_of(reply)
            }
            Err(error) => status(error.status()),
        }
    }

    /// What comes after an await is a callback: it runs on the runner's thread when the job has finished.
    fn wait_in_callback(&self, name: &str, other_name: &str) -> String {
        let mut token = self.take(name);
        let other = (name != other_name).then(|| self.token(other_name));
        let runner = self.runners.lock().unwrap().values().next().expect("a runner").clone();
        let callback = runner.submit(async move {
            let _ = (&mut token).await;
            let outcome = outcome_of(other.as_deref().unwrap_or(&token).wait(None));
            (token, outcome)
        });
        match callback.and_then(|callback| callback.wait(None)) {
            Ok((token, outcome)) => {
                self.put(name, token);
                outcome
            }
            Err(error) => status(error.status()),
        }
    }
}

/// A job of the program, by what it does.
async fn host_job(name: String, does: String, context: Context, payload: String) -> Result<String, JobError> {
    match does.as_str() {
        "echo" => return Ok(payload),
        "fail" => return Err(JobError::new(7, payload)),
        "wait" => {
            context.progress(1, 2);
            let _dropped = LeavesNote(name.clone());
            notes::leave(&name, "CALLED".to_string());
            std::future::pending().await
        }
        "count" => {
            for n in 0..payload.parse().map_err(|error| JobError::from_error(1, &error))? {
                context.send(u32::to_string(&n)).await?;
            }
        }
        other => return Err(JobError::from(format!("no job does {other}"))),
    }
    Ok(String::new())
}

/// A future that is not wanted any more is dropped.
struct LeavesNote(String);

impl Drop for LeavesNote {
    fn drop(&mut self) {
        notes::leave(&self.0, status(Status::Cancelled));
    }
}

/// Forks; `act` runs in the child, and its status comes back as the child's exit code.
fn forked(act: impl FnOnce() -> Result<(), Error>) -> String {
    // SAFETY: the child makes calls that the library promises for a child, and leaves by _exit: nothing of the
    // parent's is flushed, joined or dropped.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no fork");
    if child == 0 {
        // SAFETY: always safe.
        unsafe { libc::alarm(CHILD_SECONDS) };
        let seen = act().map_or_else(|error| error.status(), |()| Status::Ok);
        // SAFETY: always safe.
        unsafe { libc::_exit(seen as i32) };
    }
    let mut ending = 0;
    // SAFETY: writes to `ending` alone.
    let reaped = unsafe { libc::waitpid(child, &mut ending, 0) };
    assert_eq!(reaped, child, "no child to wait for");
    if !libc::WIFEXITED(ending) {
        return format!("error: signal {}", libc::WTERMSIG(ending));
    }
    Status::from_number(libc::WEXITSTATUS(ending)).map_or_else(|| "error: no status".to_string(), status)
}

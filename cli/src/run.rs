//! `palitra run`: runs one job, prints its items as they come and its reply, and says by its exit code how it ended.
//!
//! The job is waited for in slices of time, between which a bar shows its progress and Ctrl-C is looked at: the first
//! one cancels the job, the second one ends the program.

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::SIGINT;

use crate::describe::{Description, Format, Job};
use crate::library::{Library, Reply, Status, Submission, Token};
use crate::payload::payload;

/// How long Ctrl-C may wait, and a bar.
pub const SLICE: Duration = Duration::from_millis(50);

/// What a shell has for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

pub fn run(library: &Library, name: &str, words: &[String], timeout: Option<Duration>) -> Result<ExitCode> {
    let description = Description::of(library)?;
    let job = find(library, &description, name)?;
    let payload = payload(job, words)?;
    let interrupted = on_interrupt()?;
    let runner = library.runner()?;
    let reply = show(&runner.submit(name, &payload, &Submission { timeout, events: None })?, job, &interrupted)?;
    if reply.status == Status::OK {
        job.reply.as_ref().map_or(Ok(()), |part| print(&reply.data, part.format))?;
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("palitra: {}", failure(library, job, &reply));
    Ok(exit_code(reply.status))
}

/// The job of that name, or an error with the one that may have been meant.
pub fn find<'a>(library: &Library, description: &'a Description, name: &str) -> Result<&'a Job> {
    if let Some(job) = description.job(name) {
        return Ok(job);
    }
    let hint = library.nearest(name).map(|nearest| format!("; the nearest is {nearest:?}")).unwrap_or_default();
    bail!("the library has no job {name:?}{hint}");
}

/// The exit code is the number of the status, which is 10 to 29 for a job that did not succeed.
pub fn exit_code(status: Status) -> ExitCode {
    ExitCode::from(u8::try_from(status.0).unwrap_or(u8::MAX))
}

/// Set by the first Ctrl-C.
pub fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&interrupted))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupted)).context("Ctrl-C cannot be handled")?;
    Ok(interrupted)
}

/// Prints the items, shows the progress, and returns the reply.
fn show(token: &Token<'_>, job: &Job, interrupted: &AtomicBool) -> Result<Reply> {
    // A job that does not say what it streams may stream all the same.
    let items = job.items.as_ref().map_or(Format::Bytes, |part| part.format);
    let bar = Bar::default();
    follow(token, interrupted, |item| {
        item.map_or(Ok(()), |item| bar.suspend(|| print(&item.data, items)))?;
        bar.show(token.progress());
        Ok(())
    })
}

/// Waits for the end of a job. Calls the function with each item, and now and then without one. Ctrl-C cancels the job.
pub fn follow(
    token: &Token<'_>,
    interrupted: &AtomicBool,
    mut look: impl FnMut(Option<&Reply>) -> Result<()>,
) -> Result<Reply> {
    loop {
        let next = token.next(SLICE);
        match next.status {
            Status::OK => look(Some(&next))?,
            Status::PENDING => look(None)?,
            Status::END => return Ok(token.reply()),
            _ => return Ok(next),
        }
        if interrupted.load(Ordering::Relaxed) {
            token.cancel();
        }
    }
}

/// Bytes as they are, and a line of anything else.
pub fn print(data: &[u8], format: Format) -> Result<()> {
    let mut out = stdout().lock();
    let is_line = format != Format::Bytes && !data.ends_with(b"\n");
    let written = out.write_all(data).and_then(|()| if is_line { out.write_all(b"\n") } else { Ok(()) });
    written.and_then(|()| out.flush()).context("the standard output")
}

/// "text.split failed with code 1 (NO_SUCH_TEXT): no "=" in the text".
pub fn failure(library: &Library, job: &Job, reply: &Reply) -> String {
    let (name, message) = (&job.name, reply.text());
    match reply.status {
        Status::JOB_FAILED => {
            let codes = job.errors.as_ref().map_or(&[][..], |errors| &errors.codes);
            let named = codes.iter().find(|error| error.code == reply.code);
            let named = named.map(|error| format!(" ({})", error.name)).unwrap_or_default();
            format!("{name} failed with code {}{named}: {message}", reply.code)
        }
        Status::JOB_PANICKED => format!("{name} panicked: {message}"),
        Status::CANCELLED => format!("{name} was cancelled"),
        Status::DEADLINE => format!("{name} took longer than it was given"),
        status => format!("{name}: {message} ({})", library.status_name(status)),
    }
}

/// A bar on the terminal, once the job says how far it is.
#[derive(Default)]
struct Bar {
    bar: std::cell::OnceCell<ProgressBar>,
}

impl Bar {
    fn show(&self, (done, total): (u64, u64)) {
        if (done, total) == (0, 0) || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_init(|| ProgressBar::new(total).with_style(style(total)));
        bar.set_length(total);
        bar.set_position(done);
    }

    /// Prints beside the bar.
    fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        match self.bar.get() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

fn style(total: u64) -> ProgressStyle {
    let shown = if total == 0 { "{spinner} {pos} {elapsed}" } else { "{bar:40} {pos}/{len} {eta}" };
    ProgressStyle::with_template(shown).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

//! `palitra bench`: runs a job again and again, a number of calls in flight at any time, and says how many a second end
//! and how long they take.
//!
//! One thread submits and learns of ends by a queue, as an event loop of a host would. A call's time is that from
//! before its submission to when its event has been read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use crate::chart::Chart;
use crate::describe::{Description, Format};
use crate::library::{Library, Queue, Runner, Status, Submission, Token};
use crate::payload::payload;
use crate::run::{SLICE, exit_code, failure, find, follow, on_interrupt, print};

pub struct Plan<'a> {
    /// How long calls are submitted.
    pub time: Duration,
    pub in_flight: u32,
    pub svg: Option<&'a Path>,
}

pub fn bench(library: &Library, name: &str, words: &[String], plan: &Plan<'_>) -> Result<ExitCode> {
    let description = Description::of(library)?;
    let job = find(library, &description, name)?;
    let payload = payload(job, words)?;
    let interrupted = on_interrupt()?;
    let runner = library.runner()?;
    // Brings up threads, connections and caches, and a payload that is wrong is said once.
    let first = follow(&runner.submit(name, &payload, &Submission::default())?, &interrupted, |_| Ok(()))?;
    if first.status != Status::OK {
        eprintln!("palitra: {}", failure(library, job, &first));
        return Ok(exit_code(first.status));
    }
    let queue = library.queue()?;
    let mut calls = Calls { runner: &runner, queue: &queue, name, payload: &payload, slots: Vec::new() };
    let measured = calls.measure(plan, &interrupted)?;
    report(library, name, plan, &measured)?;
    Ok(measured.first_failure.map_or(ExitCode::SUCCESS, exit_code))
}

/// The calls in flight, each in a slot whose number is its tag.
struct Calls<'a> {
    runner: &'a Runner<'a>,
    queue: &'a Queue<'a>,
    name: &'a str,
    payload: &'a [u8],
    slots: Vec<Option<(Instant, Token<'a>)>>,
}

struct Measured {
    /// In nanoseconds, of the calls that succeeded.
    times: Histogram<u64>,
    elapsed: Duration,
    /// How many ended with which other status.
    failed: BTreeMap<i32, u64>,
    first_failure: Option<Status>,
}

impl Calls<'_> {
    fn measure(&mut self, plan: &Plan<'_>, interrupted: &AtomicBool) -> Result<Measured> {
        // Three digits: a time is at most a thousandth wrong.
        let times = Histogram::new(3).context("the histogram")?;
        let mut measured = Measured { times, elapsed: Duration::ZERO, failed: BTreeMap::new(), first_failure: None };
        let start = Instant::now();
        for slot in 0..plan.in_flight as usize {
            self.slots.push(None);
            self.submit(slot)?;
        }
        let mut events = Vec::new();
        while self.slots.iter().any(Option::is_some) {
            self.queue.next(SLICE, &mut events);
            let now = Instant::now();
            let is_over = now - start >= plan.time || interrupted.load(Ordering::Relaxed);
            for event in &events {
                let slot = usize::try_from(event.tag)?;
                if event.status == Status::PENDING {
                    self.drop_items(slot);
                    continue;
                }
                let Some((submitted, _)) = self.slots[slot].take() else { continue };
                measured.count(event.status, now - submitted)?;
                measured.elapsed = now - start;
                if !is_over {
                    self.submit(slot)?;
                }
            }
            if interrupted.load(Ordering::Relaxed) {
                // What is measured is what has ended: a job that takes forever must not hold the report up.
                self.slots.clear();
            }
        }
        Ok(measured)
    }

    fn submit(&mut self, slot: usize) -> Result<()> {
        let now = Instant::now();
        let submission = Submission { timeout: None, events: Some((self.queue, slot as u64)) };
        self.slots[slot] = Some((now, self.runner.submit(self.name, self.payload, &submission)?));
        Ok(())
    }

    fn drop_items(&self, slot: usize) {
        if let Some((_, token)) = &self.slots[slot] {
            while token.next(Duration::ZERO).status == Status::OK {}
        }
    }
}

impl Measured {
    fn count(&mut self, status: Status, time: Duration) -> Result<()> {
        if status == Status::OK {
            return self.times.record(u64::try_from(time.as_nanos())?).context("the histogram");
        }
        *self.failed.entry(status.0).or_default() += 1;
        self.first_failure.get_or_insert(status);
        Ok(())
    }
}

fn report(library: &Library, name: &str, plan: &Plan<'_>, measured: &Measured) -> Result<()> {
    let succeeded = measured.times.len();
    let per_second = succeeded as f64 / measured.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let title = format!(
        "{name}: {per_second:.0} calls/s ({succeeded} in {:.2} s, {} in flight)",
        measured.elapsed.as_secs_f64(),
        plan.in_flight
    );
    let mut text = format!("{title}\n");
    for (&status, number) in &measured.failed {
        let _ = writeln!(text, "{number} calls ended with {}", library.status_name(Status(status)));
    }
    if succeeded > 0 {
        let chart = Chart::of(&title, &measured.times);
        text.push_str(&chart.text());
        // Before the text: nobody may be reading that any more.
        if let Some(file) = plan.svg {
            std::fs::write(file, chart.svg()).with_context(|| format!("the file {}", file.display()))?;
        }
    }
    print(text.as_bytes(), Format::Text)
}

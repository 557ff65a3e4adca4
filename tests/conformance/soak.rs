//! The scenarios over and over, in all interpreters at once: each outcome stays what it was, and nothing grows.
//!
//! An interpreter gets a file with as many passes over the scenarios as fill the time. Its first run, of one pass, is
//! timed: a scenario that takes long comes in few of the passes, so that each has about the same share of the time.
//! Twenty times this program looks at the memory, the threads and the descriptors of the interpreter, always at the
//! first step of the quickest scenario. How long a step took is told by when its line came, so the pipe is in it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use palitra_test_support::process::{root, scratch};

use super::{Interpret, with_libraries};
use crate::scenarios::{Scenario, Step};

/// What a scenario gets of each pass, on the average.
const SHARE: Duration = Duration::from_millis(50);

/// How often this program looks at an interpreter. The first of them see it warm up.
const LOOKS: usize = 20;
const WARM: usize = LOOKS / 4;

/// So many differences are told: after some the outcomes have lost their places.
const DIFFERENCES: usize = 5;

/// The longest that one pass may take, and how much longer than it should the whole.
const ONE_PASS: Duration = Duration::from_secs(120);
const SLOWER: u32 = 5;

/// What may come to the memory of an interpreter after it is warm, in KiB: collectors and compilers of languages work
/// when they like.
const MORE_MEMORY: u64 = 48 << 10;

/// The steps whose times make the table: a job that is ready at once, and one that sleeps for 10 ms.
const READY: &str = "run r palitra.echo ";
const SLEEPING: &str = r#"run r palitra.sleep {"seconds":0.01}"#;

/// What is seen of an interpreter in one moment.
struct Look {
    seconds: f64,
    kib: u64,
    threads: u64,
    descriptors: u64,
}

/// What was seen of an interpreter to its end.
#[derive(Default)]
struct Seen {
    steps: usize,
    /// For a person.
    wrong: Vec<String>,
    /// How long each scenario of the order took.
    scenarios: Vec<Duration>,
    looks: Vec<Look>,
    ready: Vec<Duration>,
    sleeping: Vec<Duration>,
}

/// Soaks all interpreters side by side for about so long, prints a table, and panics if one of them did not stay well.
pub fn check(interpreters: &[(&str, Interpret)], scenarios: &[Scenario], length: Duration) {
    let seen: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> =
            interpreters.iter().map(|(_, interpret)| scope.spawn(|| soak(*interpret, scenarios, length))).collect();
        started.into_iter().map(|soaked| soaked.join().expect("an interpreter that can be built")).collect()
    });
    let mut table =
        format!("{:8} {:>9}  {:^36} {:^36}\n", "", "steps", "a ready job: 50, 99 %, longest, us", "sleep of 10 ms");
    let mut looks = String::from("language\tseconds\tKiB\tthreads\tdescriptors\n");
    let mut wrong = String::new();
    for ((language, _), seen) in interpreters.iter().zip(&seen) {
        table += &seen.row(language);
        for Look { seconds, kib, threads, descriptors } in &seen.looks {
            writeln!(looks, "{language}\t{seconds:.1}\t{kib}\t{threads}\t{descriptors}").expect("a string");
        }
        for complaint in &seen.wrong {
            writeln!(wrong, "{language}: {complaint}").expect("a string");
        }
    }
    let folder = root().join("target/proof");
    std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join("bindings.tsv"), looks)).expect("a file");
    // Not by print!, which the harness keeps to itself while all goes well.
    writeln!(std::io::stdout(), "\n{table}").expect("an open standard output");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// One interpreter: a pass that is timed, then as many as fill the time.
fn soak(interpret: Interpret, scenarios: &[Scenario], length: Duration) -> Seen {
    let once: Vec<&Scenario> = scenarios.iter().collect();
    let first = observe(interpret, &once, &once[0].name, ONE_PASS);
    if !first.wrong.is_empty() {
        return first;
    }
    let order = passes(scenarios, &first.scenarios, length);
    let quickest = scenarios.iter().zip(&first.scenarios).min_by_key(|(_, time)| **time);
    let look_at = quickest.map_or("", |(scenario, _)| &scenario.name);
    let mut seen = observe(interpret, &order, look_at, length * SLOWER + ONE_PASS);
    if seen.wrong.is_empty() {
        seen.wrong = seen.growth();
    }
    seen
}

/// The scenarios in the order of the file: a pass has every scenario that is quick, and its turn of each other.
fn passes<'a>(scenarios: &'a [Scenario], times: &[Duration], length: Duration) -> Vec<&'a Scenario> {
    let every: Vec<usize> = times.iter().map(|time| 1 + time.div_duration_f64(SHARE) as usize).collect();
    let pass: f64 = times.iter().zip(&every).map(|(time, every)| time.as_secs_f64() / *every as f64).sum();
    let passes = LOOKS.max((length.as_secs_f64() / pass) as usize);
    let is_due = |pass: usize, scenario: usize| (pass + scenario).is_multiple_of(every[scenario]);
    let pass = |pass| scenarios.iter().enumerate().filter(move |(scenario, _)| is_due(pass, *scenario));
    (0..passes).flat_map(pass).map(|(_, scenario)| scenario).collect()
}

/// Runs the interpreter through these scenarios to its end, or to the limit.
fn observe(interpret: Interpret, order: &[&Scenario], look_at: &str, limit: Duration) -> Seen {
    let steps = scratch("soak");
    std::fs::write(&steps, Scenario::steps_of(order.iter().copied())).expect("a file for the steps");
    let mut seen = Seen::default();
    interpret(&steps, &mut |interpreter| seen = run(interpreter, order, look_at, limit));
    let _ = std::fs::remove_file(&steps);
    seen
}

fn run(interpreter: &mut Command, order: &[&Scenario], look_at: &str, limit: Duration) -> Seen {
    let command = with_libraries(interpreter).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("an interpreter that can be started");
    let (output, process) = (child.stdout.take().expect("a pipe"), format!("/proc/{}", child.id()));
    thread::scope(|scope| {
        let reader = scope.spawn(move || Seen::read(output, order, look_at, Path::new(&process)));
        let trouble = wait(&mut child, limit);
        let mut seen = reader.join().expect("a reader");
        seen.wrong.extend(trouble);
        seen
    })
}

/// Waits for the end of an interpreter. Returns what was wrong with it.
fn wait(child: &mut Child, limit: Duration) -> Option<String> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            return (!status.success()).then(|| format!("ended with {status}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    Some(format!("did not end within {limit:?}"))
}

impl Seen {
    /// Reads what an interpreter prints to its end, and compares it with what it must.
    fn read(output: impl Read, order: &[&Scenario], look_at: &str, process: &Path) -> Seen {
        let mut seen = Seen::default();
        let mut lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        let mut outcomes = lines.by_ref().filter(|line| line.contains(&b'\t'));
        let between_looks = order.iter().filter(|scenario| scenario.name == look_at).count().div_ceil(LOOKS);
        let mut times_there = 0_usize;
        let start = Instant::now();
        let mut last = start;
        for scenario in order {
            let begin = last;
            for (step, number) in scenario.steps.iter().zip(1..) {
                let expected = format!("{}\t{number}\t{}", scenario.name, step.expected);
                let printed = outcomes.next().unwrap_or_default();
                let now = Instant::now();
                if printed != expected.as_bytes() && seen.wrong.len() < DIFFERENCES {
                    let printed = String::from_utf8_lossy(&printed);
                    seen.wrong.push(format!("after {} steps: expected {expected}, printed {printed}", seen.steps));
                }
                seen.time(step, now - last);
                last = now;
                if scenario.name == look_at && number == 1 {
                    times_there += 1;
                    if times_there.is_multiple_of(between_looks) {
                        seen.looks.extend(Look::at(process, start.elapsed()));
                    }
                }
            }
            seen.scenarios.push(last - begin);
        }
        lines.for_each(drop);
        seen
    }

    fn time(&mut self, step: &Step, took: Duration) {
        self.steps += 1;
        if step.text.starts_with(READY) {
            self.ready.push(took);
        } else if step.text == SLEEPING {
            self.sleeping.push(took);
        }
    }

    /// What became more since the interpreter was warm. A thread that is about to end may be in one look or another, on
    /// a busy machine; what grows is in all of the last.
    fn growth(&self) -> Vec<String> {
        if self.looks.len() < 2 * WARM {
            return vec![format!("only {} looks were taken at it", self.looks.len())];
        }
        let (warm, last) = (&self.looks[..WARM], &self.looks[self.looks.len() - WARM..]);
        let most = |of: fn(&Look) -> u64| warm.iter().map(of).max().unwrap_or(0);
        let least = |of: fn(&Look) -> u64| last.iter().map(of).min().unwrap_or(0);
        let grown = [
            ("KiB of memory", least(|look| look.kib), most(|look| look.kib) + MORE_MEMORY),
            ("threads", least(|look| look.threads), most(|look| look.threads)),
            ("descriptors", least(|look| look.descriptors), most(|look| look.descriptors)),
        ];
        let grown = grown.iter().filter(|(_, least, allowed)| least > allowed);
        grown.map(|(what, least, allowed)| format!("{least} {what} at the end, more than {allowed}")).collect()
    }

    fn row(&self, language: &str) -> String {
        let mut row = format!("{language:8} {:>9} ", self.steps);
        for times in [&self.ready, &self.sleeping] {
            let mut sorted = times.clone();
            sorted.sort();
            for part in [0.5, 0.99, 1.0] {
                let place = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
                let micros = sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e6);
                write!(row, " {micros:11.1}").expect("a string");
            }
        }
        if let (Some(warm), Some(last)) = (self.looks.get(WARM), self.looks.last()) {
            let Look { kib, threads, descriptors, .. } = last;
            let more = kib.cast_signed() - warm.kib.cast_signed();
            write!(row, "  {kib:>8} KiB, {more:+} since warm; {threads} threads, {descriptors} descriptors")
                .expect("a string");
        }
        row + "\n"
    }
}

impl Look {
    /// None of a process that has ended.
    fn at(process: &Path, since: Duration) -> Option<Look> {
        let status = std::fs::read_to_string(process.join("status")).ok()?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Look {
            seconds: since.as_secs_f64(),
            kib: of("VmRSS:")?,
            threads: of("Threads:")?,
            descriptors: std::fs::read_dir(process.join("fd")).ok()?.count() as u64,
        })
    }
}

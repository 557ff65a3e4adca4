//! The command `palitra`: what a library of jobs holds, from a shell.
//!
//! `jobs` lists its jobs, `run` runs one, `bench` measures one, `bindgen` writes typed wrappers of all for another
//! language, `new` begins a crate of jobs, `completions` has a shell complete all that. The library is loaded when the
//! command runs, and asked through its C ABI: the command works with any library of jobs and is linked with none.
//!
//! # The rooms
//!
//! | room | what it holds |
//! |---|---|
//! | `library` | the loaded library: the C functions that the command calls; alone in having `unsafe` code |
//! | `describe` | what the library says of its jobs |
//! | `payload` | a payload out of the words of a command line |
//! | `run` | running a job |
//! | `chart` | a histogram of times, as text and as SVG |
//! | `bench` | running a job again and again |
//! | `model` | the types of the jobs, out of their schemas |
//! | `schema` | how one JSON Schema is read |
//! | `names` | names in the ways of the languages |
//! | `jobs` | listing jobs |
//! | `bindgen` | wrappers, one room for each language |
//! | `new` | a crate to start from |

mod bench;
mod bindgen;
mod chart;
mod describe;
mod jobs;
mod library;
mod model;
mod names;
mod new;
mod payload;
mod run;
mod schema;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use describe::Format;
use library::Library;

/// Lists, runs and binds the jobs of a palitra library.
#[derive(Parser)]
#[command(name = "palitra", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct From {
    /// The library of jobs: a file, or a name that the system's loader finds
    #[arg(short, long, value_name = "FILE", env = "PALITRA_LIBRARY", default_value = "libpalitra.so.1")]
    library: OsString,
}

#[derive(Args)]
struct What {
    /// The name of the job
    name: String,
    /// The payload: JSON or text, @FILE, - for the standard input, or KEY=VALUE pairs, which become a JSON object
    #[arg(value_name = "PAYLOAD", allow_negative_numbers = true)]
    payload: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Lists jobs with their documentation, formats and types
    Jobs {
        #[command(flatten)]
        from: From,
        /// Prints the library's own description, with the JSON Schemas
        #[arg(long)]
        json: bool,
        /// Only jobs whose name begins so
        #[arg(value_name = "PREFIX", default_value = "")]
        prefix: String,
    },
    /// Runs a job and prints its reply, and its items as they come
    ///
    /// The exit code is 0, or the number of the status that the job ended with: 10 it failed, 11 it panicked, 12 it was
    /// cancelled, 13 it took longer than --timeout, 14 it refused its payload. It is 1 if the job was not run, and 2 for a
    /// wrong command line. Ctrl-C cancels the job, and a second one ends the command.
    Run {
        #[command(flatten)]
        from: From,
        /// Cancels the job after so many seconds
        #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
        #[command(flatten)]
        what: What,
    },
    /// Runs a job again and again, and prints how many a second end and how long they take
    ///
    /// A call is measured from its submission until its end is announced. The job runs once before, and must succeed.
    /// The exit code is 0 if all calls succeeded, or the status of the first that did not. Ctrl-C ends the measurement
    /// early.
    Bench {
        #[command(flatten)]
        from: From,
        /// How long calls are submitted
        #[arg(short, long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
        seconds: Duration,
        /// How many calls are in flight at a time
        #[arg(
            short = 'n', long, value_name = "CALLS", default_value_t = 1,
            value_parser = clap::value_parser!(u32).range(1..=1_000_000)
        )]
        in_flight: u32,
        /// Draws the histogram into a file, as SVG
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        #[command(flatten)]
        what: What,
    },
    /// Writes typed wrappers of the jobs of a library for another language
    Bindgen {
        /// The library of jobs
        #[arg(value_name = "LIBRARY")]
        library: OsString,
        /// The language
        #[arg(short = 't', long, value_enum)]
        lang: bindgen::Language,
        /// The folder for what is written
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        output: PathBuf,
        /// The name of the module, package or namespace; that of the library if left out
        #[arg(long)]
        name: Option<String>,
        /// Only jobs whose name begins so; palitra's own are left out unless they are asked for
        #[arg(long, value_name = "PREFIX")]
        only: Vec<String>,
    },
    /// Makes a crate of jobs to start from, which builds, tests itself, and is called from C and Python
    New {
        /// The folder to make, whose last part is the name of the crate
        #[arg(value_name = "NAME")]
        folder: PathBuf,
        /// A checkout of palitra, as seen from the crate
        #[arg(long, value_name = "DIR", default_value = "../palitra")]
        palitra: String,
        /// A git repository of palitra, instead of a checkout
        #[arg(long, value_name = "URL", conflicts_with = "palitra")]
        git: Option<String>,
    },
    /// Prints what has a shell complete the command: source it, or put it where the shell looks
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// A time on the command line: seconds, with a fraction.
fn seconds(word: &str) -> Result<Duration, String> {
    let time = word.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "not a number of seconds above 0".to_string())
}

fn main() -> ExitCode {
    match perform(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("palitra: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> Result<ExitCode> {
    match command {
        Command::Jobs { from, json, prefix } => jobs::list(&Library::load(&from.library)?, json, &prefix)?,
        Command::Run { from, timeout, what } => {
            return run::run(&Library::load(&from.library)?, &what.name, &what.payload, timeout);
        }
        Command::Bench { from, seconds, in_flight, svg, what } => {
            let plan = bench::Plan { time: seconds, in_flight, svg: svg.as_deref() };
            return bench::bench(&Library::load(&from.library)?, &what.name, &what.payload, &plan);
        }
        Command::Bindgen { library, lang, output, name, only } => {
            let name = name.unwrap_or_else(|| names::of_library(&library));
            bindgen::write(&Library::load(&library)?, lang, &output, &name, &only)?;
        }
        Command::New { folder, palitra, git } => {
            let source = git.as_deref().map_or(new::Source::Folder(&palitra), new::Source::Git);
            new::write(&folder, &source)?;
        }
        Command::Completions { shell } => {
            // Not to the standard output itself: clap panics where that takes nothing.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "palitra", &mut script);
            run::print(&script, Format::Bytes)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

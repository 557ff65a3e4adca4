//! The library's log: events of the `tracing` crate and messages of the `log` crate, given to the host's one callback.
//!
//! The library's own events, those of the crates it is built with and those of a user's jobs all come this
//! way. Nothing is installed until a host registers a callback, and without one an event costs the reading of one
//! number. The callback is called on whichever thread logs, outside every lock of the library.
//!
//! A message says which spans it is in, as `tracing` has them: a job that started while somebody listens is one, with
//! its name, and `#[instrument]` makes others.
//!
//! | room | what it holds |
//! |---|---|
//! | [`spans`] | the spans that messages are in |
//! | [`facade`] | the messages of the crate `log` |
//! | [`collected`] | messages that wait until their host asks for them |

mod collected;
mod facade;
mod spans;

use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

use crate::reply::Status;
use crate::sys::fork::PerProcess;

pub(crate) use collected::{MOST as MOST_COLLECTED, collect, next as next_collected};

/// What the host does with an event: level, target, message.
pub(crate) type Sink = Box<dyn Fn(usize, &str, &str) + Send + Sync>;

/// Who gets events, and up to which level.
struct Listening {
    level: usize,
    sink: Sink,
}

/// Each process in a chain of forks has its own: a thread of the parent may hold the parent's lock forever.
static LISTENING: PerProcess<RwLock<Option<Arc<Listening>>>> = PerProcess::new();

/// Held by who changes the sink, until every part of `tracing` has the new level.
static CHANGE: PerProcess<Mutex<()>> = PerProcess::new();

/// The sink's level, to be read without a lock. 0: off, 1: errors, ... 5: traces.
static LEVEL: AtomicUsize = AtomicUsize::new(0);

const FILTERS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

/// The most that can be asked for.
pub(crate) const MAX_LEVEL: usize = FILTERS.len() - 1;

/// Gives events up to `level` to `sink`, and drops the sink that had them before. `None`: to nobody.
///
/// [`Status::Internal`] if the program's own Rust code listens already.
pub(crate) fn set(level: usize, sink: Option<Sink>) -> Result<(), Status> {
    let level = if sink.is_some() { level.min(MAX_LEVEL) } else { 0 };
    if level > 0 && !tracing::dispatcher::has_been_set() {
        tracing::subscriber::set_global_default(Listener).map_err(|_| Status::Internal)?;
    }
    if level > 0 && !tracing::dispatcher::get_default(|listener| listener.is::<Listener>()) {
        return Err(Status::Internal);
    }
    // Outside every lock: the last user of the old sink frees what the host gave with it.
    drop(replace(sink.filter(|_| level > 0).map(|sink| Arc::new(Listening { level, sink }))));
    Ok(())
}

fn replace(new: Option<Arc<Listening>>) -> Option<Arc<Listening>> {
    let _change = CHANGE.get().lock().unwrap_or_else(PoisonError::into_inner);
    LEVEL.store(new.as_ref().map_or(0, |new| new.level), Ordering::Relaxed);
    let old = {
        let mut current = LISTENING.get().write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, new)
    };
    tracing::callsite::rebuild_interest_cache();
    facade::set_level(LEVEL.load(Ordering::Relaxed));
    old
}

/// Whether nobody listens.
#[inline]
pub(crate) fn is_off() -> bool {
    LEVEL.load(Ordering::Relaxed) == 0
}

/// Gives the sink a message that `write` writes, if it is one of its level.
fn give(level: usize, target: &str, span: Option<u64>, write: impl FnOnce(&mut Message)) {
    let listening = LISTENING.get().read().unwrap_or_else(PoisonError::into_inner).clone();
    // Its own level: the event may have passed that of the one before.
    let Some(listening) = listening.filter(|listening| level <= listening.level) else { return };
    let Some(_mark) = InSink::enter() else { return };
    let (mut text, mut message) = (String::new(), Message::default());
    write(&mut message);
    spans::write_path(span, &mut text);
    text.extend([message.message, message.fields]);
    (listening.sink)(level, target, &text);
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= FILTERS[LEVEL.load(Ordering::Relaxed).min(MAX_LEVEL)]
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(FILTERS[LEVEL.load(Ordering::Relaxed).min(MAX_LEVEL)])
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let span = if event.is_contextual() { spans::current() } else { event.parent().map(Id::into_u64) };
        give(number(metadata.level()), metadata.target(), span, |message| event.record(message));
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        spans::make(attributes)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        spans::record(span, values);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, span: &Id) {
        spans::enter(span);
    }

    fn exit(&self, span: &Id) {
        spans::exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        spans::hold_one_more(span);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        spans::release(&span)
    }

    fn current_span(&self) -> Current {
        spans::current_of_tracing()
    }
}

fn number(level: &Level) -> usize {
    FILTERS.iter().position(|filter| *filter == *level).unwrap_or(MAX_LEVEL)
}

thread_local! {
    static IN_SINK: Cell<bool> = const { Cell::new(false) };
}

/// Set while this thread is in the sink, which does not get the events that it causes itself.
struct InSink;

impl InSink {
    fn enter() -> Option<InSink> {
        (!IN_SINK.replace(true)).then_some(InSink)
    }
}

impl Drop for InSink {
    fn drop(&mut self) {
        IN_SINK.set(false);
    }
}

/// The message of an event, then its fields as `name=value`.
#[derive(Default)]
struct Message {
    message: String,
    fields: String,
}

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => self.fields.extend([" ", name, "=", value]),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Held by a test that listens: there is one log in the process.
#[cfg(test)]
static TEST: Mutex<()> = Mutex::new(());

#[cfg(test)]
mod tests {
    use super::*;

    /// A sink that counts this test's events by their level.
    fn counting(events: &Arc<[AtomicUsize; 6]>) -> Option<Sink> {
        let events = Arc::clone(events);
        Some(Box::new(move |level, target, _| {
            if target == "palitra::log::tests" {
                events[level].fetch_add(1, Ordering::Relaxed);
            }
        }))
    }

    #[test]
    fn a_sink_gets_its_own_level_whatever_another_thread_has_just_set() {
        let _alone = TEST.lock().unwrap_or_else(PoisonError::into_inner);
        let events = Arc::<[AtomicUsize; 6]>::default();
        set(1, counting(&events)).unwrap();
        // As a thread leaves it that is about to put its own function in.
        LEVEL.store(4, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
        tracing::error!("wanted");
        tracing::debug!("not wanted");
        set(0, None).unwrap();
        assert_eq!([1, 4].map(|level| events[level].load(Ordering::Relaxed)), [1, 0]);
    }
}

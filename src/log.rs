//! What the library has to say, given to the host's one callback: events of the `tracing` crate.
//!
//! The library's own events, those of the crates it is built with and those of a user's jobs all come this
//! way. Nothing is installed until a host asks, and while nobody listens an event costs the reading of one
//! number. The callback runs on whichever thread has something to say, outside every lock of the library.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::fork::PerProcess;
use crate::reply::Status;

/// What the host does with an event: level, target, message.
pub(crate) type Sink = Box<dyn Fn(usize, &str, &str) + Send + Sync>;

/// Each process in a chain of forks has its own: a thread of the parent may hold the parent's lock for ever.
static SINK: PerProcess<RwLock<Option<Arc<Sink>>>> = PerProcess::new();

/// 0: off, 1: errors, ... 5: traces.
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

/// Gives events up to `level` to `sink`, and drops the sink before it. `None`: nobody listens.
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
    let old = {
        let mut current = SINK.get().write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, sink.map(Arc::new))
    };
    LEVEL.store(level, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    drop(old);
    Ok(())
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= FILTERS[LEVEL.load(Ordering::Relaxed).min(MAX_LEVEL)]
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(FILTERS[LEVEL.load(Ordering::Relaxed).min(MAX_LEVEL)])
    }

    fn event(&self, event: &Event<'_>) {
        let sink = SINK.get().read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sink) = sink else { return };
        let Some(_mark) = Speaking::begin() else { return };
        let mut message = Message::default();
        event.record(&mut message);
        let metadata = event.metadata();
        sink(number(metadata.level()), metadata.target(), &message.text());
    }

    // Spans are not shown.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn number(level: &Level) -> usize {
    FILTERS.iter().position(|filter| *filter == *level).unwrap_or(MAX_LEVEL)
}

thread_local! {
    static SPEAKING: Cell<bool> = const { Cell::new(false) };
}

/// A sink that causes events is not told of those.
struct Speaking;

impl Speaking {
    fn begin() -> Option<Speaking> {
        (!SPEAKING.replace(true)).then_some(Speaking)
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        SPEAKING.set(false);
    }
}

/// The message of an event, then its fields as `name=value`.
#[derive(Default)]
struct Message {
    message: String,
    fields: String,
}

impl Message {
    fn text(mut self) -> String {
        self.message.push_str(&self.fields);
        self.message
    }
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

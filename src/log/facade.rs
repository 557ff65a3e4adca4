//! Messages of the crate `log`, which many libraries write to: they go the way of the events of `tracing`.
//!
//! Unless a logger of the program's own gets them: `log` has one for the process, or for the library.

use std::sync::atomic::{AtomicBool, Ordering};

use log::{LevelFilter, Log, Metadata, Record};

use super::{LEVEL, give, spans};

/// Whether the messages come here.
static IS_OURS: AtomicBool = AtomicBool::new(false);

const FILTERS: [LevelFilter; 6] = [
    LevelFilter::Off,
    LevelFilter::Error,
    LevelFilter::Warn,
    LevelFilter::Info,
    LevelFilter::Debug,
    LevelFilter::Trace,
];

/// Takes the messages up to this level from now on.
pub(super) fn set_level(level: usize) {
    if level > 0 && log::set_logger(&Facade).is_ok() {
        IS_OURS.store(true, Ordering::Relaxed);
    }
    if IS_OURS.load(Ordering::Relaxed) {
        log::set_max_level(FILTERS[level]);
    }
}

struct Facade;

impl Log for Facade {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() as usize <= LEVEL.load(Ordering::Relaxed)
    }

    fn log(&self, record: &Record<'_>) {
        give(record.level() as usize, record.target(), spans::current(), |message| {
            message.message = record.args().to_string();
        });
    }

    fn flush(&self) {}
}

//! The spans that messages are in: a job, and what its author has named inside of it.
//!
//! A thread that logs is in the spans that it has entered. Each is kept from its making until nobody refers to it any
//! more, its children among them. Nothing of this costs anything while nobody listens: then no span is made.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Metadata;
use tracing::span::{Attributes, Id, Record};
use tracing_core::span::Current;

use super::Message;
use crate::sys::fork::PerProcess;

/// Those of this process: a child has none of its parent's, whose lock a thread of the parent may hold forever.
static SPANS: PerProcess<Mutex<HashMap<u64, Span>>> = PerProcess::new();

/// No number is used again, so that in a child none means another's span.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// What this thread has entered and not left.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Span {
    metadata: &'static Metadata<'static>,
    /// Each with a space before it.
    fields: String,
    parent: Option<u64>,
    /// How many refer to it.
    holders: usize,
}

fn spans() -> MutexGuard<'static, HashMap<u64, Span>> {
    SPANS.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// The innermost span that this thread is in.
pub(super) fn current() -> Option<u64> {
    ENTERED.try_with(|entered| entered.borrow().last().copied()).ok().flatten()
}

pub(super) fn make(attributes: &Attributes<'_>) -> Id {
    // Before the lock is taken: a value may log while it is written.
    let mut message = Message::default();
    attributes.record(&mut message);
    let parent = if attributes.is_contextual() { current() } else { attributes.parent().map(Id::into_u64) };
    let mut spans = spans();
    let parent = parent.filter(|parent| hold(&mut spans, *parent));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let span = Span { metadata: attributes.metadata(), fields: message.fields, parent, holders: 1 };
    spans.insert(number, span);
    Id::from_u64(number)
}

/// Adds fields that were not known when the span was made.
pub(super) fn record(id: &Id, values: &Record<'_>) {
    let mut message = Message::default();
    values.record(&mut message);
    if let Some(span) = spans().get_mut(&id.into_u64()) {
        span.fields.push_str(&message.fields);
    }
}

fn hold(spans: &mut HashMap<u64, Span>, number: u64) -> bool {
    let span = spans.get_mut(&number);
    span.map(|span| span.holders += 1).is_some()
}

pub(super) fn hold_one_more(id: &Id) {
    hold(&mut spans(), id.into_u64());
}

/// One refers to it no more. Whether it was the last.
pub(super) fn release(id: &Id) -> bool {
    let (mut spans, mut next, mut is_gone) = (spans(), Some(id.into_u64()), false);
    while let Some(number) = next.take() {
        let Some(span) = spans.get_mut(&number) else { break };
        span.holders -= 1;
        if span.holders == 0 {
            is_gone |= number == id.into_u64();
            next = spans.remove(&number).and_then(|span| span.parent);
        }
    }
    is_gone
}

pub(super) fn enter(id: &Id) {
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(id.into_u64()));
}

pub(super) fn exit(id: &Id) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if let Some(place) = entered.iter().rposition(|number| *number == id.into_u64()) {
            entered.remove(place);
        }
    });
}

/// What `tracing` asks for by `Span::current()`.
pub(super) fn current_of_tracing() -> Current {
    let current = current().and_then(|number| Some((number, spans().get(&number)?.metadata)));
    current.map_or_else(Current::none, |(number, metadata)| Current::new(Id::from_u64(number), metadata))
}

/// Puts the spans from the outermost to this one before a message: `job{name=text.upper}:page{number=7}: `.
pub(super) fn write_path(innermost: Option<u64>, message: &mut String) {
    let spans = spans();
    let mut path: Vec<_> =
        std::iter::successors(innermost.and_then(|number| spans.get(&number)), |span| spans.get(&span.parent?))
            .collect();
    path.reverse();
    for (i, span) in path.iter().enumerate() {
        message.push_str(if i == 0 { "" } else { ":" });
        message.push_str(span.metadata.name());
        if let Some(fields) = span.fields.strip_prefix(' ') {
            message.extend(["{", fields, "}"]);
        }
    }
    if !path.is_empty() {
        message.push_str(": ");
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Instrument, Level, Span};

    use super::*;
    use crate::log;

    #[test]
    fn a_span_is_kept_as_long_as_somebody_refers_to_it_or_to_its_child() {
        let _alone = log::TEST.lock().unwrap_or_else(PoisonError::into_inner);
        log::set(5, Some(Box::new(|_, _, _| {}))).unwrap();
        let outer = tracing::span!(Level::ERROR, "outer", n = 1);
        let number = outer.id().unwrap().into_u64();
        let inner = outer.in_scope(|| tracing::span!(Level::ERROR, "inner"));
        let (copy, inside) = (inner.clone(), inner.id().unwrap().into_u64());
        let path = || {
            let mut path = String::new();
            write_path(Some(inside), &mut path);
            path
        };
        drop((outer, inner));
        assert_eq!(path(), "outer{n=1}:inner: ");
        assert!(copy.in_scope(|| Span::current().id()) == copy.id() && current() != Some(inside));
        drop(async {}.instrument(copy));
        assert!(!spans().contains_key(&inside) && !spans().contains_key(&number));
        assert_eq!(path(), "");
        log::set(0, None).unwrap();
    }
}

//! One execution of a job: the function's future, with its result converted to a reply.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::reply::{Format, Reply};

/// A job that was called and not polled. Sent between threads, so that its first poll may be on the calling thread and
/// the next on the runner's.
pub type JobFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// The function's future as a job's. What is no reply is said of the function's result, not here.
pub fn future<F, R>(job: F, into_reply: R) -> JobFuture
where
    F: Future<Output: 'static> + Send + 'static,
    R: Fn(F::Output) -> Reply + Send + 'static,
{
    Box::pin(Replying { job, into_reply })
}

/// The format of the one argument that takes the payload; bytes if none does.
pub const fn input_format(payloads: &[Option<Format>]) -> Format {
    let (found, is_one) = only(payloads);
    assert!(is_one, "only one argument of a job can take its payload");
    match found {
        Some(format) => format,
        None => Format::Bytes,
    }
}

/// The format of the one argument that sends items.
pub const fn items_format(items: &[Option<Format>]) -> Option<Format> {
    let (found, is_one) = only(items);
    assert!(is_one, "only one argument of a job can send its items");
    found
}

/// The one format that is there, and whether there is no second one.
const fn only(formats: &[Option<Format>]) -> (Option<Format>, bool) {
    let mut found = None;
    let mut i = 0;
    while i < formats.len() {
        if formats[i].is_some() {
            if found.is_some() {
                return (found, false);
            }
            found = formats[i];
        }
        i += 1;
    }
    (found, true)
}

pin_project_lite::pin_project! {
    /// An async block would hold the job's state twice.
    struct Replying<F, R> {
        #[pin]
        job: F,
        into_reply: R,
    }
}

impl<F: Future, R: Fn(F::Output) -> Reply> Future for Replying<F, R> {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let this = self.project();
        this.job.poll(cx).map(this.into_reply)
    }
}

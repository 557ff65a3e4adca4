//! What turns an async function into a job: it takes the arguments from the request, calls the function and converts
//! its result to a reply.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::extract::FromRequest;
use super::output::IntoReply;
use super::request::Request;
use crate::reply::{Format, JobError, Reply};

/// A job that was called and not polled. Sent between threads, so that its first poll may be on the calling thread and
/// the next on the runner's.
pub(crate) type JobFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// An async function that can be a job: up to eight extractors in, something that converts to a reply out.
pub trait Handler<Arguments>: Send + Sync + 'static {
    /// The format of the payload.
    const INPUT: Format;
    /// The format of a successful reply.
    const OUTPUT: Format;

    #[doc(hidden)]
    fn call(&self, request: &mut Request<'_>) -> Result<JobFuture, JobError>;
}

macro_rules! handler {
    ($($argument:ident),*) => {
        impl<Function, Job, $($argument,)*> Handler<($($argument,)*)> for Function
        where
            Function: Fn($($argument,)*) -> Job + Send + Sync + 'static,
            Job: Future<Output: IntoReply> + Send + 'static,
            $($argument: FromRequest,)*
        {
            const INPUT: Format = input_format(&[$($argument::PAYLOAD,)*]);
            const OUTPUT: Format = <Job::Output as IntoReply>::FORMAT;

            #[allow(non_snake_case, unused_variables)]
            fn call(&self, request: &mut Request<'_>) -> Result<JobFuture, JobError> {
                const { input_format(&[$($argument::PAYLOAD,)*]) };
                $(let $argument = $argument::from_request(request)?;)*
                Ok(Box::pin(Replying { job: self($($argument,)*) }))
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, E);
handler!(A, B, C, D, E, F);
handler!(A, B, C, D, E, F, G);
handler!(A, B, C, D, E, F, G, H);

/// The format of the one argument that takes the payload; bytes if none does.
const fn input_format(payloads: &[Option<Format>]) -> Format {
    let mut found = None;
    let mut i = 0;
    while i < payloads.len() {
        if payloads[i].is_some() {
            assert!(found.is_none(), "only one argument of a job can take its payload");
            found = payloads[i];
        }
        i += 1;
    }
    match found {
        Some(format) => format,
        None => Format::Bytes,
    }
}

pin_project_lite::pin_project! {
    /// The job's future with its output converted. An async block would hold the job's state twice.
    struct Replying<Job> {
        #[pin]
        job: Job,
    }
}

impl<Job: Future<Output: IntoReply>> Future for Replying<Job> {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Reply> {
        self.project().job.poll(cx).map(IntoReply::into_reply)
    }
}

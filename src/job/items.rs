//! The stream of a job whose items are of one type, which its description names.

use std::fmt;
use std::marker::PhantomData;

use super::extract::{Context, FromRequest};
use super::output::IntoReply;
use super::request::Request;
use crate::reply::{Format, JobError};

/// The stream of a job, as its argument: a job that takes it streams items, each a `T`, and hosts can read so in its
/// description. [`Context::send`] sends items of any type, and the description then names none.
///
/// ```
/// use palitra::{Items, JobError, Json, Runner, job};
///
/// /// Counts to a number.
/// #[job("doc.numbers")]
/// async fn count(items: Items<Json<u32>>, Json(n): Json<u32>) -> Result<(), JobError> {
///     for i in 1..=n {
///         items.send(Json(i)).await?;
///     }
///     Ok(())
/// }
///
/// let runner = Runner::new()?;
/// let token = runner.submit_job("doc.numbers", "2")?;
/// assert_eq!(token.next(None)?.expect("an item").text(), "1");
/// assert_eq!(token.next(None)?.expect("an item").text(), "2");
/// assert!(token.next(None)?.is_none());
/// # Ok::<(), palitra::Error>(())
/// ```
pub struct Items<T> {
    context: Context,
    item: PhantomData<fn(T)>,
}

impl<T: IntoReply> FromRequest for Items<T> {
    const ITEMS: Option<Format> = Some(T::FORMAT);

    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        Context::from_request(request).map(Items::from)
    }
}

impl<T: IntoReply> Items<T> {
    /// Sends one item. Waits while the reader has enough to read: a slow reader slows the job.
    ///
    /// # Errors
    /// As [`Context::send`].
    pub async fn send(&self, item: T) -> Result<(), JobError> {
        self.context.send(item).await
    }
}

impl<T> From<Context> for Items<T> {
    fn from(context: Context) -> Self {
        Items { context, item: PhantomData }
    }
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        Items::from(self.context.clone())
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.context).finish()
    }
}

//! What the jobs of one runner share: at most one value of each type, made at first use.
//!
//! # States
//!
//! ```text
//!             the first job asks                    made
//!   Vacant ───────────────────────► Being made ───────────► Made ── the runner ends ──► Closed
//!     ▲                                 │ failed, panicked
//!     └─────────────────────────────────┘
//! ```
//!
//! # Guarantees
//!
//! * A value with a `Default` is made by the job that asks first, on its thread.
//! * Any other is made by a task of the runner's: a call that ends early, by a timeout or a cancel, does not end it, and
//!   the next job finds what it has made. It is never polled on a thread of the host.
//! * Jobs that ask while it is being made wait for that one attempt and share its failure. The next job tries again.
//! * It is closed when the last job has ended, while the runtime still runs: see [`States::close`].

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;

use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::task::{JoinError, JoinHandle};

use crate::configuration::Configuration;
use crate::reply::JobError;

/// A type that the jobs of a runner can share through [`State<T>`](super::State).
///
/// Any type with a `Default` is one. Implement it by hand for what is configured, takes time to be made, can fail, or
/// says goodbye:
///
/// ```
/// use palitra::{JobError, RunnerState};
/// use serde::Deserialize;
/// use tokio::net::TcpStream;
/// use tokio::sync::Mutex;
///
/// struct Printer(Mutex<TcpStream>);
///
/// #[derive(Deserialize)]
/// struct Config {
///     address: String,
/// }
///
/// impl RunnerState for Printer {
///     const NAME: &str = "printer"; // configured by {"printer": {"address": "10.0.0.5:9100"}}
///     type Config = Config;
///
///     async fn create(config: Config) -> Result<Self, JobError> {
///         Ok(Printer(Mutex::new(TcpStream::connect(config.address).await?)))
///     }
///
///     async fn close(&self) {
///         let _ = self.0.lock().await.writable().await;
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the jobs of a runner cannot share a `{Self}`",
    label = "no `State` can hold this",
    note = "they share what is `Send + Sync + 'static` and has a `Default`, or implements `palitra::RunnerState` where making it can fail"
)]
pub trait RunnerState: Send + Sync + Sized + 'static {
    /// The name of its part of the configuration: see [`Options::config`](crate::Options::config) and
    /// [`configure`](crate::configure).
    const NAME: &str;

    /// What that part holds; `()` for what is not configured. Without such a part it is what can be read from an empty
    /// object, so one whose fields all have defaults has them.
    type Config: DeserializeOwned + Send + 'static;

    /// Makes the value, as a task on the runner's runtime. An error fails the jobs that wait for it; the next one tries
    /// again.
    fn create(config: Self::Config) -> impl Future<Output = Result<Self, JobError>> + Send;

    /// Is called once when the runner ends: after its last job, before the value is dropped, on the runner's thread.
    /// May still use sockets and timers. It has half a second beyond the grace period of the shutdown, or of a later one
    /// that ends first; what takes longer is dropped.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The value, if it is made at once.
    #[doc(hidden)]
    fn at_once() -> Option<Self> {
        None
    }
}

impl<T: Default + Send + Sync + 'static> RunnerState for T {
    const NAME: &str = "";
    type Config = IgnoredAny;

    async fn create(_config: IgnoredAny) -> Result<Self, JobError> {
        Ok(T::default())
    }

    #[doc(hidden)]
    fn at_once() -> Option<Self> {
        Some(T::default())
    }
}

/// The values of one runner.
#[derive(Default)]
pub(crate) struct States {
    configuration: Arc<Configuration>,
    places: Mutex<HashMap<TypeId, Arc<dyn AnyPlace>>>,
}

/// Makes a value that is missing.
pub(crate) type Making = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

/// Where a job finds its value.
pub(crate) enum Found<T> {
    Made(Arc<T>),
    /// Once this is done, it is to be looked for again.
    Missing(Making),
}

impl States {
    pub(crate) fn new(configuration: Configuration) -> States {
        States { configuration: Arc::new(configuration), places: Mutex::default() }
    }

    /// The runner's `T`. No lock that others need is held while it is made.
    pub(crate) fn find<T: RunnerState>(&self) -> Result<Found<T>, JobError> {
        let place = self.place::<T>()?;
        if let Some(value) = place.value.get() {
            return Ok(Found::Made(Arc::clone(value)));
        }
        if let Some(value) = place.make_at_once() {
            return Ok(Found::Made(value));
        }
        Ok(Found::Missing(Box::pin(place.make(Arc::clone(&self.configuration)))))
    }

    fn place<T: RunnerState>(&self) -> Result<Arc<Place<T>>, JobError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(Place::<T>::new()));
        let place: Arc<dyn Any + Send + Sync> = Arc::clone(place) as _;
        place.downcast().map_err(|_| JobError::from("a state of another type stands in its place"))
    }

    /// Closes every value at the same time, then drops them. Called when the last job has gone, within the runtime.
    /// What is not closed once the time is up is dropped as it is.
    pub(crate) async fn close(&self, time_is_up: impl Future<Output = ()>) {
        let places = std::mem::take(&mut *self.places.lock().unwrap_or_else(PoisonError::into_inner));
        let mut closing: Vec<_> = places.into_values().map(|place| tokio::spawn(place.close())).collect();
        {
            let mut time_is_up = pin!(time_is_up);
            let mut all = pin!(async {
                for closed in &mut closing {
                    // A panic in one leaves the others their time.
                    drop(closed.await);
                }
            });
            poll_fn(|cx| match all.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => time_is_up.as_mut().poll(cx),
            })
            .await;
        }
        closing.iter().for_each(JoinHandle::abort);
    }
}

/// Where the value of one type stands once it is made.
struct Place<T> {
    value: OnceLock<Arc<T>>,
    /// Held by the job that makes it at once.
    making_now: Mutex<()>,
    /// Held by the task that makes it: how the last attempt failed.
    making: Arc<tokio::sync::Mutex<Option<JobError>>>,
    /// How many attempts have failed.
    failed: AtomicU64,
}

impl<T: RunnerState> Place<T> {
    fn new() -> Place<T> {
        Place { value: OnceLock::new(), making_now: Mutex::new(()), making: Arc::default(), failed: AtomicU64::new(0) }
    }

    /// The value of a type that is made at once, by the first who asks; the others wait for it.
    fn make_at_once(&self) -> Option<Arc<T>> {
        let _making = self.making_now.lock().unwrap_or_else(PoisonError::into_inner);
        match self.value.get() {
            Some(value) => Some(Arc::clone(value)),
            None => T::at_once().map(|made| Arc::clone(self.value.get_or_init(|| Arc::new(made)))),
        }
    }

    /// Makes the value, or waits for the attempt that is under way.
    async fn make(self: Arc<Self>, configuration: Arc<Configuration>) -> Result<(), JobError> {
        let failed = self.failed.load(Ordering::SeqCst);
        let mut last_error = Arc::clone(&self.making).lock_owned().await;
        if self.value.get().is_some() {
            return Ok(());
        }
        if let Some(error) = last_error.as_ref().filter(|_| failed != self.failed.load(Ordering::SeqCst)) {
            return Err(error.clone());
        }
        let attempt = tokio::spawn(async move {
            match create::<T>(&configuration).await {
                Ok(made) => drop(self.value.set(Arc::new(made))),
                Err(error) => {
                    self.failed.fetch_add(1, Ordering::SeqCst);
                    *last_error = Some(error.clone());
                    return Err(error);
                }
            }
            Ok(())
        });
        match attempt.await.map_err(JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(JobError::from("the runner has ended")),
        }
    }
}

async fn create<T: RunnerState>(configuration: &Configuration) -> Result<T, JobError> {
    let config = configuration.read(T::NAME).map_err(|error| {
        let (name, of) = (T::NAME, type_name::<T>());
        JobError::from(format!("the configuration \"{name}\", of {of}, does not fit: {error}"))
    })?;
    T::create(config).await
}

/// A place of any type.
trait AnyPlace: Any + Send + Sync {
    fn close(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<T: RunnerState> AnyPlace for Place<T> {
    fn close(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if let Some(value) = self.value.get() {
                value.close().await;
            }
        })
    }
}

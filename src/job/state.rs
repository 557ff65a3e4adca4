//! What the jobs of one runner share: at most one value of each type, made at first use.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::reply::JobError;

/// A type that the jobs of a runner can share through [`State<T>`](super::State).
///
/// Any type with a `Default` is one. Implement it by hand where making the value can fail:
///
/// ```
/// use palitra::{JobError, RunnerState};
///
/// struct Settings { home: std::ffi::OsString }
///
/// impl RunnerState for Settings {
///     fn create() -> Result<Self, JobError> {
///         let home = std::env::var_os("HOME").ok_or("HOME is not set")?;
///         Ok(Settings { home })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the jobs of a runner cannot share a `{Self}`",
    label = "no `State` can hold this",
    note = "they share what is `Send + Sync + 'static` and has a `Default`, or implements `palitra::RunnerState` where making it can fail"
)]
pub trait RunnerState: Send + Sync + Sized + 'static {
    /// Makes the value, within the runner's runtime. An error fails the job that asked; the next one tries again.
    fn create() -> Result<Self, JobError>;
}

impl<T: Default + Send + Sync + 'static> RunnerState for T {
    fn create() -> Result<Self, JobError> {
        Ok(T::default())
    }
}

type Value = Arc<dyn Any + Send + Sync>;

/// The values of one runner.
#[derive(Default)]
pub(crate) struct States {
    values: Mutex<HashMap<TypeId, Arc<Place>>>,
}

/// Where the value of one type stands once it is made.
#[derive(Default)]
struct Place {
    value: OnceLock<Value>,
    /// Held by the one who makes it.
    making: Mutex<()>,
}

impl Place {
    /// The value, made by the first who asks; the others wait for it, and if it fails the next one tries.
    fn get_or_make(&self, make: impl FnOnce() -> Result<Value, JobError>) -> Result<Value, JobError> {
        if let Some(value) = self.value.get() {
            return Ok(Arc::clone(value));
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        match self.value.get() {
            Some(value) => Ok(Arc::clone(value)),
            None => make().map(|made| Arc::clone(self.value.get_or_init(|| made))),
        }
    }
}

impl States {
    /// The runner's `T`. No lock that others need is held while it is made.
    pub(crate) fn get<T: RunnerState>(&self) -> Result<Arc<T>, JobError> {
        let place = {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(values.entry(TypeId::of::<T>()).or_default())
        };
        let value = place.get_or_make(|| Ok(Arc::new(T::create()?)))?;
        value.downcast::<T>().map_err(|_| JobError::from("a state of another type stands in its place"))
    }

    /// Drops every value. Called when the last job has gone.
    pub(crate) fn clear(&self) {
        let values = std::mem::take(&mut *self.values.lock().unwrap_or_else(PoisonError::into_inner));
        drop(values);
    }
}

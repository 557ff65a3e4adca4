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
    values: Mutex<HashMap<TypeId, Arc<OnceLock<Value>>>>,
}

impl States {
    /// The runner's `T`. The lock is not held while it is made, so a value may ask for another in its making.
    pub(crate) fn get<T: RunnerState>(&self) -> Result<Arc<T>, JobError> {
        let cell = {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(values.entry(TypeId::of::<T>()).or_default())
        };
        let value = match cell.get() {
            Some(value) => Arc::clone(value),
            None => {
                let made: Value = Arc::new(T::create()?);
                // Another thread may have been quicker: its value is the one that all share.
                Arc::clone(cell.get_or_init(|| made))
            }
        };
        value.downcast::<T>().map_err(|_| JobError::from("a state of another type stands in its place"))
    }

    /// Drops every value. Called when the last job has gone.
    pub(crate) fn clear(&self) {
        let values = std::mem::take(&mut *self.values.lock().unwrap_or_else(PoisonError::into_inner));
        drop(values);
    }
}

//! The `OnceLock` of a model: loom has none. The value is std's to keep; who sees it is loom's to try.

use super::{AtomicBool, Mutex, Ordering, lock};

pub(crate) struct OnceLock<T> {
    made: AtomicBool,
    making: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> OnceLock<T> {
        OnceLock { made: AtomicBool::new(false), making: Mutex::new(()), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.made.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        // Not loaded in vain: loom tries a store before another thread's load only if that was the last access.
        if self.value.get().is_some()
            && let Some(value) = self.get()
        {
            return value;
        }
        let _making = lock(&self.making);
        let is_new = self.value.get().is_none();
        let value = self.value.get_or_init(init);
        if is_new {
            self.made.store(true, Ordering::Release);
        }
        value
    }
}

//! The jobs that benches/python awaits, as a crate writes them that knows pyo3-async-runtimes and not palitra: each
//! call returns an awaitable of the running asyncio loop, whose future runs on that crate's tokio runtime.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_async_runtimes::tokio::{future_into_py, get_runtime};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};

/// As many items wait in a stream of palitra by default.
const WAITING_ITEMS: usize = 16;

/// Returns its payload.
#[pyfunction]
fn echo(py: Python<'_>, payload: Vec<u8>) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move { Ok(Bytes(payload)) })
}

/// Sleeps and returns for how long.
#[pyfunction]
fn sleep(py: Python<'_>, seconds: f64) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        Ok(seconds)
    })
}

/// Streams "0", "1" and so on, for `async for`.
#[pyfunction]
fn stream(items: u64) -> Stream {
    let (sender, receiver) = channel(WAITING_ITEMS);
    get_runtime().spawn(async move {
        for n in 0..items {
            if sender.send(n.to_string()).await.is_err() {
                return;
            }
        }
    });
    Stream(Arc::new(Mutex::new(receiver)))
}

/// An asynchronous iterator over what a task sends.
#[pyclass]
struct Stream(Arc<Mutex<Receiver<String>>>);

#[pymethods]
impl Stream {
    fn __aiter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let receiver = self.0.clone();
        future_into_py(py, async move {
            let item = receiver.lock().await.recv().await;
            item.ok_or_else(|| PyStopAsyncIteration::new_err(()))
        })
    }
}

/// A payload, which becomes `bytes` and not a list of numbers.
struct Bytes(Vec<u8>);

impl<'py> IntoPyObject<'py> for Bytes {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBytes::new(py, &self.0))
    }
}

#[pymodule]
fn palitra_python_rival(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(echo, module)?)?;
    module.add_function(wrap_pyfunction!(sleep, module)?)?;
    module.add_function(wrap_pyfunction!(stream, module)?)
}

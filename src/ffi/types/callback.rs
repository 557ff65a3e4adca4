//! Callback: a function of the program that the library calls. Every callback takes a pointer to
//! user data, and is registered together with a function that frees this data.

use std::ffi::c_void;

/// Frees the user data of a callback. The library calls it exactly once, on any thread, whether or
/// not the callback was called or registered; palitra_runner_options has the one exception. NULL:
/// there is nothing to free.
pub type palitra_free_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

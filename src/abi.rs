//! The C functions, one file for each C noun. Each is a few lines over the rooms of the library.
//!
//! The doc comments become include/palitra.h: build.rs has cbindgen write it from these files and from
//! `ffi::types`, in the order in which they are listed there.
//!
//! Every function enters through [`boundary`](crate::ffi::boundary), so no panic reaches the caller. What a
//! caller promises about its pointers stands in [`crate::ffi`] and at the top of the header.

// Exported names are an unsafe attribute; the conversions themselves are macros of `ffi`.
#![allow(unsafe_code)]
// The promise is the same for all and stands at the top of the header.
#![allow(clippy::missing_safety_doc)]

pub mod library;
pub mod queue;
pub mod runner;
pub mod token;

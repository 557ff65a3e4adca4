//! The structs, numbers and callback types of the C ABI, in one file for each section of include/palitra.h.
//!
//! The doc comments are the header's: see [`crate::abi`]. These files use nothing else of the crate, so that
//! tests/header can compile them by themselves and compare their layouts with the header's.

#![allow(non_camel_case_types)]

pub mod call;
pub mod callback;
pub mod handle;
pub mod http;
pub mod job;
pub mod log;
pub mod queue;
pub mod reply;
pub mod runner;
pub mod stats;
pub mod status;
pub mod submit;
pub mod token;
pub mod wait;

//! The C functions, one file for each section of include/palitra.h. Each is a few lines over the rooms of the library.
//!
//! The doc comments become the header's: `build/header.rs` has cbindgen write it from these files and from
//! [`ffi::types`](crate::ffi::types). A section has the order of its files: first the types, then the functions. The
//! first paragraph of a file's page, as of the one that you read, is the line that names the section.
//!
//! A doc comment says what the function does, then has a line for each parameter (`@param`: what it is, whether NULL is
//! allowed, who owns it) and a list of what is returned (`@return`: every status with its condition). A status that
//! every function can return, and what holds for all threads and pointers, stands once, at the top of the header.
//!
//! Every function enters through [`boundary`](crate::ffi::boundary), so no panic reaches the host. What a host must see
//! to about its pointers is in [`crate::ffi`].

// Exported names are an unsafe attribute; the conversions themselves are macros of `ffi`.
#![allow(unsafe_code)]
// What a host must see to is the same for all and stands at the top of the header.
#![allow(clippy::missing_safety_doc)]

pub mod call;
mod http;
pub mod job;
pub mod library;
pub mod log;
pub mod queue;
pub mod queued;
pub mod reply;
pub mod runner;
pub mod stats;
pub mod status;
pub mod submit;
pub mod token;
pub mod wait;

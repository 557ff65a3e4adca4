//! Every system call of the library, one room a subject, and the one list that is made of pointers.
//!
//! Each room hides the calls and their pointers behind safe functions. What a result means to the library is for the
//! rooms that use it to say.
//!
//! | room | what it holds |
//! |---|---|
//! | [`clock`] | a clock that costs next to nothing |
//! | [`eventfd`] | a descriptor that is readable while marks are in it |
//! | [`files`] | files that several may want to write, and locks on them |
//! | [`fork`] | hooks in forked children, and values that each process has for itself |
//! | [`inbox`] | a list that every thread may add to, without waiting for anybody |
//! | [`processors`] | how many processors a thread may use |
//! | [`signals`] | which signals a thread blocks, and which the programs that it starts find blocked |
//! | [`stack`] | where a thread is on its stack, and where that ends |
//! | [`threads`] | whether threads can be made, and when one is gone |

// System calls take pointers, and the values that `fork` keeps are behind one.
#![allow(unsafe_code)]

pub(crate) mod clock;
pub(crate) mod eventfd;
#[cfg(feature = "http")]
pub(crate) mod files;
pub(crate) mod fork;
pub(crate) mod inbox;
pub(crate) mod processors;
pub(crate) mod signals;
pub(crate) mod stack;
pub(crate) mod threads;

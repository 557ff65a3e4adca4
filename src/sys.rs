//! What the library asks of the operating system about its own threads.
//!
//! | room | what it holds |
//! |---|---|
//! | [`signals`] | which signals a thread blocks, and which the programs that it starts find blocked |
//! | [`threads`] | finding out whether threads can be made, and when one is gone |

pub(crate) mod signals;
pub(crate) mod threads;

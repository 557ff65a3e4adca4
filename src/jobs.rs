//! The jobs that ship with the library, registered like any other.
//!
//! | job | payload | reply |
//! |---|---|---|
//! | `palitra.echo` | bytes | the same bytes |
//! | `palitra.sleep` | `{"seconds": 0.5}` | the same, after that time |
//! | `http.get`, `http.request`, `http.bytes`, `http.fetch`, `http.stream`, `http.download` | see the room `http`, feature `http` | |

mod echo;
#[cfg(feature = "http")]
pub mod http;
mod sleep;

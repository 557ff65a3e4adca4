//! Services for hosts in any language: PostgreSQL, Redis, NATS and a store of objects.
//!
//! `cargo build --release` leaves `libexample_services.so`, which exports the C ABI of include/palitra.h and holds
//! these jobs beside palitra's own. The host configures, once, what it uses; what it does not name is never connected
//! to:
//!
//! ```json
//! {
//!     "pg": {"url": "postgresql://user@localhost:5432/shop", "connections": 8},
//!     "redis": {"url": "redis://localhost:6379"},
//!     "nats": {"url": "nats://localhost:4222"},
//!     "objects": {"root": "/srv/objects"}
//! }
//! ```
//!
//! | job | payload | reply |
//! |---|---|---|
//! | [`pg.query`](pg) | `{"sql", "parameters"}` | `{"rows", "affected"}` |
//! | `pg.rows` | the same | a stream of rows; how many |
//! | `pg.transaction` | a list of the same | a list of the replies of `pg.query` |
//! | `pg.listen` | a channel | a stream of `{"channel", "payload"}` |
//! | [`redis.command`](redis) | `["INCR", "visits"]` | what Redis replies, as JSON |
//! | [`nats.publish`](nats) | `{"subject"}`, a line feed, bytes | nothing |
//! | `nats.subscribe` | a subject | a stream of the same |
//! | [`objects.write`](objects) | `{"path"}`, a line feed, bytes | `{"bytes"}` |
//! | `objects.read` | a path | a stream of bytes; `{"bytes"}` |
//! | `objects.list` | a folder | `[{"path", "bytes"}]` |
//!
//! A failure has a message that begins with the service's name, and a code: [`code`], or PostgreSQL's own.

use std::time::Duration;

mod nats;
mod objects;
mod pg;
mod redis;

/// The longest that anything here waits for a connection. A host bounds the rest by its own timeouts and deadlines.
const PATIENCE: Duration = Duration::from_secs(5);

/// The codes of failures, for all services alike. Those of PostgreSQL's statements are made of its SQLSTATE.
mod code {
    /// The service is not there, or the connection broke: whether the work was done is not known.
    pub const UNREACHABLE: i32 = 1;
    /// The service refused: the message says why.
    pub const REFUSED: i32 = 2;
    /// There is no such object.
    pub const NOT_FOUND: i32 = 3;
}

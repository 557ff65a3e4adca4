//! PostgreSQL: statements with parameters, rows as a stream, transactions, notifications.
//!
//! | room | what it has |
//! |---|---|
//! | `pool` | the connections, and what becomes of one whose job was cancelled |
//! | `server` | where it is, and how to cancel |
//! | `statement` | SQL with parameters, out of JSON |
//! | `row` | rows as JSON |
//! | `failure` | what went wrong, as code and message |
//! | `query`, `transaction`, `listen` | the jobs |

mod failure;
mod listen;
mod pool;
mod query;
mod row;
mod server;
mod statement;
mod transaction;

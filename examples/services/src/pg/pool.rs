//! The connections to PostgreSQL that the jobs of a runner share: made as jobs need them, so many and no more.
//!
//! # What becomes of a connection whose job is cancelled
//!
//! A job that is cancelled or past its deadline is dropped at an await, and its [`Connection`] with it. The statement
//! that it waited for is still under way: given to the next job like that, the connection would make it wait for as
//! long as the statement takes. So a connection that was not given back by [`Connection::give_back`] is cleaned first,
//! by a task: the server is asked to cancel the statement, and the pool has the connection again when it is idle.
//! Meanwhile it counts among the pool's connections, so there are never more of them.

use std::ops::Deref;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use palitra::{JobError, RunnerState};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::failure::{Failure, misfit};
use super::server::Server;
use crate::PATIENCE;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `postgresql://user:password@host:port/database`, or the same as `host=... user=...`.
    url: String,
    /// How many connections there are at most.
    #[serde(default = "Config::connections")]
    connections: usize,
}

impl Config {
    fn connections() -> usize {
        8
    }
}

pub struct Postgres {
    pool: Pool,
    /// What the pool connects to, for connections outside the pool.
    pub server: Server,
}

impl RunnerState for Postgres {
    const NAME: &str = "pg";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        let server = Server::new(&config.url)?;
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(server.config.clone(), NoTls, manager))
            .max_size(config.connections.max(1))
            .create_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(misfit)?;
        Ok(Postgres { pool, server })
    }

    /// Nothing is asked any more: the idle connections are closed, and one that is being cleaned when it comes back.
    async fn close(&self) {
        self.pool.close();
    }
}

impl Postgres {
    /// A connection for one job. Waits until one is free, as long as the job has time.
    pub async fn connection(&self) -> Result<Connection, Failure> {
        let client = Some(self.pool.get().await?);
        Ok(Connection { client, undo: "", server: self.server.clone(), tasks: Handle::current() })
    }
}

/// A connection that one job has for a while.
pub struct Connection {
    /// `None` once it has been given back.
    client: Option<Object>,
    /// The statement that takes back what a job leaves that is dropped.
    undo: &'static str,
    server: Server,
    tasks: Handle,
}

impl Connection {
    /// From now on a job that is dropped leaves a transaction to be rolled back.
    pub fn roll_back_if_dropped(&mut self) {
        self.undo = "ROLLBACK";
    }

    /// The job has seen the end of all that it asked.
    pub fn give_back(mut self) {
        self.client = None;
    }
}

impl Deref for Connection {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.client.as_ref().expect("only `give_back`, which consumes it, takes the client out")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let (server, undo) = (self.server.clone(), self.undo);
        self.tasks.spawn(async move {
            if !matches!(timeout(PATIENCE, clean(&client, &server, undo)).await, Ok(Ok(()))) {
                drop(Object::take(client)); // closed: the pool makes another in its place
            }
        });
    }
}

/// Leaves the connection idle, outside any transaction.
async fn clean(client: &Object, server: &Server, undo: &str) -> Result<(), Failure> {
    server.cancel(client.cancel_token()).await?;
    // Should the job's statement have ended by itself, the cancel meets this one, or nothing.
    let _ = client.batch_execute("").await;
    Ok(client.batch_execute(undo).await?)
}

//! Where PostgreSQL is, and how to ask it to cancel a statement.

use palitra::JobError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::Host;
use tokio_postgres::{CancelToken, Config, NoTls};

use super::failure::{Failure, misfit};
use crate::PATIENCE;

#[derive(Clone)]
pub struct Server {
    pub config: Config,
    host: Host,
    port: u16,
}

impl Server {
    /// One server: a cancel must go where the connection went.
    pub fn new(url: &str) -> Result<Server, JobError> {
        let mut config: Config = url.parse().map_err(misfit)?;
        config.connect_timeout(PATIENCE);
        match (config.get_hosts(), config.get_hostaddrs()) {
            ([host], []) => {
                let (host, port) = (host.clone(), config.get_ports().first().copied().unwrap_or(5432));
                Ok(Server { config, host, port })
            }
            _ => Err(misfit("the url must name one host, and no hostaddr")),
        }
    }

    /// Has the server cancel what a connection is doing, and waits until it has tried. `CancelToken::cancel_query` does
    /// not wait: its cancel may come late, and meet the statement of the job that has the connection by then.
    pub async fn cancel(&self, token: CancelToken) -> Result<(), Failure> {
        match &self.host {
            Host::Tcp(name) => ask(token, TcpStream::connect((name.as_str(), self.port)).await?).await,
            Host::Unix(folder) => {
                ask(token, UnixStream::connect(folder.join(format!(".s.PGSQL.{}", self.port))).await?).await
            }
        }
    }
}

/// Asks on a connection of its own, which the server closes when it has signalled the process of the other.
async fn ask(token: CancelToken, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Failure> {
    token.cancel_query_raw(&mut stream, NoTls).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

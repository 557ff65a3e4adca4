//! Names become addresses: those that the host has set, else as the system resolves them, on threads of their own,
//! because that blocks.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::background;

/// Lookups of one runner at a time, each a thread. Enough that a few names whose servers are silent stop no others.
const AT_A_TIME: usize = 64;

#[derive(Clone)]
pub(super) struct Resolver {
    turns: Arc<Semaphore>,
    set: Arc<HashMap<String, Vec<IpAddr>>>,
}

impl Resolver {
    /// `set`: the addresses of names that are not looked up, in lower case.
    pub(super) fn new(set: HashMap<String, Vec<IpAddr>>) -> Resolver {
        Resolver { turns: Arc::new(Semaphore::new(AT_A_TIME)), set: Arc::new(set) }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if let Some(addresses) = self.set.get(name.as_str()) {
            // The port is that of the url.
            let addresses: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
            return Box::pin(ready(Ok(addresses.into_iter())));
        }
        let turns = Arc::clone(&self.turns);
        Box::pin(async move {
            let turn = turns.acquire_owned().await;
            let lookup = move || {
                // Until the system has returned, also when nobody waits for it any more.
                let _turn = turn;
                (name.as_str(), 0).to_socket_addrs()
            };
            let refused = |error| io::Error::other(format!("no thread to look the name up on: {error}"));
            let looked_up = background::spawn(lookup).map_err(refused)?.await;
            looked_up.unwrap_or_else(|_| Err(io::Error::other("the lookup ended without a result")))
        })
    }
}

//! Whose turn it is: how many requests are under way at a time, of all and to one host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::{Position, Url};

pub(super) struct Turns {
    all: Semaphore,
    per_host: Option<PerHost>,
}

struct PerHost {
    limit: usize,
    /// Of hosts with requests under way, and some others.
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// The turn of one request, until it is dropped.
pub(super) struct Turn<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_host: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new(all: usize, per_host: Option<usize>) -> Turns {
        let per_host = per_host.map(|limit| PerHost { limit, hosts: Mutex::default() });
        Turns { all: Semaphore::new(all), per_host }
    }

    /// Waits for the turn of a request to this url. It cannot fail: nobody closes the semaphores.
    pub(super) async fn wait(&self, url: &Url) -> Result<Turn<'_>, AcquireError> {
        // First, so that who waits for a host keeps nobody from the others.
        let of_host = match &self.per_host {
            Some(per_host) => Some(per_host.of(url).acquire_owned().await?),
            None => None,
        };
        Ok(Turn { _of_all: self.all.acquire().await?, _of_host: of_host })
    }
}

impl PerHost {
    fn of(&self, url: &Url) -> Arc<Semaphore> {
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = hosts.get(host) {
            return Arc::clone(semaphore);
        }
        hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        Arc::clone(hosts.entry(host.to_string()).or_insert_with(|| Arc::new(Semaphore::new(self.limit))))
    }
}

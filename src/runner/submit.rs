//! Submitting: a job or a future is queued for the runner's threads, and the calling thread never waits.

use std::sync::{Arc, Weak};

use super::callbacks::{Callback, CallbackObserver, When};
use super::core::Core;
use super::registered::Callee;
use super::running::Running;
use super::submission::{Payload, Submitter, Wanted, notify_queue};
use crate::job::{JobFuture, JobRuntime, Registered, States};
use crate::registry;
use crate::reply::{Error, Status};
use crate::token::{HostSide, JobSide, NewToken, Observer, Reading, TokenRef};

impl Core {
    /// Queues a job. Everything that can be wrong is found before the payload is copied.
    pub(crate) fn submit(
        &self,
        submitter: Submitter,
        callee: Callee,
        payload: Payload<'_>,
        wanted: Wanted,
    ) -> Result<HostSide, Status> {
        wanted.check(self.id)?;
        let Wanted { deadline, events, reading, .. } = wanted;
        self.check_payload(payload.len())?;
        let accepted = self.accept(submitter)?;
        let payload = Some(payload.into_vec(callee)?);
        let (host, token) =
            self.make_token(NewToken { runner: self.id, deadline, payload, reading, ..NewToken::default() })?;
        notify_queue(&host, events);
        accepted.hand_over();
        self.lanes.queue(callee.job, token);
        Ok(host)
    }

    /// Queues a future whose output is a reply.
    pub(crate) fn submit_future(&self, future: JobFuture) -> Result<HostSide, Status> {
        let accepted = self.accept(Submitter::Host)?;
        let (host, token) =
            self.make_token(NewToken { runner: self.id, reading: Reading::NOBODY, ..NewToken::default() })?;
        accepted.hand_over();
        Running::new(self.to_arc(), None, future, token).into_task().schedule();
        Ok(host)
    }

    /// Calls `callback` on the runner's thread when the token finishes, or soon if it has. It is dropped uncalled where
    /// that cannot be, or when the host releases the pending token.
    ///
    /// [`Status::ShutDown`] if nothing is called any more, [`Status::Forked`], [`Status::InvalidHandle`].
    pub(crate) fn on_complete(&self, token: TokenRef, callback: Callback) -> Result<(), Status> {
        let observer = self.calling_observer(When::Alive, callback)?;
        match token.observe(&observer, 0)? {
            Status::Pending => {}
            status => observer.notify(0, status),
        }
        Ok(())
    }

    /// Calls `callback` exactly once, unless this fails: when the token has finished or was released, and with
    /// `or_item` also when an item can be read, with [`Status::Pending`] then. Fails as [`Core::on_complete`].
    pub(crate) fn on_ready(&self, token: TokenRef, or_item: bool, callback: Callback) -> Result<(), Status> {
        let observer = self.calling_observer(When::AnyCase, callback)?;
        let ready = match or_item {
            true => token.observe_next_item(&observer)?,
            false => Some(token.observe(&observer, 0)?).filter(|status| *status != Status::Pending),
        };
        if let Some(status) = ready {
            observer.notify(0, status);
        }
        Ok(())
    }

    /// Takes `callback` to the runner's thread when it is notified.
    fn calling_observer(&self, when: When, callback: Callback) -> Result<Arc<dyn Observer>, Status> {
        self.check_process()?;
        if self.callbacks.is_closed() {
            return Err(Status::ShutDown);
        }
        let core = Weak::clone(self.weak());
        let dispatch = move |callback: Callback, status: Status| match core.upgrade() {
            Some(core) => {
                core.callbacks.add(when, callback, status);
                core.lanes.ring_for_control();
            }
            None if when == When::AnyCase => callback(status),
            None => drop(callback),
        };
        Ok(Arc::new(CallbackObserver::new(when, callback, dispatch)))
    }
}

impl JobRuntime for Core {
    fn states(&self) -> &States {
        &self.states
    }

    fn make_token(&self, reading: Reading) -> Result<(HostSide, JobSide), Status> {
        Core::make_token(self, NewToken { runner: self.id, reading, ..NewToken::default() })
    }

    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error> {
        let callee = self.find_job(job.as_bytes()).ok_or_else(|| registry::unknown_job(job))?;
        Ok(Core::submit(self, Submitter::Job, callee, Payload::Owned(payload), Wanted::default())?)
    }

    fn registered(&self, number: u32) -> Option<Registered> {
        self.registered.function(number)
    }

    fn to_arc(&self) -> Arc<dyn JobRuntime> {
        Core::to_arc(self)
    }
}

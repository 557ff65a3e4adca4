//! A simulated host's thread: it does a few things that a program may do, in any order.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering as Std;

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use super::super::callbacks::Callback;
use super::super::{Callee, EventsWanted, Payload, PolledInline, Submitter, Wanted};
use super::world::World;
use crate::deadline::Until;
use crate::gather::{self, Tokens};
use crate::job::JobFuture;
use crate::reply::{Format, JobError, Reply, Status};
use crate::token::{HostSide, Reading};

/// Yields as often as the payload's first byte says, and fails if the second is 1.
#[palitra::job("simulated.work")]
async fn work(payload: Vec<u8>) -> Result<Vec<u8>, JobError> {
    for _ in 0..payload[0] {
        yield_now().await;
    }
    if payload[1] == 1 { Err(JobError::new(7, "as it was told")) } else { Ok(payload) }
}

/// Sends as many items as the payload's first byte says.
#[palitra::job("simulated.stream")]
async fn stream(context: palitra::Context, payload: Vec<u8>) -> Result<Vec<u8>, JobError> {
    for item in 0..payload[0] {
        context.send(vec![item]).await?;
    }
    Ok(payload)
}

/// Calls another job.
#[palitra::job("simulated.nested")]
async fn nested(context: palitra::Context, payload: Vec<u8>) -> Result<Reply, palitra::Error> {
    context.call("simulated.work", payload).await
}

/// A token that the host holds, and whether its job ends by itself.
struct Held {
    host: HostSide,
    ends: bool,
}

struct Host<'a> {
    world: &'a World,
    held: Vec<Held>,
}

pub(super) fn live(world: &World) {
    let mut host = Host { world, held: Vec::new() };
    for _ in 0..thread_rng().gen_range(2..8) {
        host.act();
    }
    // As the runner ends, for some.
    (0..4).for_each(|_| host.call_back());
    // Some tokens outlive the runner.
    if thread_rng().r#gen() {
        assert!(world.core.finished.wait(None));
        for held in &host.held {
            assert_ne!(held.host.token().status(), Ok(Status::Pending), "after the runner's end");
        }
    }
}

impl Host<'_> {
    fn act(&mut self) {
        match thread_rng().gen_range(0..14) {
            0 | 1 => self.submit("simulated.work"),
            2 => self.submit("simulated.nested"),
            3 => self.submit_future(),
            4 => self.run(),
            5 => self.read(),
            6 => self.wait(),
            7 => self.end(Status::Cancelled),
            8 => self.end(Status::Deadline),
            9 => drop(self.some().map(|place| self.held.swap_remove(place))),
            10 => self.call_back(),
            11 => drop(self.world.drain()),
            12 => self.gather(),
            _ => self.world.bell.ring(),
        }
    }

    /// The place of some token.
    fn some(&self) -> Option<usize> {
        (!self.held.is_empty()).then(|| thread_rng().gen_range(0..self.held.len()))
    }

    fn submit(&mut self, name: &str) {
        if let Some(host) = self.submitted(name, Self::payload()) {
            self.held.push(Held { host, ends: true });
        }
    }

    fn payload() -> Vec<u8> {
        vec![thread_rng().gen_range(0..3), thread_rng().gen_range(0..3)]
    }

    fn submitted(&self, name: &str, payload: Vec<u8>) -> Option<HostSide> {
        let world = self.world;
        let tagged = thread_rng().r#gen::<bool>().then(|| world.counts.tagged.fetch_add(1, Std::Relaxed) as u64);
        let events = tagged.map(|tag| {
            let (queue, items) = (Arc::downgrade(&world.queue), thread_rng().r#gen());
            EventsWanted { queue, tag, named: true, items }
        });
        let callee = world.core.find_job(name.as_bytes()).unwrap();
        let reading = Reading { most_items: thread_rng().gen_range(0..3), ..Reading::default() };
        let wanted = Wanted { events, reading, ..Wanted::default() };
        let submitted = match thread_rng().r#gen() {
            true => world.core.submit(Submitter::Host, callee, Payload::Owned(payload), wanted).map(Some),
            false => self.polled_inline(callee, payload, wanted, tagged),
        };
        if let Err(status) = &submitted {
            self.refused(*status);
            // Its end is the refusal.
            tagged.inspect(|tag| self.ended(*tag));
        }
        submitted.ok().flatten()
    }

    /// The first poll is on this thread. One that is ready has no token.
    fn polled_inline(
        &self,
        callee: Callee,
        payload: Vec<u8>,
        wanted: Wanted,
        tagged: Option<u64>,
    ) -> Result<Option<HostSide>, Status> {
        match self.world.core.poll_inline(callee, Payload::Owned(payload), wanted)? {
            PolledInline::Pending(host) => Ok(Some(host)),
            PolledInline::Ready(reply) => {
                assert_ne!(reply.status(), Status::Pending);
                tagged.inspect(|tag| self.ended(*tag));
                Ok(None)
            }
        }
    }

    fn ended(&self, tag: u64) {
        self.world.counts.ends.lock().unwrap().push(tag);
    }

    /// A runner may refuse because it is closing, or every slot is taken.
    fn refused(&self, status: Status) {
        match status {
            Status::ShutDown => assert!(self.world.core.closing.is_requested()),
            Status::Busy => {}
            other => panic!("refused with {other:?}"),
        }
    }

    /// One that waits for a bell, or forever.
    fn submit_future(&mut self) {
        let (bell, alive) = (Arc::clone(&self.world.bell), self.world.counts.jobs.one());
        let is_endless = self.world.endless && thread_rng().r#gen();
        let future: JobFuture = Box::pin(async move {
            let _alive = alive;
            poll_fn(|cx| bell.poll_heard(cx)).await;
            if is_endless {
                std::future::pending::<()>().await;
            }
            Reply::success(Format::Bytes, Vec::new())
        });
        match self.world.core.submit_future(future) {
            Ok(host) => self.held.push(Held { host, ends: false }),
            Err(status) => self.refused(status),
        }
    }

    fn run(&self) {
        let payload = Self::payload();
        let callee = self.world.core.find_job(b"simulated.work").unwrap();
        match self.world.core.run(callee, Payload::Borrowed(&payload), None) {
            Ok(reply) if reply.status() == Status::Cancelled => assert!(self.world.core.closing.is_requested()),
            Ok(reply) if payload[1] == 1 => assert_eq!((reply.status(), reply.code()), (Status::JobFailed, 7)),
            Ok(reply) => assert_eq!((reply.status(), reply.data()), (Status::Ok, &payload[..])),
            Err(status) => self.refused(status),
        }
    }

    /// Items come in order, and all of them if the job succeeds.
    fn read(&self) {
        let count = thread_rng().gen_range(0..4u8);
        let Some(host) = self.submitted("simulated.stream", vec![count]) else { return };
        let mut next = 0;
        loop {
            match host.token().next_item(Until::Forever) {
                Ok(item) if item.status() == Status::Ok => {
                    assert_eq!(item.data(), [next], "items come in order");
                    next += 1;
                }
                Err(Status::End) => return assert!(next == count || next == 0, "{next} of {count} items"),
                Ok(_) | Err(Status::ShutDown) => return assert!(self.world.core.closing.is_requested() || next == 0),
                Err(other) => panic!("read {other:?}"),
            }
        }
    }

    fn wait(&self) {
        let Some(held) = self.some().map(|place| &self.held[place]).filter(|held| held.ends) else { return };
        let reply = held.host.token().wait_until(Until::Forever).unwrap();
        assert_eq!(held.host.token().poll().unwrap().status(), reply.status(), "a token has one reply");
    }

    /// Whoever ends a token that was pending finds it ended so.
    fn end(&mut self, status: Status) {
        let Some(place) = self.some() else { return };
        let held = &mut self.held[place];
        held.ends = true;
        let was_pending = held.host.token().end(status).unwrap();
        let now = held.host.token().status().unwrap();
        assert!(now != Status::Pending && (!was_pending || now == status), "{now:?} after {status:?}");
    }

    fn call_back(&self) {
        let Some(place) = self.some() else { return };
        let token = self.held[place].host.token();
        let once = self.world.counts.callbacks.one();
        let callback: Callback = Box::new(move |status| {
            let _once = once;
            assert_ne!(status, Status::Pending);
        });
        match self.world.core.on_complete(token, callback) {
            Ok(()) => {}
            Err(status) => self.refused(status),
        }
    }

    /// Replies come in the order of the tokens.
    fn gather(&self) {
        let ending: Vec<_> = self.held.iter().filter(|held| held.ends).map(|held| held.host.token()).collect();
        let tokens = Tokens { n: ending.len(), at: |place: usize| Ok(ending[place]), runner: None, frees: false };
        let mut replies = vec![None; ending.len()];
        let give = |place: usize, reply: Result<Reply, Status>| replies[place] = Some(reply.unwrap().status());
        match thread_rng().r#gen() {
            true => gather::gather(&tokens, Until::Forever, give),
            false => gather::gather_fail_fast(&tokens, Until::Forever, give),
        };
        for (token, reply) in ending.iter().zip(replies) {
            assert_eq!(token.status().ok(), reply, "each place has its token's reply");
        }
    }
}

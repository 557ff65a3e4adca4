//! The figures of a runner.

/// The figures of a runner, read one after the other while the runner works. Every submitted job
/// is queued, running, or counted by how it ended. No figure except running and queued ever
/// decreases.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_stats {
    /// The size of this struct in bytes; palitra_stats_init sets it.
    pub size: u32,
    /// Threads that run jobs: the runner's own and its workers.
    pub threads: u32,
    /// Jobs that the runner has accepted since it was made.
    pub submitted: u64,
    /// Jobs that have started and have not been dropped, on any thread.
    pub running: u64,
    /// Jobs that have not started.
    pub queued: u64,
    /// Jobs that succeeded.
    pub succeeded: u64,
    /// Jobs that returned an error, or whose payload was not what they take.
    pub failed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were cancelled and have been dropped.
    pub cancelled: u64,
    /// Jobs that passed their deadline and have been dropped.
    pub deadline: u64,
    /// The longest time that a job blocked a thread of the runner between two awaits, in
    /// nanoseconds. It is exact to a few milliseconds.
    pub longest_poll_ns: u64,
}

//! The flags of a gather.

/// A flag of palitra_runner_gather: return at the first failure, and cancel the other jobs.
pub const PALITRA_FAIL_FAST: u32 = 1u32;
/// A flag of palitra_runner_gather: free the tokens of the jobs that have finished. Those of pending
/// jobs stay valid past a timeout, and all do if nothing was waited for.
pub const PALITRA_FREE_TOKENS: u32 = 2u32;

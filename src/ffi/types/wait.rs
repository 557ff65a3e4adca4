//! The flag of a gather.

/// A flag of palitra_runner_gather: return at the first failure, and cancel the other jobs.
pub const PALITRA_FAIL_FAST: u32 = 1u32;

//! What a queue delivers.

use super::handle::palitra_token;
use super::status::palitra_status;

/// Says that a job has finished, that items of a job wait, or what happens to a call of a job of the
/// host: see palitra_event_call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_event {
    /// The tag that the job was submitted or registered with.
    pub tag: u64,
    /// The token of the job, stale if it was freed: the same handle that submitting returned. The
    /// event does not own it: free it once. The id 0 if the job was submitted without a token. In
    /// an event about a call, the id of the call.
    pub token: palitra_token,
    /// How the job ended; PALITRA_PENDING if items wait: see PALITRA_ITEM_EVENTS.
    pub status: palitra_status,
}

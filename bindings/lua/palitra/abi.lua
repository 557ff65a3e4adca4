-- The C ABI as LuaJIT's ffi sees it: include/palitra.h, as far as this package needs it, and its units.
--
-- A handle is a struct of one 64-bit number, which the ABIs of Linux pass as that number. It is declared so: the
-- compiler of LuaJIT takes calls that pass numbers, and none that pass structs.

local ffi = require("ffi")
local errors = require("palitra.errors")

ffi.cdef([[
typedef struct {
  int32_t status; int32_t code; int32_t format; const char *data; size_t len; void *owner;
} palitra_reply;
typedef struct { const char *name; const char *doc; int32_t input; int32_t output; } palitra_job_info;
typedef struct {
  uint32_t size; uint32_t worker_threads; uint32_t max_blocking_threads; uint32_t flags; const char *thread_name;
  size_t thread_stack_size; size_t max_in_flight; size_t max_payload; void *thread_start; void *thread_stop;
  void *thread_user_data; void *thread_free; int64_t spin_limit_ns; const char *config;
} palitra_runner_options;
typedef struct {
  uint32_t size; uint32_t threads; uint64_t submitted; uint64_t running; uint64_t queued; uint64_t succeeded;
  uint64_t failed; uint64_t panicked; uint64_t cancelled; uint64_t deadline; uint64_t longest_poll_ns;
} palitra_stats;
typedef struct {
  uint32_t size; uint32_t flags; int64_t deadline_ns; uint64_t queue; uint64_t tag; uint32_t stream_items;
  uint32_t reserved;
} palitra_submit_options;
typedef struct { const char *job; const char *data; size_t len; uint64_t tag; } palitra_submission;
typedef struct { uint64_t tag; uint64_t token; int32_t status; } palitra_event;

const char *palitra_version(void);
uint32_t palitra_abi_version(void);
const char *palitra_status_name(int32_t status);
const char *palitra_status_message(int32_t status);
void palitra_reply_free(palitra_reply *reply);
size_t palitra_job_count(void);
int32_t palitra_job_at(size_t index, palitra_job_info *out);
const char *palitra_job_nearest(const char *name);
int32_t palitra_configure(const char *json);
int32_t palitra_runner_new(const palitra_runner_options *options, uint64_t *out);
int32_t palitra_runner_global(uint64_t *out);
bool palitra_is_runner_alive(void);
int32_t palitra_shutdown_global_runner(int64_t grace_ns);
bool palitra_runner_is_alive(uint64_t runner);
int32_t palitra_runner_shutdown(uint64_t runner, int64_t grace_ns);
void palitra_runner_free(uint64_t runner);
int32_t palitra_runner_stats(uint64_t runner, palitra_stats *out);
int32_t palitra_runner_submit(uint64_t runner, const char *job, const char *data, size_t len,
                              const palitra_submit_options *options, uint64_t *out);
int32_t palitra_runner_submit_many(uint64_t runner, const palitra_submission *submissions, size_t n,
                                   const palitra_submit_options *options, uint64_t *tokens, size_t *taken);
int32_t palitra_runner_start(uint64_t runner, const char *job, const char *data, size_t len,
                             const palitra_submit_options *options, uint64_t *token, palitra_reply *reply);
int32_t palitra_runner_gather(uint64_t runner, const uint64_t *tokens, size_t n, uint32_t flags, int64_t timeout_ns,
                              palitra_reply *replies);
int32_t palitra_token_poll(uint64_t token, palitra_reply *out);
int32_t palitra_token_wait(uint64_t token, int64_t timeout_ns, palitra_reply *out);
int32_t palitra_token_cancel(uint64_t token);
int32_t palitra_token_next(uint64_t token, int64_t timeout_ns, palitra_reply *item);
int32_t palitra_token_progress(uint64_t token, uint64_t *done, uint64_t *total);
void palitra_token_free(uint64_t token);
int32_t palitra_queue_new(uint64_t *out);
int32_t palitra_queue_next(uint64_t queue, int64_t timeout_ns, palitra_event *events, size_t max, size_t *n);
int palitra_queue_fd(uint64_t queue);

struct palitra_pollfd { int fd; short events; short revents; };
int poll(struct palitra_pollfd *fds, unsigned long n, int timeout_ms);
int getpid(void);
struct palitra_timespec { long seconds; long nanoseconds; };
int palitra_clock(int clock, struct palitra_timespec *out) __asm__("clock_gettime");
]])

local abi = {
  VERSION = 1,
  OK = 0, PENDING = 1, END = 2, JOB_FAILED = 10, INVALID_ARGUMENT = 20, UNKNOWN_JOB = 22, FORKED = 27,
  JSON = 2,
  ITEM_EVENTS = 1, NO_ITEMS = 2, INLINE_ONLY = 4,
  FAIL_FAST = 1, FREE_TOKENS = 2,
  -- A signal does not end a wait, and LuaJIT acts on one between two instructions: a wait is cut into slices.
  SLICE = 50e6,
}

-- The longest that a number holds exactly, 104 days.
local LONGEST = 2 ^ 53

--- Seconds as nanoseconds, at least one; `forever` for nil and for math.huge.
function abi.time(seconds, forever, name)
  if seconds == nil or seconds == math.huge then
    return forever
  elseif type(seconds) ~= "number" or seconds < 0 or seconds ~= seconds then
    errors.refuse("%s is a number of seconds, not %s", name or "timeout", tostring(seconds))
  end
  return math.min(math.max(math.floor(seconds * 1e9 + 0.5), 1), LONGEST)
end

local MONOTONIC, timespec = 1, ffi.new("struct palitra_timespec")

--- The time since the system started, in nanoseconds.
function abi.now()
  ffi.C.palitra_clock(MONOTONIC, timespec)
  return tonumber(timespec.seconds) * 1e9 + tonumber(timespec.nanoseconds)
end

return abi

#define FFI_SCOPE "palitra"
#define FFI_LIB "libpalitra.so.1"
/* What the package calls, as include/palitra.h declares it; PHP passes strings where C takes const void *. The macros
 * are for ffi.preload, which wants them first. */
const char *palitra_version(void);
uint32_t palitra_abi_version(void);
typedef int32_t palitra_status;
const char *palitra_status_name(palitra_status status);
const char *palitra_status_message(palitra_status status);
typedef struct palitra_runner {
  uint64_t id;
} palitra_runner;
typedef struct palitra_token {
  uint64_t id;
} palitra_token;
typedef struct palitra_queue {
  uint64_t id;
} palitra_queue;
typedef void (*palitra_free_fn)(void *user_data);
typedef int32_t palitra_format;
typedef struct palitra_reply {
  palitra_status status;
  int32_t code;
  palitra_format format;
  const uint8_t *data;
  size_t len;
  void *owner;
} palitra_reply;
void palitra_reply_free(struct palitra_reply *reply);
typedef struct palitra_job_info {
  const char *name;
  const char *doc;
  palitra_format input;
  palitra_format output;
} palitra_job_info;
size_t palitra_job_count(void);
palitra_status palitra_job_at(size_t index, struct palitra_job_info *out);
const char *palitra_job_nearest(const char *name);
typedef void (*palitra_thread_fn)(void *user_data);
typedef struct palitra_runner_options {
  uint32_t size;
  uint32_t worker_threads;
  uint32_t max_blocking_threads;
  uint32_t flags;
  const char *thread_name;
  size_t thread_stack_size;
  size_t max_in_flight;
  size_t max_payload;
  palitra_thread_fn thread_start;
  palitra_thread_fn thread_stop;
  void *thread_user_data;
  palitra_free_fn thread_free;
  int64_t spin_limit_ns;
  const char *config;
} palitra_runner_options;
palitra_status palitra_runner_new(const struct palitra_runner_options *options,
                                  struct palitra_runner *out);
palitra_status palitra_configure(const char *json);
palitra_status palitra_runner_global(struct palitra_runner *out);
bool palitra_is_runner_alive(void);
palitra_status palitra_shutdown_global_runner(int64_t grace_ns);
bool palitra_runner_is_alive(struct palitra_runner runner);
palitra_status palitra_runner_shutdown(struct palitra_runner runner, int64_t grace_ns);
void palitra_runner_free(struct palitra_runner runner);
typedef struct palitra_stats {
  uint32_t size;
  uint32_t threads;
  uint64_t submitted;
  uint64_t running;
  uint64_t queued;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t panicked;
  uint64_t cancelled;
  uint64_t deadline;
  uint64_t longest_poll_ns;
} palitra_stats;
palitra_status palitra_runner_stats(struct palitra_runner runner, struct palitra_stats *out);
typedef struct palitra_submit_options {
  uint32_t size;
  uint32_t flags;
  int64_t deadline_ns;
  struct palitra_queue queue;
  uint64_t tag;
  uint32_t stream_items;
  uint32_t reserved;
} palitra_submit_options;
typedef struct palitra_submission {
  const char *job;
  const uint8_t *data;
  size_t len;
  uint64_t tag;
} palitra_submission;
palitra_status palitra_runner_submit(struct palitra_runner runner,
                                     const char *job,
                                     const char *data,
                                     size_t len,
                                     const struct palitra_submit_options *options,
                                     struct palitra_token *out);
palitra_status palitra_runner_submit_many(struct palitra_runner runner,
                                          const struct palitra_submission *submissions,
                                          size_t n,
                                          const struct palitra_submit_options *options,
                                          struct palitra_token *tokens,
                                          size_t *taken);
palitra_status palitra_runner_start(struct palitra_runner runner,
                                    const char *job,
                                    const char *data,
                                    size_t len,
                                    const struct palitra_submit_options *options,
                                    struct palitra_token *token,
                                    struct palitra_reply *reply);
palitra_status palitra_runner_gather(struct palitra_runner runner,
                                     const struct palitra_token *tokens,
                                     size_t n,
                                     uint32_t flags,
                                     int64_t timeout_ns,
                                     struct palitra_reply *replies);
palitra_status palitra_token_poll(struct palitra_token token, struct palitra_reply *out);
palitra_status palitra_token_wait(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);
palitra_status palitra_token_cancel(struct palitra_token token);
palitra_status palitra_token_next(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *item);
palitra_status palitra_token_progress(struct palitra_token token, uint64_t *done, uint64_t *total);
void palitra_token_free(struct palitra_token token);

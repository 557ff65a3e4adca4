#ifndef PALITRA_H
#define PALITRA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#define PALITRA_ABI_VERSION 1
#define PALITRA_VERSION_MAJOR 0
#define PALITRA_VERSION_MINOR 2
#define PALITRA_VERSION_PATCH 0
const char *palitra_version(void);
uint32_t palitra_abi_version(void);
typedef int32_t palitra_status;
#define PALITRA_OK 0
#define PALITRA_PENDING 1
#define PALITRA_END 2
#define PALITRA_JOB_FAILED 10
#define PALITRA_JOB_PANICKED 11
#define PALITRA_CANCELLED 12
#define PALITRA_DEADLINE 13
#define PALITRA_BAD_PAYLOAD 14
#define PALITRA_INVALID_ARGUMENT 20
#define PALITRA_INVALID_HANDLE 21
#define PALITRA_UNKNOWN_JOB 22
#define PALITRA_BUSY 23
#define PALITRA_TOO_LARGE 24
#define PALITRA_WOULD_DEADLOCK 25
#define PALITRA_SHUT_DOWN 26
#define PALITRA_FORKED 27
#define PALITRA_INTERNAL 29
const char *palitra_status_name(palitra_status status);
const char *palitra_status_message(palitra_status status);
#define PALITRA_FOREVER (-1)
#define PALITRA_MS(n) ((int64_t)((n) * INT64_C(1000000)))
#define PALITRA_SECONDS(n) ((int64_t)((n) * INT64_C(1000000000)))
typedef struct palitra_runner {
  uint64_t id;
} palitra_runner;
typedef struct palitra_token {
  uint64_t id;
} palitra_token;
typedef struct palitra_queue {
  uint64_t id;
} palitra_queue;
typedef struct palitra_call {
  uint64_t id;
} palitra_call;
typedef void (*palitra_free_fn)(void *user_data);
typedef int32_t palitra_format;
#define PALITRA_BYTES 0
#define PALITRA_TEXT 1
#define PALITRA_JSON 2
typedef struct palitra_reply {
  palitra_status status;
  int32_t code;
  palitra_format format;
  const uint8_t *data;
  size_t len;
  void *owner;
} palitra_reply;
void palitra_reply_free(struct palitra_reply *reply);
const char *palitra_reply_details(const struct palitra_reply *reply);
typedef struct palitra_job_info {
  const char *name;
  const char *doc;
  palitra_format input;
  palitra_format output;
} palitra_job_info;
size_t palitra_job_count(void);
palitra_status palitra_job_at(size_t index, struct palitra_job_info *out);
palitra_status palitra_job_describe(const char *name, struct palitra_reply *out);
const char *palitra_job_nearest(const char *name);
#define PALITRA_HTTP_INVALID_REQUEST 1
#define PALITRA_HTTP_CANNOT_CONNECT 2
#define PALITRA_HTTP_TIMEOUT 3
#define PALITRA_HTTP_TOO_MANY_REDIRECTS 4
#define PALITRA_HTTP_BODY_TOO_LARGE 5
#define PALITRA_HTTP_TLS 6
#define PALITRA_HTTP_BROKEN_RESPONSE 7
#define PALITRA_HTTP_NOT_TEXT 8
#define PALITRA_HTTP_FILE_EXISTS 9
#define PALITRA_HTTP_NO_SPACE 10
#define PALITRA_HTTP_CANNOT_WRITE 11
#define PALITRA_HTTP_CANNOT_READ 12
#define PALITRA_HTTP_BODY_FAILED 13
#define PALITRA_LOG_OFF 0
#define PALITRA_LOG_ERROR 1
#define PALITRA_LOG_WARN 2
#define PALITRA_LOG_INFO 3
#define PALITRA_LOG_DEBUG 4
#define PALITRA_LOG_TRACE 5
typedef void (*palitra_log_fn)(int32_t level,
                               const char *target,
                               const char *message,
                               void *user_data);
palitra_status palitra_log_set(int32_t level,
                               palitra_log_fn function,
                               void *user_data,
                               palitra_free_fn free_user_data);
palitra_status palitra_log_collect(int32_t level, size_t most);
palitra_status palitra_log_next(int64_t timeout_ns, struct palitra_reply *message);
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
void palitra_runner_options_init(struct palitra_runner_options *options, uint32_t size);
#define palitra_runner_options_init(options) \
  palitra_runner_options_init((options), sizeof(palitra_runner_options))
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
void palitra_stats_init(struct palitra_stats *stats, uint32_t size);
#define palitra_stats_init(stats) \
  palitra_stats_init((stats), sizeof(palitra_stats))
palitra_status palitra_runner_stats(struct palitra_runner runner, struct palitra_stats *out);
#define PALITRA_ITEM_EVENTS 1u
#define PALITRA_NO_ITEMS 2u
#define PALITRA_INLINE_ONLY 4u
#define PALITRA_WILL_WAIT 8u
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
void palitra_submit_options_init(struct palitra_submit_options *options, uint32_t size);
#define palitra_submit_options_init(options) \
  palitra_submit_options_init((options), sizeof(palitra_submit_options))
palitra_status palitra_runner_run(struct palitra_runner runner,
                                  const char *job,
                                  const void *data,
                                  size_t len,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);
palitra_status palitra_runner_submit(struct palitra_runner runner,
                                     const char *job,
                                     const void *data,
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
                                    const void *data,
                                    size_t len,
                                    const struct palitra_submit_options *options,
                                    struct palitra_token *token,
                                    struct palitra_reply *reply);
#define PALITRA_FAIL_FAST 1u
#define PALITRA_FREE_TOKENS 2u
palitra_status palitra_runner_wait(struct palitra_runner runner,
                                   struct palitra_token token,
                                   int64_t timeout_ns,
                                   struct palitra_reply *out);
palitra_status palitra_runner_wait_any(struct palitra_runner runner,
                                       const struct palitra_token *tokens,
                                       size_t n,
                                       int64_t timeout_ns,
                                       size_t *index);
palitra_status palitra_runner_gather(struct palitra_runner runner,
                                     const struct palitra_token *tokens,
                                     size_t n,
                                     uint32_t flags,
                                     int64_t timeout_ns,
                                     struct palitra_reply *replies);
typedef void (*palitra_complete_fn)(struct palitra_token token,
                                    palitra_status status,
                                    void *user_data);
#define PALITRA_OR_ITEM 1u
palitra_status palitra_token_poll(struct palitra_token token, struct palitra_reply *out);
palitra_status palitra_token_wait(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);
palitra_status palitra_token_cancel(struct palitra_token token);
palitra_status palitra_token_next(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *item);
palitra_status palitra_token_progress(struct palitra_token token, uint64_t *done, uint64_t *total);
palitra_status palitra_token_on_complete(struct palitra_token token,
                                         palitra_complete_fn function,
                                         void *user_data,
                                         palitra_free_fn free_user_data);
palitra_status palitra_token_on_ready(struct palitra_token token,
                                      uint32_t flags,
                                      palitra_complete_fn function,
                                      void *user_data,
                                      palitra_free_fn free_user_data);
void palitra_token_free(struct palitra_token token);
typedef struct palitra_event {
  uint64_t tag;
  struct palitra_token token;
  palitra_status status;
} palitra_event;
palitra_status palitra_queue_new(struct palitra_queue *out);
palitra_status palitra_queue_next(struct palitra_queue queue,
                                  int64_t timeout_ns,
                                  struct palitra_event *events,
                                  size_t max,
                                  size_t *n);
int palitra_queue_fd(struct palitra_queue queue);
palitra_status palitra_queue_close(struct palitra_queue queue);
void palitra_queue_free(struct palitra_queue queue);
typedef void (*palitra_job_fn)(struct palitra_call call,
                               const void *data,
                               size_t len,
                               void *user_data);
typedef void (*palitra_cancel_fn)(struct palitra_call call, void *user_data);
palitra_status palitra_runner_register(struct palitra_runner runner,
                                       const struct palitra_job_info *info,
                                       palitra_job_fn function,
                                       void *user_data,
                                       palitra_free_fn free_user_data);
palitra_status palitra_call_complete(struct palitra_call call,
                                     palitra_status status,
                                     int32_t code,
                                     palitra_format format,
                                     const void *data,
                                     size_t len);
palitra_status palitra_call_send(struct palitra_call call,
                                 palitra_format format,
                                 const void *data,
                                 size_t len,
                                 int64_t timeout_ns);
palitra_status palitra_call_progress(struct palitra_call call, uint64_t done, uint64_t total);
palitra_status palitra_call_on_cancel(struct palitra_call call,
                                      palitra_cancel_fn function,
                                      void *user_data,
                                      palitra_free_fn free_user_data);
bool palitra_call_is_cancelled(struct palitra_call call);
void palitra_call_free(struct palitra_call call);
palitra_status palitra_runner_register_queued(struct palitra_runner runner,
                                              const struct palitra_job_info *info,
                                              struct palitra_queue queue,
                                              uint64_t tag,
                                              size_t max_waiting);
struct palitra_call palitra_event_call(const struct palitra_event *event);
palitra_status palitra_call_payload(struct palitra_call call, const void **data, size_t *len);
palitra_status palitra_call_notify(struct palitra_call call,
                                   struct palitra_queue queue,
                                   uint64_t tag);
#ifdef __cplusplus
}
#endif
#endif

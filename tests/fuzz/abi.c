/* Fuzzes the ABI: sequences of calls by up to three threads, with handles that are good, stale, forged or of another
 * kind, and with every size and timeout.
 *
 * An input is the number of threads and then calls, five bytes each: which call, two handles, two arguments. Threads
 * take turns at the calls of the list and share every handle. A small model of the promises is checked beside it:
 *
 * 1. A token finishes exactly once: whoever sees its status sees the same one.
 * 6. Callbacks run once, and the finalizer of their data runs exactly once, also if the call that took it failed.
 * 8. A shutdown ends everything: every job that was accepted with a queue is an event.
 * 9. In a forked child every handle of the parent is refused.
 * 11. Bad input returns a status.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { RUNNERS = 3, TOKENS = 12, QUEUES = 3, CALLS = 6, MOST_CALLS = 96, THREADS = 3, CALLS_OF_ALL = 38 };

/* Handles stay when they are freed, and are used stale. */
static struct {
    _Atomic uint64_t runners[RUNNERS], tokens[TOKENS], queues[QUEUES], calls[CALLS];
    _Atomic int32_t seen[TOKENS];
    atomic_long given, freed, called;
} world;

static const int64_t timeouts[] = {0, 1, 1000, 200000, 1000000, INT64_MIN, INT64_MAX};
static const size_t sizes[] = {0, 1, 5, 64, 4096, 70000, SIZE_MAX, SIZE_MAX / 2};
static const char *const names[] = {
    "palitra.echo", "palitra.sleep", "host.now", "host.later", "no.such.job", "", "\xff", NULL, "host.queued"};
static const char *const configurations[] = {NULL, "", "{\"no.such.state\": {}}", "[1]", "{", "\xff"};
static char bytes[70001];

static void count_freed(void *data) {
    atomic_fetch_add(&world.freed, 1);
    free(data);
}

static void *counted(void) {
    atomic_fetch_add(&world.given, 1);
    return malloc(8);
}

static void called_back(palitra_token token, palitra_status status, void *data) {
    (void)token, (void)data;
    known(status);
    atomic_fetch_add(&world.called, 1);
}

static void cancelled(palitra_call call, void *data) {
    (void)call, (void)data;
    atomic_fetch_add(&world.called, 1);
}

static void answer_now(palitra_call call, const void *data, size_t len, void *unused) {
    const void *payload = NULL;
    size_t payload_len = 0;
    (void)unused;
    MUST(palitra_call_payload(call, &payload, &payload_len) == PALITRA_OK);
    MUST(payload == data && payload_len == len && ((const char *)payload)[len] == 0);
    known(palitra_call_complete(call, PALITRA_OK, 0, PALITRA_BYTES, data, len));
    palitra_call_free(call);
}

/* Leaves the call to the threads; the one that was there before loses its job. */
static void put_call(palitra_call call) {
    static atomic_uint turn;
    palitra_call before = {atomic_exchange(&world.calls[atomic_fetch_add(&turn, 1) % CALLS], call.id)};
    palitra_call_free(before);
}

static void answer_later(palitra_call call, const void *data, size_t len, void *unused) {
    (void)data, (void)len, (void)unused;
    put_call(call);
}

static void logged(int32_t level, const char *target, const char *message, void *data) {
    (void)data;
    MUST(level > PALITRA_LOG_OFF && level <= PALITRA_LOG_TRACE && target != NULL && message != NULL);
}

/* Good, stale, of another kind, or forged. */
static uint64_t handle(unsigned which, _Atomic uint64_t *own, unsigned n) {
    switch (which >> 5) {
    case 5: return atomic_load(&world.tokens[which % TOKENS]);
    case 6: return atomic_load(&own[which % n]) ^ (1ull << (which % 64));
    case 7: return which * 0x9e3779b97f4a7c15ull;
    default: return atomic_load(&own[which % n]);
    }
}

#define RUNNER(which) ((palitra_runner){handle((which), world.runners, RUNNERS)})
#define TOKEN(which) ((palitra_token){handle((which), world.tokens, TOKENS)})
#define QUEUE(which) ((palitra_queue){handle((which), world.queues, QUEUES)})
#define CALL(which) ((palitra_call){handle((which), world.calls, CALLS)})

/* The end of the token in this place, if it is still there. */
static void saw_end(unsigned place, palitra_token token, palitra_status status) {
    if (status == PALITRA_PENDING || status >= PALITRA_INVALID_ARGUMENT) return;
    if (atomic_load(&world.tokens[place]) != token.id) return;
    int32_t none = -1;
    int32_t before = atomic_compare_exchange_strong(&world.seen[place], &none, status) ? status : none;
    /* Another thread may have put a token there meanwhile. */
    MUST(before == status || atomic_load(&world.tokens[place]) != token.id);
}

static void put_token(unsigned place, palitra_token token) {
    place %= TOKENS;
    palitra_token before = {atomic_exchange(&world.tokens[place], 0)};
    atomic_store(&world.seen[place], -1);
    palitra_token_free(before);
    uint64_t none = 0;
    if (!atomic_compare_exchange_strong(&world.tokens[place], &none, token.id)) palitra_token_free(token);
}

/* Structs that say they are of another size have that much room: what a size promises, the library may touch. */
union sized {
    palitra_runner_options runner;
    palitra_submit_options submit;
    palitra_stats stats;
    uint8_t room[256];
};

static void make_runner(unsigned place, unsigned a) {
    union sized options = {.room = {0}};
    palitra_runner runner = {0};
    palitra_runner_options_init(&options.runner);
    options.runner.worker_threads = a % 5 == 4 ? 1 : 0;
    options.runner.max_in_flight = a & 8 ? 4 : 0;
    options.runner.max_payload = a & 16 ? 64 : 0;
    if (a % 7 == 6) options.runner.size = a;
    if (known(palitra_runner_new(a % 3 == 0 ? NULL : &options.runner, &runner)) != PALITRA_OK) {
        MUST(runner.id == 0);
        return;
    }
    const palitra_job_info now = {.name = "host.now"}, later = {.name = "host.later", .input = PALITRA_TEXT};
    MUST(palitra_runner_register(runner, &now, answer_now, counted(), count_freed) == PALITRA_OK);
    MUST(palitra_runner_register(runner, &later, answer_later, counted(), count_freed) == PALITRA_OK);
    palitra_runner_free((palitra_runner){atomic_exchange(&world.runners[place % RUNNERS], runner.id)});
}

static union sized options_of(unsigned a, unsigned b) {
    union sized options = {.room = {0}};
    palitra_submit_options_init(&options.submit);
    options.submit.flags = b & 0x8f;
    options.submit.queue = a & 1 ? QUEUE(b) : (palitra_queue){0};
    options.submit.deadline_ns = a & 2 ? timeouts[b % LENGTH(timeouts)] : 0;
    options.submit.tag = b;
    if (a == 255) options.submit.size = b;
    return options;
}

static const char *payload_of(unsigned a, size_t *len) {
    *len = sizes[a % LENGTH(sizes)];
    if (a & 64) {
        *len = 17;
        return "{\"seconds\":0.001}";
    }
    return a & 128 && *len != 0 ? NULL : bytes;
}

static void check_child(void) {
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        for (size_t i = 0; i < TOKENS; i++) {
            palitra_status status = palitra_token_wait(TOKEN(i), PALITRA_FOREVER, NULL);
            if (status != PALITRA_FORKED && status != PALITRA_INVALID_HANDLE) _exit(1);
        }
        for (size_t i = 0; i < RUNNERS; i++) palitra_runner_free(RUNNER(i));
        _exit(0);
    }
    int ending = 0;
    MUST(child > 0);
    /* The fuzzer's own alarm may come in between. */
    while (waitpid(child, &ending, 0) < 0) MUST(errno == EINTR);
    MUST(ending == 0);
}

/* What an event is about: a call that nobody has taken yet, one that the host has, or a token. */
static void read_event(const palitra_event *event) {
    palitra_call call = palitra_event_call(event);
    MUST(call.id == 0 || call.id == event->token.id);
    if (call.id != 0 && known(event->status) == PALITRA_PENDING) put_call(call);
}

static void read_payload(palitra_call call, bool wanted) {
    const void *data = bytes;
    size_t len = 1;
    palitra_status status = known(palitra_call_payload(call, &data, wanted ? &len : NULL));
    MUST(wanted || status != PALITRA_OK);
    if (status != PALITRA_OK) MUST(data == NULL && (!wanted || len == 0));
}

static void ask_for_job(const char *name, bool wanted, unsigned index) {
    palitra_job_info info = {0};
    palitra_reply reply = {0};
    palitra_status found = known(palitra_job_at(index, wanted ? &info : NULL));
    MUST(found == (wanted && index < palitra_job_count() ? PALITRA_OK : PALITRA_INVALID_ARGUMENT));
    MUST(found != PALITRA_OK || palitra_job_nearest(info.name) == info.name);
    const char *nearest = palitra_job_nearest(name);
    palitra_status status = known(palitra_job_describe(name, wanted ? &reply : NULL));
    MUST(status != PALITRA_OK || !wanted || reply.len > 0);
    MUST(nearest == NULL || palitra_job_describe(nearest, NULL) == PALITRA_OK);
    MUST(palitra_reply_details(&reply) == NULL);
    palitra_reply_free(&reply);
}

static void use_global_runner(unsigned place, bool keep) {
    palitra_runner runner = {0};
    if (!keep) {
        known(palitra_shutdown_global_runner(0));
        return;
    }
    MUST(palitra_runner_global(&runner) == PALITRA_OK && runner.id != 0);
    palitra_runner_free((palitra_runner){atomic_exchange(&world.runners[place % RUNNERS], runner.id)});
    (void)palitra_is_runner_alive();
}

/* Jobs whose calls are events, the log, the descriptions and the global runner. */
static void call_other(unsigned which, const uint8_t code[5], int64_t timeout) {
    unsigned one = code[1], two = code[2], a = code[3], b = code[4];
    const char *name = names[a % LENGTH(names)];
    palitra_reply reply = {0};
    switch (which) {
    case 0: {
        const palitra_job_info info = {.name = a & 128 ? name : "host.queued", .input = (palitra_format)(a % 5)};
        known(palitra_runner_register_queued(RUNNER(one), a == 77 ? NULL : &info, QUEUE(two), a, b % 4));
        break;
    }
    case 1: read_payload(CALL(one), a & 1); break;
    case 2: known(palitra_call_notify(CALL(one), QUEUE(two), a)); break;
    case 3: ask_for_job(name, b & 1, b / 2); break;
    case 4:
        if (a & 1) known(palitra_log_collect((int32_t)(a / 2 % 8) - 1, b == 255 ? SIZE_MAX : b));
        else known(palitra_log_set((int32_t)(a / 2 % 8) - 1, b & 1 ? logged : NULL, counted(), count_freed));
        break;
    case 5:
        known(palitra_log_next(timeout, b & 1 ? NULL : &reply));
        palitra_reply_free(&reply);
        break;
    case 6: known(palitra_configure(configurations[a % LENGTH(configurations)])); break;
    default: use_global_runner(one, a % 4 != 0);
    }
}

static void call_one(const uint8_t code[5]) {
    unsigned one = code[1], two = code[2], a = code[3], b = code[4];
    int64_t timeout = timeouts[a % LENGTH(timeouts)];
    /* Forever is for what ends by itself. */
    if (timeout < 0 || timeout == INT64_MAX) timeout = a & 128 ? 2000000 : 0;
    union sized options = options_of(a, b), stats = {.room = {0}};
    palitra_token token = TOKEN(one), some[4] = {TOKEN(one), TOKEN(two), TOKEN(a), TOKEN(b)};
    palitra_reply reply, replies[4];
    palitra_event events[3];
    palitra_status status;
    size_t n = 0, len;
    const char *data = payload_of(b, &len), *name = names[two % LENGTH(names)];
    switch (code[0] % CALLS_OF_ALL) {
    case 0: make_runner(one, a); break;
    case 1:
    case 2:
    case 3:
        token.id = 0;
        known(
            palitra_runner_submit(RUNNER(one), name, data, len, a & 4 ? &options.submit : NULL, b & 1 ? NULL : &token));
        if (token.id != 0) put_token(a, token);
        break;
    case 4:
        token.id = 0;
        status = known(palitra_runner_start(RUNNER(one), name, data, len, &options.submit, &token, &reply));
        MUST(status != PALITRA_PENDING || token.id != 0);
        palitra_reply_free(&reply);
        if (token.id != 0) put_token(a, token);
        break;
    case 5:
        known(palitra_runner_run(RUNNER(one), name, data, len, timeout, &reply));
        palitra_reply_free(&reply);
        palitra_reply_free(&reply);
        break;
    case 6: {
        const palitra_submission many[3] = {{"palitra.echo", (const uint8_t *)bytes, b, a},
                                            {name, (const uint8_t *)data, len, b},
                                            {"host.now", NULL, 0, 0}};
        palitra_token made[3] = {{0}};
        known(palitra_runner_submit_many(RUNNER(one), many, a % 4, &options.submit, made, &n));
        MUST(n <= a % 4);
        for (size_t i = 0; i < n; i++) put_token(b + (unsigned)i, made[i]);
        break;
    }
    case 7:
        status = known(palitra_token_wait(token, timeout, &reply));
        MUST(reply.status == status);
        palitra_reply_free(&reply);
        if (one >> 5 < 5) saw_end(one % TOKENS, token, status);
        break;
    case 8:
        status = known(palitra_token_poll(token, NULL));
        if (one >> 5 < 5) saw_end(one % TOKENS, token, status);
        break;
    case 9: known(palitra_token_cancel(token)); break;
    case 10: palitra_token_free(token); break;
    case 11:
        known(palitra_token_next(token, timeout, &reply));
        palitra_reply_free(&reply);
        break;
    case 12: known(palitra_token_on_complete(token, a & 1 ? called_back : NULL, counted(), count_freed)); break;
    case 13: known(palitra_token_on_ready(token, b, a & 1 ? called_back : NULL, counted(), count_freed)); break;
    case 14:
        known(palitra_runner_gather(RUNNER(one), a == 77 ? NULL : some, b % 5, a, timeout, b & 8 ? NULL : replies));
        if (!(b & 8))
            for (size_t i = 0; i < b % 5; i++)
                if (a != 77) palitra_reply_free(&replies[i]);
        break;
    case 15: known(palitra_runner_wait_any(RUNNER(one), some, b % 5, timeout, &n)); break;
    case 16: known(palitra_runner_wait(RUNNER(two), token, timeout, NULL)); break;
    case 17: {
        palitra_queue queue = {0};
        MUST(palitra_queue_new(&queue) == PALITRA_OK);
        palitra_queue_free((palitra_queue){atomic_exchange(&world.queues[one % QUEUES], queue.id)});
        break;
    }
    case 18:
        known(palitra_queue_next(QUEUE(one), timeout, b == 9 ? NULL : events, b % 4, &n));
        MUST(n <= 3);
        for (size_t i = 0; i < n; i++) read_event(&events[i]);
        break;
    case 19: MUST(palitra_queue_fd(QUEUE(one)) >= -1); break;
    case 20: known(palitra_queue_close(QUEUE(one))); break;
    case 21: palitra_queue_free(QUEUE(one)); break;
    case 22: known(palitra_runner_shutdown(RUNNER(one), b & 1 ? 0 : 1000000)); break;
    case 23: palitra_runner_free(RUNNER(one)); break;
    case 24:
        known(palitra_call_complete(CALL(one), (palitra_status)(two % 40), (int32_t)a, (palitra_format)(b % 5), bytes,
                                    b));
        break;
    case 25: known(palitra_call_send(CALL(one), (palitra_format)(two % 5), bytes, a, timeout)); break;
    case 26: known(palitra_call_on_cancel(CALL(one), a & 1 ? cancelled : NULL, counted(), count_freed)); break;
    case 27: palitra_call_free(CALL(one)); break;
    case 28: {
        uint64_t done, total;
        palitra_stats_init(&stats.stats);
        if (a == 3) stats.stats.size = b;
        known(palitra_runner_stats(RUNNER(one), &stats.stats));
        known(palitra_token_progress(TOKEN(two), &done, b & 1 ? NULL : &total));
        known(palitra_call_progress(CALL(one), a, b));
        (void)palitra_runner_is_alive(RUNNER(two));
        (void)palitra_call_is_cancelled(CALL(two));
        break;
    }
    case 29:
        /* One in 32, as a fork costs more than all the rest. */
        if (a % 32 == 0) check_child();
        break;
    default: call_other(code[0] % CALLS_OF_ALL - 30, code, timeout);
    }
}

struct share {
    const uint8_t *calls;
    size_t n, first, step;
};

static void *do_calls(void *argument) {
    const struct share *share = argument;
    for (size_t i = share->first; i < share->n; i += share->step) call_one(share->calls + 5 * i);
    return NULL;
}

/* A runner whose threads had no processor within its bound ends after palitra_runner_free has returned. */
static void await_finalizers(void) {
    for (int tries = 0; tries < 6000 && atomic_load(&world.given) != atomic_load(&world.freed); tries++) usleep(10000);
}

/* Whatever was done, everything ends. */
static void end_everything(void) {
    MUST(palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL) == PALITRA_OK);
    MUST(palitra_configure(NULL) == PALITRA_OK);
    for (size_t i = 0; i < CALLS; i++) palitra_call_free((palitra_call){atomic_exchange(&world.calls[i], 0)});
    for (size_t i = 0; i < RUNNERS; i++) {
        palitra_runner runner = {atomic_exchange(&world.runners[i], 0)};
        palitra_status status = PALITRA_PENDING;
        for (int tries = 0; status == PALITRA_PENDING && tries < 20; tries++)
            status = palitra_runner_shutdown(runner, 0);
        MUST(status == PALITRA_OK || status == PALITRA_INVALID_HANDLE);
        palitra_runner_free(runner);
    }
    for (size_t i = 0; i < TOKENS; i++) {
        palitra_token token = {atomic_exchange(&world.tokens[i], 0)};
        MUST(palitra_token_poll(token, NULL) != PALITRA_PENDING);
        palitra_token_free(token);
    }
    for (size_t i = 0; i < QUEUES; i++) palitra_queue_free((palitra_queue){atomic_exchange(&world.queues[i], 0)});
    for (size_t i = 0; i < CALLS; i++) palitra_call_free((palitra_call){atomic_exchange(&world.calls[i], 0)});
    await_finalizers();
    if (atomic_load(&world.given) != atomic_load(&world.freed))
        fprintf(stderr, "%ld given, %ld freed\n", world.given, world.freed);
    MUST(atomic_load(&world.given) == atomic_load(&world.freed) && world.called <= world.given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    size_t threads = next_byte(&input) % THREADS + 1, n = input.left / 5;
    struct share shares[THREADS];
    pthread_t others[THREADS];
    if (n > MOST_CALLS) n = MOST_CALLS;
    memset(bytes, 'x', sizeof bytes);
    atomic_store(&world.given, 0);
    atomic_store(&world.freed, 0);
    atomic_store(&world.called, 0);
    for (size_t i = 0; i < TOKENS; i++) atomic_store(&world.seen[i], -1);
    make_runner(0, 1);
    for (size_t i = 0; i < threads; i++) shares[i] = (struct share){input.data, n, i, threads};
    for (size_t i = 1; i < threads; i++) MUST(pthread_create(&others[i], NULL, do_calls, &shares[i]) == 0);
    do_calls(&shares[0]);
    for (size_t i = 1; i < threads; i++) pthread_join(others[i], NULL);
    end_everything();
    return 0;
}

/* Every public function, called with NULL, zero, huge and stale values and with handles of another kind:
 * each answers a status, nothing crashes, and what a call must not touch it leaves alone. Promise 11. */
#include "test.h"

static palitra_runner runner;   /* alive throughout */
static palitra_token pending;   /* of that runner, unfinished throughout */

#define HUGE_LENGTH (SIZE_MAX / 2 + 1)

static palitra_reply garbage(void)
{
    palitra_reply reply;
    memset(&reply, 0xAA, sizeof reply);
    return reply;
}

/* A refused call has still left a reply that may be freed, and freed again. */
static void check_fit(palitra_status expected, palitra_reply *reply)
{
    CHECK_STATUS(expected, reply->status);
    palitra_reply_free(reply);
    palitra_reply_free(reply);
}

/* ---- handles ---------------------------------------------------------------------------------------- */

static void check_no_runner(uint64_t id)
{
    palitra_runner bad = {id};
    palitra_reply reply = garbage();
    palitra_token token = {0};
    CHECK(!palitra_runner_is_alive(bad));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_run(bad, "palitra.echo", "x", 1, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    reply = garbage();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_run(bad, "palitra.echo", "x", 1, 1, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_submit(bad, "palitra.echo", "x", 1, NULL, &token));
    CHECK_NUMBER(0, token.id);
    reply = garbage();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(bad, pending, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(bad, &pending, 1, PALITRA_FOREVER, NULL));
    reply = garbage();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(bad, &pending, 1, 0, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_shutdown(bad, 0));
    palitra_runner_free(bad);
}

static void check_no_token(uint64_t id)
{
    palitra_token bad = {id}, both[2] = {pending, bad};
    palitra_reply reply = garbage(), replies[2] = {garbage(), garbage()};
    size_t index;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(bad, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_cancel(bad));
    reply = garbage();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(runner, bad, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(runner, both, 2, PALITRA_FOREVER, &index));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(runner, both, 2, 0, PALITRA_FOREVER, replies));
    check_fit(PALITRA_INVALID_HANDLE, &replies[0]);
    check_fit(PALITRA_INVALID_HANDLE, &replies[1]);
    palitra_token_free(bad);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
}

static const uint64_t forged[] = {0, 1, 2, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX, UINT64_MAX - 1,
                                  (uint64_t)1 << 63, 0x5555555555555555u, 0xAAAAAAAAAAAAAAAAu};

static void forged_handles_are_invalid(void)
{
    for (size_t i = 0; i < LENGTH(forged); i++) {
        if (forged[i] != runner.id) check_no_runner(forged[i]);
        if (forged[i] != pending.id) check_no_token(forged[i]);
    }
}

static void a_handle_with_one_bit_changed_is_invalid(void)
{
    for (int bit = 0; bit < 64; bit++) {
        check_no_runner(runner.id ^ (uint64_t)1 << bit);
        check_no_token(pending.id ^ (uint64_t)1 << bit);
    }
}

static void a_handle_of_another_kind_is_invalid(void)
{
    CHECK(runner.id != pending.id);
    check_no_token(runner.id);
    check_no_runner(pending.id);
}

static void a_stale_handle_is_invalid_also_after_its_place_was_taken_again(void)
{
    palitra_runner old_runner = new_runner();
    palitra_token old_token = submit(runner, "palitra.echo", "x");
    palitra_runner_free(old_runner);
    palitra_token_free(old_token);
    check_no_runner(old_runner.id);
    check_no_token(old_token.id);
    for (int i = 0; i < 300; i++) {
        palitra_token token = submit(runner, "test.ready", "");
        CHECK(token.id != old_token.id);
        palitra_token_free(token);
    }
    palitra_runner next = new_runner();
    CHECK(next.id != old_runner.id);
    check_no_runner(old_runner.id);
    check_no_token(old_token.id);
    palitra_runner_free(next);
}

/* ---- jobs and payloads ------------------------------------------------------------------------------ */

static void check_submission_refused(const char *job, const void *data, size_t length, palitra_status expected)
{
    palitra_reply reply = garbage();
    palitra_token token = {0};
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, PALITRA_FOREVER, &reply));
    check_fit(expected, &reply);
    reply = garbage();
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, SECONDS(1), &reply));
    check_fit(expected, &reply);
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, 0, NULL));
    CHECK_STATUS(expected, palitra_runner_submit(runner, job, data, length, NULL, &token));
    CHECK_NUMBER(0, token.id);
}

static void job_names_are_checked(void)
{
    static char long_name[100000];
    memset(long_name, 'x', sizeof long_name - 1);
    check_submission_refused(NULL, "x", 1, PALITRA_INVALID_ARGUMENT);
    check_submission_refused("", "x", 1, PALITRA_UNKNOWN_JOB);
    check_submission_refused(long_name, "x", 1, PALITRA_UNKNOWN_JOB);
    CHECK_REFUSED(palitra_runner_run(runner, "\xff\xfe", "x", 1, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_submit(runner, "\xff\xfe", "x", 1, NULL, NULL));
}

static void payloads_are_checked(void)
{
    check_submission_refused("palitra.echo", NULL, 1, PALITRA_INVALID_ARGUMENT);
    CHECK_REFUSED(palitra_runner_run(runner, "palitra.echo", "x", HUGE_LENGTH, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_run(runner, "palitra.echo", "x", SIZE_MAX, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_submit(runner, "palitra.echo", "x", SIZE_MAX, NULL, NULL));
}

/* ---- arrays of tokens ------------------------------------------------------------------------------- */

static void arrays_of_tokens_are_checked(void)
{
    palitra_reply reply = garbage();
    size_t index = 99;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_gather(runner, NULL, 1, 0, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_gather(runner, &pending, SIZE_MAX, 0, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_gather(runner, &pending, SIZE_MAX / sizeof pending, 0, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT,
                 palitra_runner_gather(runner, &pending, 1, ~PALITRA_FAIL_FAST, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(runner, NULL, 1, PALITRA_FOREVER, &index));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(runner, NULL, 0, PALITRA_FOREVER, &index));
    CHECK_REFUSED(palitra_runner_wait_any(runner, &pending, SIZE_MAX, PALITRA_FOREVER, &index));
    CHECK_NUMBER(99, index);
}

/* ---- options ---------------------------------------------------------------------------------------- */

static const uint32_t wrong_sizes[] = {0, 1, 3, 31, UINT32_MAX};

static void check_runner_options_refused(const palitra_runner_options *options)
{
    palitra_runner out = {0};
    CHECK_REFUSED(palitra_runner_new(options, &out));
    CHECK_NUMBER(0, out.id);
}

static void runner_options_are_checked(void)
{
    palitra_runner_options good, bad;
    palitra_runner_options_init(&good);
    for (size_t i = 0; i < LENGTH(wrong_sizes); i++) {
        bad = good;
        bad.size = wrong_sizes[i];
        check_runner_options_refused(&bad);
    }
    bad = good;
    bad.flags = ~0u;
    check_runner_options_refused(&bad);
    bad = good;
    bad.worker_threads = UINT32_MAX;
    check_runner_options_refused(&bad);
    bad = good;
    bad.thread_stack_size = SIZE_MAX;
    check_runner_options_refused(&bad);
    bad = good;
    bad.thread_name = "\xff\xfe";
    check_runner_options_refused(&bad);
    palitra_runner_options_init(NULL);
}

/* A caller built against a later header passes a larger struct; what this version does not know is zero. */
static void a_larger_struct_is_taken_if_it_asks_for_nothing_unknown(void)
{
    struct { palitra_runner_options known; uint64_t unknown; } later;
    palitra_runner out = {0};
    memset(&later, 0, sizeof later);
    palitra_runner_options_init(&later.known);
    later.known.size = sizeof later;
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&later.known, &out));
    palitra_runner_free(out);
    later.unknown = 1;
    check_runner_options_refused(&later.known);
}

static void check_submit_options_refused(palitra_submit_options options)
{
    palitra_token out = {0};
    CHECK_REFUSED(palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &out));
    CHECK_NUMBER(0, out.id);
}

static void submit_options_are_checked(void)
{
    palitra_submit_options good, bad;
    palitra_submit_options_init(&good);
    for (size_t i = 0; i < LENGTH(wrong_sizes); i++) {
        bad = good;
        bad.size = wrong_sizes[i];
        check_submit_options_refused(bad);
    }
    bad = good;
    bad.flags = ~0u;
    check_submit_options_refused(bad);
    bad = good;
    bad.stream_items = 65537;
    check_submit_options_refused(bad);
    bad = good;
    bad.reserved = 1;
    check_submit_options_refused(bad);
    const uint64_t no_queue[] = {1, UINT64_MAX, runner.id, pending.id};
    for (size_t i = 0; i < LENGTH(no_queue); i++) {
        bad = good;
        bad.queue.id = no_queue[i];
        check_submit_options_refused(bad);
    }
    palitra_submit_options_init(NULL);
}

static void extreme_times_are_taken_as_they_are(void)
{
    const int64_t for_ever[] = {-1, -2, INT64_MIN, INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < LENGTH(for_ever); i++) {
        palitra_submit_options options;
        palitra_token token = {0};
        palitra_submit_options_init(&options);
        options.deadline_ns = for_ever[i];
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, &options, &token));
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, for_ever[i], NULL));
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(runner, &token, 1, for_ever[i], NULL));
        CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, &token, 1, 0, for_ever[i], NULL));
        CHECK_STATUS(PALITRA_OK, palitra_runner_run(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, for_ever[i], NULL));
        palitra_token_free(token);
        palitra_runner own = new_runner();
        CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(own, for_ever[i]));
        palitra_runner_free(own);
    }
}

/* ---- outputs ---------------------------------------------------------------------------------------- */

static void outputs_may_be_null_or_are_refused(void)
{
    palitra_job_info info;
    CHECK_STATUS(PALITRA_OK, palitra_job_at(0, &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(palitra_job_count(), &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(SIZE_MAX, &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(0, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(NULL, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_global(NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.ready", NULL, 0, NULL, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait(runner, pending, 0, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
    palitra_reply_free(NULL);
}

/* The library's own handle of the global runner, freed by mistake. */
static void freeing_the_global_runner_leaves_room_for_the_next(void)
{
    palitra_runner first, second;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&first));
    palitra_runner_free(first);
    check_no_runner(first.id);
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&second));
    CHECK(second.id != first.id);
    check_echo(second);
    CHECK_STATUS(PALITRA_OK, palitra_shutdown_global_runner(0));
}

static void a_token_of_another_runner_is_refused(void)
{
    palitra_runner other = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait(other, pending, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(other, &pending, 1, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_gather(other, &pending, 1, 0, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    palitra_runner_free(other);
}

static void after_all_this_the_runner_is_well(void)
{
    check_echo(runner);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
}

int main(void)
{
    runner = new_runner();
    pending = submit(runner, "test.never", "");
    TEST(forged_handles_are_invalid);
    TEST(a_handle_with_one_bit_changed_is_invalid);
    TEST(a_handle_of_another_kind_is_invalid);
    TEST(a_stale_handle_is_invalid_also_after_its_place_was_taken_again);
    TEST(job_names_are_checked);
    TEST(payloads_are_checked);
    TEST(arrays_of_tokens_are_checked);
    TEST(a_token_of_another_runner_is_refused);
    TEST(freeing_the_global_runner_leaves_room_for_the_next);
    TEST(runner_options_are_checked);
    TEST(a_larger_struct_is_taken_if_it_asks_for_nothing_unknown);
    TEST(submit_options_are_checked);
    TEST(extreme_times_are_taken_as_they_are);
    TEST(outputs_may_be_null_or_are_refused);
    TEST(after_all_this_the_runner_is_well);
    palitra_token_free(pending);
    palitra_runner_free(runner);
    return 0;
}

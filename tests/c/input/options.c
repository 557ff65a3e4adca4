/* Structs of options and figures: invalid options, and sizes that no version has. Each call returns a status.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "bad_input.h"

static const uint32_t wrong_sizes[] = {0, 1, 3, 31, UINT32_MAX};

static void check_runner_options_refused(const palitra_runner_options *options) {
    palitra_runner out = {0};
    CHECK_REFUSED(palitra_runner_new(options, &out));
    CHECK_NUMBER(0, out.id);
}

static void runner_options_are_checked(void) {
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
    bad.spin_limit_ns = 1000001;
    check_runner_options_refused(&bad);
    bad.spin_limit_ns = INT64_MAX;
    check_runner_options_refused(&bad);
    bad = good;
    bad.thread_name = "\xff\xfe";
    check_runner_options_refused(&bad);
    palitra_runner_options_init(NULL);
}

/* A host that was compiled with a later header passes a larger struct, with zeros where this version knows nothing. */
static void a_larger_struct_is_taken_if_it_asks_for_nothing_unknown(void) {
    struct {
        palitra_runner_options known;
        uint64_t unknown;
    } later;
    palitra_runner out = {0};
    memset(&later, 0, sizeof later);
    palitra_runner_options_init(&later.known);
    later.known.size = sizeof later;
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&later.known, &out));
    palitra_runner_free(out);
    later.unknown = 1;
    check_runner_options_refused(&later.known);
}

static void check_submit_options_refused(palitra_submit_options options) {
    palitra_token out = {0};
    palitra_reply reply = garbage_reply();
    CHECK_REFUSED(palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &out));
    CHECK_NUMBER(0, out.id);
    out.id = 7;
    CHECK_REFUSED(palitra_runner_start(runner, "palitra.echo", "x", 1, &options, &out, &reply));
    CHECK_NUMBER(0, out.id);
    palitra_reply_free(&reply);
}

static void submit_options_are_checked(void) {
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

static void sizes_of_stats_are_checked(void) {
    struct {
        palitra_stats known;
        uint64_t unknown[4];
    } later;
    memset(&later, 0xAA, sizeof later);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_stats(runner, NULL));
    const uint32_t wrong[] = {0, 3, 79, UINT32_MAX};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        later.known.size = wrong[i];
        CHECK_REFUSED(palitra_runner_stats(runner, &later.known));
    }
    later.known.size = sizeof later.known; /* and not a byte beyond it */
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &later.known));
    CHECK_NUMBER(0xAAAAAAAAAAAAAAAAu, later.unknown[0]);
}

int main(void) {
    begin_bad_input();
    TEST(runner_options_are_checked);
    TEST(a_larger_struct_is_taken_if_it_asks_for_nothing_unknown);
    TEST(submit_options_are_checked);
    TEST(sizes_of_stats_are_checked);
    return end_bad_input();
}

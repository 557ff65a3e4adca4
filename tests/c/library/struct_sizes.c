/* Structs that grow: a program that was compiled with an older, smaller struct works with this library, and so does one
 * with a later, larger struct. No byte beyond either's own is written.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

/* The structs as the first header had them. Never changed: they stand for programs that were compiled with it. */
typedef struct first_runner_options {
    uint32_t size, worker_threads, max_blocking_threads, flags;
    const char *thread_name;
    size_t thread_stack_size, max_in_flight, max_payload;
} first_runner_options;

typedef struct first_submit_options {
    uint32_t size, flags;
    int64_t deadline_ns;
    palitra_queue queue;
    uint64_t tag;
} first_submit_options;

typedef struct first_stats {
    uint32_t size, threads;
    uint64_t submitted, running, queued, succeeded, failed, panicked, cancelled, deadline, longest_poll_ns;
} first_stats;

#define CANARIES 64u
#define CANARY 0xA5

#define OLD(type) \
    typedef struct { \
        first_##type known; \
        unsigned char canaries[CANARIES]; \
    } old_##type
#define LATER(type) \
    typedef struct { \
        palitra_##type known; \
        uint64_t unknown[4]; \
        unsigned char canaries[CANARIES]; \
    } later_##type
OLD(runner_options);
OLD(submit_options);
OLD(stats);
LATER(runner_options);
LATER(submit_options);
LATER(stats);

/* What a program's own header does to its struct, here full of canaries before. A name in parentheses is the function
 * itself, which the macro of that header calls. */
#define INIT_OLD(type, variable) \
    do { \
        memset(&(variable), CANARY, sizeof(variable)); \
        (palitra_##type##_init)((palitra_##type *)&(variable), sizeof(variable).known); \
    } while (0)
#define INIT_LATER(type, variable) \
    do { \
        memset(&(variable), CANARY, sizeof(variable)); \
        (palitra_##type##_init)(&(variable).known, offsetof(later_##type, canaries)); \
    } while (0)

static void check_canaries(const unsigned char *canaries) {
    for (size_t i = 0; i < CANARIES; i++) CHECK_NUMBER(CANARY, canaries[i]);
}

static void check_zeros(const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) CHECK_NUMBER(0, ((const unsigned char *)bytes)[i]);
}

/* Its size, and otherwise zeros. */
static void check_initialized(const void *options, size_t size) {
    CHECK_NUMBER(size, *(const uint32_t *)options);
    check_zeros((const unsigned char *)options + sizeof(uint32_t), size - sizeof(uint32_t));
}

static void the_first_sizes_are_smaller_than_todays(void) {
    CHECK_NUMBER(16 + 4 * sizeof(void *), sizeof(first_runner_options));
    CHECK_NUMBER(32, sizeof(first_submit_options));
    CHECK_NUMBER(80, sizeof(first_stats));
    CHECK(sizeof(first_runner_options) < sizeof(palitra_runner_options));
    CHECK(sizeof(first_submit_options) < sizeof(palitra_submit_options));
}

static void an_old_program_is_written_no_further_than_its_structs(void) {
    old_runner_options runner;
    old_submit_options submission;
    old_stats stats;
    INIT_OLD(runner_options, runner);
    INIT_OLD(submit_options, submission);
    INIT_OLD(stats, stats);
    check_initialized(&runner, sizeof runner.known);
    check_initialized(&submission, sizeof submission.known);
    check_initialized(&stats, sizeof stats.known);
    check_canaries(runner.canaries);
    check_canaries(submission.canaries);
    check_canaries(stats.canaries);
}

/* What stands behind the old structs is not read either: canaries would be invalid options, or a hook to call. */
static void an_old_program_works(void) {
    old_runner_options options;
    old_submit_options how;
    old_stats stats;
    palitra_runner runner = {0};
    palitra_token token = {0};
    palitra_reply reply;
    INIT_OLD(runner_options, options);
    INIT_OLD(submit_options, how);
    INIT_OLD(stats, stats);
    options.known.max_payload = 8;
    CHECK_STATUS(PALITRA_OK, palitra_runner_new((palitra_runner_options *)&options, &runner));
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "palitra.echo", "123456789", PALITRA_FOREVER, NULL));
    how.known.deadline_ns = PALITRA_SECONDS(20);
    CHECK_STATUS(PALITRA_OK,
                 palitra_runner_submit(runner, "palitra.echo", "old", 3, (palitra_submit_options *)&how, &token));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("old", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, (palitra_stats *)&stats));
    CHECK_NUMBER(1, stats.known.submitted);
    check_canaries(stats.canaries);
    palitra_runner_free(runner);
}

static void a_later_program_is_written_to_the_end_of_its_structs(void) {
    later_runner_options runner;
    later_submit_options submission;
    later_stats stats;
    INIT_LATER(runner_options, runner);
    INIT_LATER(submit_options, submission);
    INIT_LATER(stats, stats);
    check_initialized(&runner, offsetof(later_runner_options, canaries));
    check_initialized(&submission, offsetof(later_submit_options, canaries));
    check_initialized(&stats, offsetof(later_stats, canaries));
    check_canaries(runner.canaries);
    check_canaries(submission.canaries);
    check_canaries(stats.canaries);
}

static void a_later_program_works_as_long_as_it_asks_for_nothing_unknown(void) {
    later_runner_options options;
    later_submit_options how;
    later_stats stats;
    palitra_runner runner = {0};
    palitra_token token = {0};
    INIT_LATER(runner_options, options);
    INIT_LATER(submit_options, how);
    INIT_LATER(stats, stats);
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&options.known, &runner));
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "", 0, &how.known, &token));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
    memset(stats.unknown, CANARY, sizeof stats.unknown);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats.known));
    CHECK_NUMBER(1, stats.known.submitted);
    check_zeros(stats.unknown, sizeof stats.unknown);
    check_canaries(stats.canaries);
    how.unknown[3] = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_submit(runner, "palitra.echo", "", 0, &how.known, NULL));
    palitra_runner_free(runner);
    options.unknown[0] = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options.known, &runner));
}

static void zeros_with_the_size_set_are_the_defaults(void) {
    palitra_runner_options options = {.size = sizeof options};
    palitra_submit_options how = {.size = sizeof how};
    palitra_runner runner = {0};
    palitra_token token = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&options, &runner));
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.02}", 16, &how, &token));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void a_size_that_no_version_has_writes_nothing(void) {
    const uint32_t none[] = {0, 1, 4, 31, 4097, UINT32_MAX};
    unsigned char canaries[2 * CANARIES];
    memset(canaries, CANARY, sizeof canaries);
    for (size_t i = 0; i < LENGTH(none); i++) {
        (palitra_runner_options_init)((palitra_runner_options *)(void *)canaries, none[i]);
        (palitra_submit_options_init)((palitra_submit_options *)(void *)canaries, none[i]);
        (palitra_stats_init)((palitra_stats *)(void *)canaries, none[i]);
    }
    check_canaries(canaries);
    check_canaries(canaries + CANARIES);
    palitra_runner_options_init(NULL);
    palitra_submit_options_init(NULL);
    palitra_stats_init(NULL);
}

int main(void) {
    TEST(the_first_sizes_are_smaller_than_todays);
    TEST(an_old_program_is_written_no_further_than_its_structs);
    TEST(an_old_program_works);
    TEST(a_later_program_is_written_to_the_end_of_its_structs);
    TEST(a_later_program_works_as_long_as_it_asks_for_nothing_unknown);
    TEST(zeros_with_the_size_set_are_the_defaults);
    TEST(a_size_that_no_version_has_writes_nothing);
    return 0;
}

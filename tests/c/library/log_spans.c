/* The log callback gets the messages of jobs, by tracing and by log, with the job's name and the spans they are in. */
#include "test.h"

static palitra_runner runner;

#define MOST 8

static struct {
    int count;
    int32_t levels[MOST];
    char targets[MOST][64], messages[MOST][256];
} seen;

/* The messages of one job come one after the other. */
static void listen(int32_t level, const char *target, const char *message, void *user_data) {
    (void)user_data;
    if (strstr(target, "test_jobs") == NULL) return;
    int i = __atomic_load_n(&seen.count, __ATOMIC_RELAXED);
    CHECK(i < MOST);
    seen.levels[i] = level;
    snprintf(seen.targets[i], sizeof seen.targets[i], "%s", target);
    snprintf(seen.messages[i], sizeof seen.messages[i], "%s", message);
    __atomic_store_n(&seen.count, i + 1, __ATOMIC_RELEASE);
}

static void check_message(int i, int32_t level, const char *message) {
    CHECK_NUMBER(level, seen.levels[i]);
    CHECK(strcmp(seen.targets[i], "palitra_test_jobs::logging") == 0);
    check_text(__FILE__, __LINE__, "message", message, seen.messages[i], strlen(seen.messages[i]));
}

static void check_log(int64_t timeout_ns) {
    seen.count = 0;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.log", "hello", timeout_ns, NULL));
    CHECK_NUMBER(3, __atomic_load_n(&seen.count, __ATOMIC_ACQUIRE));
    check_message(0, PALITRA_LOG_INFO, "job{name=test.log}:page{number=7 kind=plain}: hello n=1");
    check_message(1, PALITRA_LOG_WARN, "job{name=test.log}:page{number=7 kind=plain}: hello by log");
    check_message(2, PALITRA_LOG_ERROR, "job{name=test.log}: hello in a task");
}

static void a_message_says_its_job_and_its_spans_on_whichever_thread(void) {
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_TRACE, listen, NULL, NULL));
    check_log(PALITRA_FOREVER);
    check_log(SECONDS(20));
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
}

static void spans_below_the_level_are_left_out_and_the_job_is_not(void) {
    seen.count = 0;
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, listen, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, run(runner, "test.log", "hello", SECONDS(20), NULL));
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    CHECK_NUMBER(2, seen.count);
    check_message(0, PALITRA_LOG_WARN, "job{name=test.log}: hello by log");
    check_message(1, PALITRA_LOG_ERROR, "job{name=test.log}: hello in a task");
}

static void without_a_callback_nothing_is_logged(void) {
    seen.count = 0;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.log", "hello", SECONDS(20), NULL));
    CHECK_NUMBER(0, seen.count);
}

int main(void) {
    runner = new_runner();
    TEST(a_message_says_its_job_and_its_spans_on_whichever_thread);
    TEST(spans_below_the_level_are_left_out_and_the_job_is_not);
    TEST(without_a_callback_nothing_is_logged);
    palitra_runner_free(runner);
    return 0;
}

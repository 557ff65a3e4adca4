/* The log callback: levels, replacing it, ending it, the warning that names a job which blocks, forked children. */
#include "test.h"

static palitra_runner runner;

/* What a log callback was called with. */
struct log {
    int messages, frees;
    int32_t level;
    char target[64], message[512];
};

static void listen(int32_t level, const char *target, const char *message, void *user_data) {
    struct log *log = user_data;
    log->level = level;
    snprintf(log->target, sizeof log->target, "%s", target);
    snprintf(log->message, sizeof log->message, "%s", message);
    __atomic_fetch_add(&log->messages, 1, __ATOMIC_RELEASE);
}

static void note_free(void *user_data) { __atomic_fetch_add(&((struct log *)user_data)->frees, 1, __ATOMIC_RELEASE); }

static int messages(struct log *log) { return __atomic_load_n(&log->messages, __ATOMIC_ACQUIRE); }

static int frees(struct log *log) { return __atomic_load_n(&log->frees, __ATOMIC_ACQUIRE); }

static palitra_status log_to(int32_t level, struct log *log) { return palitra_log_set(level, listen, log, note_free); }

static void log_off(void) { CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL)); }

/* A job that blocks its thread for longer than the 100 ms after which the log warns. */
static void block(void) { CHECK_STATUS(PALITRA_OK, run(runner, "test.spin", "{\"seconds\":0.2}", SECONDS(20), NULL)); }

/* Blocks until the condition holds. On a busy machine the library may look too late to see the first time. */
#define BLOCK_UNTIL(condition) \
    do { \
        block(); \
    } while (!(condition))

static void a_job_that_blocks_its_thread_is_warned_of_by_name(void) {
    struct log log = {0};
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &log));
    BLOCK_UNTIL(messages(&log) > 0);
    log_off();
    CHECK_NUMBER(PALITRA_LOG_WARN, log.level);
    CHECK(strcmp(log.target, "palitra") == 0);
    CHECK(strstr(log.message, "test.spin") != NULL);
}

static void a_job_that_sleeps_is_not(void) {
    struct log log = {0};
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &log));
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.sleep", "{\"seconds\":0.3}", SECONDS(20), NULL));
    check_echo(runner);
    log_off();
    CHECK_NUMBER(0, messages(&log));
}

static void a_warning_is_logged_from_its_level_on(void) {
    for (int32_t level = PALITRA_LOG_ERROR; level <= PALITRA_LOG_TRACE; level++) {
        struct log log = {0};
        CHECK_STATUS(PALITRA_OK, log_to(level, &log));
        BLOCK_UNTIL(level < PALITRA_LOG_WARN || messages(&log) > 0);
        check_echo(runner);
        log_off();
        CHECK_NUMBER(level >= PALITRA_LOG_WARN, messages(&log) > 0);
    }
}

static void a_new_listener_replaces_the_one_before_which_is_freed_once(void) {
    struct log first = {0}, second = {0};
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_TRACE, &first));
    CHECK_NUMBER(0, frees(&first));
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &second));
    CHECK_NUMBER(1, frees(&first));
    BLOCK_UNTIL(messages(&second) > 0);
    CHECK_NUMBER(0, messages(&first));
    CHECK_NUMBER(0, frees(&second));
    log_off();
    CHECK_NUMBER(1, frees(&second));
    int logged = messages(&second);
    block();
    check_echo(runner);
    CHECK_NUMBER(logged, messages(&second));
    CHECK_NUMBER(1, frees(&first));
    CHECK_NUMBER(1, frees(&second));
}

static void what_is_not_listened_with_is_freed_too(void) {
    struct log off = {0}, none = {0}, low = {0}, high = {0}, kept = {0};
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &kept));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, log_to(-1, &low));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, log_to(PALITRA_LOG_TRACE + 1, &high));
    CHECK_NUMBER(0, frees(&kept)); /* a refused call changes nothing */
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, NULL, &none, note_free));
    CHECK_NUMBER(1, frees(&kept));
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_OFF, &off));
    CHECK_NUMBER(1, frees(&low));
    CHECK_NUMBER(1, frees(&high));
    CHECK_NUMBER(1, frees(&none));
    CHECK_NUMBER(1, frees(&off));
}

/* ---- from the callback ------------------------------------------------------------------------------ */

static struct log replacement;
static int blocking, replaced_frees;

/* On the runner's thread, amid a poll: it may call everything that does not block. */
static void use_the_library(int32_t level, const char *target, const char *message, void *user_data) {
    (void)level, (void)target, (void)message, (void)user_data;
    palitra_token token = submit(runner, "palitra.echo", "x");
    blocking = palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &replacement));
    CHECK_NUMBER(0, replaced_frees); /* this one is still running */
}

static void count_free(void *count) { __atomic_fetch_add((int *)count, 1, __ATOMIC_RELEASE); }

static void a_callback_may_use_the_library_and_replace_itself(void) {
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, use_the_library, &replaced_frees, count_free));
    BLOCK_UNTIL(__atomic_load_n(&replaced_frees, __ATOMIC_ACQUIRE) == 1);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, blocking);
    BLOCK_UNTIL(messages(&replacement) > 0);
    log_off();
    CHECK_NUMBER(1, replaced_frees);
    CHECK_NUMBER(1, frees(&replacement));
}

static void *replace_often(void *log) {
    for (int i = 0; i < 2000; i++) CHECK_STATUS(PALITRA_OK, log_to(1 + i % 5, log));
    return NULL;
}

static void it_is_replaced_from_several_threads(void) {
    struct log log = {0};
    pthread_t threads[4];
    for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(replace_often, &log);
    block();
    for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
    log_off();
    CHECK_NUMBER(2000 * LENGTH(threads), frees(&log));
}

/* ---- forked children -------------------------------------------------------------------------------- */

static void nobody_listens_until_the_child_asks(void *parents) {
    struct log own = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(NULL, &runner));
    block();
    check_echo(runner);
    CHECK_NUMBER(0, messages(parents));
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &own));
    CHECK_NUMBER(0, frees(parents)); /* the parent's is the parent's to free */
    BLOCK_UNTIL(messages(&own) > 0);
    CHECK_NUMBER(0, messages(parents));
    palitra_runner_free(runner);
    log_off();
    CHECK_NUMBER(1, frees(&own));
}

static void a_forked_child_listens_for_itself(void) {
    struct log log = {0};
    CHECK_STATUS(PALITRA_OK, log_to(PALITRA_LOG_WARN, &log));
    CHECK_EXIT(0, in_child(nobody_listens_until_the_child_asks, &log));
    CHECK_NUMBER(0, messages(&log) + frees(&log));
    BLOCK_UNTIL(messages(&log) > 0);
    log_off();
    CHECK_NUMBER(1, frees(&log));
}

int main(void) {
    runner = new_runner();
    TEST(a_job_that_blocks_its_thread_is_warned_of_by_name);
    TEST(a_job_that_sleeps_is_not);
    TEST(a_warning_is_logged_from_its_level_on);
    TEST(a_new_listener_replaces_the_one_before_which_is_freed_once);
    TEST(what_is_not_listened_with_is_freed_too);
    TEST(a_callback_may_use_the_library_and_replace_itself);
    TEST(it_is_replaced_from_several_threads);
    TEST(a_forked_child_listens_for_itself);
    palitra_runner_free(runner);
    return 0;
}

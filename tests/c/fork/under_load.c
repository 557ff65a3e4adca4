/* A thousand forks while other threads submit, wait, drain, log and make runners as fast as they can: no child finds a
 * lock that is held forever. Each child uses palitra itself and exits; the parent continues.
 *
 * A child that hangs is ended by its watchdog, and fails the test.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

#define FORKS 1000
#define CHILDREN_AT_A_TIME 3

static palitra_runner shared;
static palitra_queue queue;
static int stop;

static int stopped(void) { return __atomic_load_n(&stop, __ATOMIC_RELAXED); }

static void ignore_status(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status, (void)user_data;
}

static void ignore_log(int32_t level, const char *target, const char *message, void *user_data) {
    (void)level, (void)target, (void)message, (void)user_data;
}

/* Fills the submission queue and the completion queue, registers callbacks, waits for some and frees all. */
static void *submit_and_submit(void *unused) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    while (!stopped()) {
        palitra_token tokens[32];
        for (size_t i = 0; i < LENGTH(tokens); i++) {
            CHECK_STATUS(PALITRA_OK, palitra_runner_submit(shared, "palitra.echo", "x", 1, &options, &tokens[i]));
            CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(tokens[i], ignore_status, malloc(8), free));
        }
        palitra_runner_gather(shared, tokens, LENGTH(tokens), 0, PALITRA_FOREVER, NULL);
        for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
    }
    return unused;
}

static void *drain(void *unused) {
    palitra_event events[64];
    size_t n = 0;
    while (palitra_queue_next(queue, PALITRA_FOREVER, events, LENGTH(events), &n) == PALITRA_OK) continue;
    return unused;
}

/* Whatever is made and unmade: runners with their threads, queues with their descriptors, log callbacks. */
static void *make_and_unmake(void *unused) {
    while (!stopped()) {
        palitra_runner own = new_runner();
        palitra_queue queue_of_own = {0};
        CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue_of_own));
        CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_TRACE, ignore_log, malloc(8), free));
        palitra_token token = submit(own, "palitra.sleep", "{\"seconds\": 100}");
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
        palitra_token_free(token);
        palitra_queue_free(queue_of_own);
        palitra_runner_free(own);
    }
    return unused;
}

static void *use_and_end_the_global_runner(void *unused) {
    while (!stopped()) {
        palitra_runner runner = {0};
        CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
        run(runner, "palitra.sleep", "{\"seconds\": 0.0001}", PALITRA_FOREVER, NULL);
        /* A busy machine may make it PENDING: the bound is not what this test is about. */
        palitra_shutdown_global_runner(0);
    }
    return unused;
}

static void use_everything(void) {
    palitra_queue own_queue = {0};
    palitra_event event;
    palitra_submit_options options;
    CHECK_STATUS(PALITRA_FORKED, run(shared, "palitra.echo", "x", PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_FORKED, palitra_queue_next(queue, PALITRA_FOREVER, &event, 1, NULL));
    use_the_global_runner(NULL);
    palitra_runner own = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&own_queue));
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_TRACE, ignore_log, malloc(8), free));
    palitra_submit_options_init(&options);
    options.queue = own_queue;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(own, "palitra.echo", "x", 1, &options, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(own_queue, SECONDS(20), &event, 1, NULL));
    palitra_queue_free(own_queue);
    palitra_runner_free(own);
    palitra_runner_free(shared);
    palitra_queue_free(queue);
}

/* Every other child leaves in the middle of it. */
static void live(int number) {
    watchdog();
    if (number % 2 == 0) {
        use_everything();
        exit(0);
    }
    palitra_runner own = new_runner();
    for (int i = 0; i < 20; i++) submit(own, "palitra.sleep", "{\"seconds\": 0.001}");
    exit(0);
}

static void reap_one(void) {
    int ending = 0;
    while (wait(&ending) < 0) CHECK_NUMBER(EINTR, errno);
    CHECK_EXIT(0, ending);
}

static void fork_and_fork(void) {
    int alive = 0;
    fflush(NULL);
    for (int number = 0; number < FORKS; number++) {
        if (alive == CHILDREN_AT_A_TIME) {
            reap_one();
            alive--;
        }
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) live(number);
        alive++;
        watchdog();
    }
    while (alive-- > 0) reap_one();
}

static void a_thousand_forks_under_load_leave_no_child_hanging(void) {
    void *(*const loads[])(void *) = {submit_and_submit, submit_and_submit, make_and_unmake,
                                      use_and_end_the_global_runner, drain};
    pthread_t threads[LENGTH(loads)];
    shared = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    for (size_t i = 0; i < LENGTH(loads); i++) threads[i] = start_thread(loads[i], NULL);
    fork_and_fork();
    check_echo(shared);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    for (size_t i = 0; i < LENGTH(loads); i++) join_thread(threads[i]);
    palitra_queue_free(queue);
    palitra_runner_free(shared);
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
}

int main(void) {
    TEST(a_thousand_forks_under_load_leave_no_child_hanging);
    return 0;
}

/* A system that refuses threads or descriptors: the call returns a status, everything is undone, nothing is printed.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "refused.h"

#include <fcntl.h>
#include <sys/resource.h>

#define WORKERS 4
/* The runner's own, its watchdog and the workers. */
#define NEEDED (2 + WORKERS)

/* What is written to stderr from here on. */
static FILE *written;
static int real_stderr = -1;

static void catch_stderr(void) {
    fflush(stderr);
    written = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    CHECK(written != NULL && real_stderr >= 0 && dup2(fileno(written), STDERR_FILENO) >= 0);
}

/* How many bytes were; shown if they are too many. */
static long end_of_catching(long expected) {
    char text[400] = {0};
    fflush(stderr);
    long length = (long)lseek(fileno(written), 0, SEEK_END);
    if (pread(fileno(written), text, sizeof text - 1, 0) < 0) text[0] = 0;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    fclose(written);
    if (expected == 0 && length > 0) fprintf(stderr, "printed: %s", text);
    return length;
}

static palitra_status make(uint32_t workers, palitra_runner *runner) {
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.worker_threads = workers;
    return palitra_runner_new(&options, runner);
}

struct state {
    int threads, descriptors;
    sigset_t mask;
};

static struct state state_now(void) {
    struct state state;
    state.threads = threads_now();
    state.descriptors = descriptors_now();
    pthread_sigmask(SIG_SETMASK, NULL, &state.mask);
    return state;
}

static void check_mask(const struct state *before) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++)
        CHECK_NUMBER(sigismember(&before->mask, number), sigismember(&mask, number));
}

/* A thread leaves the list a moment after it was joined. */
static void check_undone(const struct state *before) {
    check_mask(before);
    EVENTUALLY(threads_now() == before->threads);
    CHECK_NUMBER(before->descriptors, descriptors_now());
}

static void check_refused_runner(uint32_t workers, const struct state *before) {
    palitra_runner runner = {1};
    CHECK_STATUS(PALITRA_INTERNAL, make(workers, &runner));
    CHECK_NUMBER(0, runner.id);
    check_undone(before);
}

static void check_good_runner(uint32_t workers) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, make(workers, &runner));
    check_echo(runner);
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.001}");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

static void too_few_threads_for_all_workers_are_a_status_and_all_is_undone(void) {
    check_good_runner(WORKERS);
    struct state before = state_now();
    for (int count = 0; count < NEEDED; count++) {
        catch_stderr();
        struct state caught = state_now();
        allowed = count;
        check_refused_runner(WORKERS, &caught);
        allowed = INT_MAX;
        CHECK_NUMBER(0, end_of_catching(0));
        check_undone(&before);
    }
}

static void exactly_as_many_threads_as_it_needs_suffice(void) {
    allowed = NEEDED;
    for (int round = 0; round < 20; round++) {
        check_good_runner(WORKERS);
        EVENTUALLY(__atomic_load_n(&living, __ATOMIC_SEQ_CST) == 0);
    }
    allowed = 2;
    check_good_runner(0);
    allowed = INT_MAX;
}

/* Whichever creation is refused, as when another program takes the place in that moment: every thread ends, the mask
 * is restored, and the next runner works. Where tokio expected the thread, tokio may print a message and keep three
 * descriptors. */
static void each_single_thread_that_is_refused_is_a_status(void) {
    for (int number = 1;; number++) {
        struct state before = state_now();
        palitra_runner runner = {0};
        catch_stderr();
        refused = 0;
        refuse_in = number;
        palitra_status status = make(WORKERS, &runner);
        refuse_in = 0;
        long length = end_of_catching(number <= NEEDED ? 0 : 1);
        if (status == PALITRA_OK) {
            CHECK_NUMBER(0, refused);
            palitra_runner_free(runner);
            CHECK(number > NEEDED);
            break;
        }
        CHECK_STATUS(PALITRA_INTERNAL, status);
        CHECK_NUMBER(1, refused);
        check_mask(&before);
        EVENTUALLY(threads_now() == before.threads);
        if (number <= NEEDED) {
            CHECK_NUMBER(0, length);
            CHECK_NUMBER(before.descriptors, descriptors_now());
        } else {
            CHECK(descriptors_now() <= before.descriptors + 3);
        }
    }
    check_good_runner(WORKERS);
}

static void the_only_thread_refused_is_a_status(void) {
    struct state before = state_now();
    catch_stderr();
    struct state caught = state_now();
    allowed = 0;
    check_refused_runner(0, &caught);
    allowed = INT_MAX;
    CHECK_NUMBER(0, end_of_catching(0));
    check_undone(&before);
    check_good_runner(0);
}

/* The system's own limit, which does not bind the super-user; nobody else has this number. */
static void make_runners_within_a_limit_of_the_systems(void *unused) {
    (void)unused;
    if (geteuid() == 0) CHECK(setgid(64321) == 0 && setuid(64321) == 0);
    for (int count = 0; count <= NEEDED; count++) {
        /* This thread counts too. */
        struct rlimit limit = {(rlim_t)count + 1, (rlim_t)NEEDED + 1};
        CHECK_NUMBER(0, setrlimit(RLIMIT_NPROC, &limit));
        struct state before = state_now();
        if (count < NEEDED) {
            check_refused_runner(WORKERS, &before);
        } else {
            for (int round = 0; round < 20; round++) {
                check_good_runner(WORKERS);
                check_undone(&before);
            }
        }
    }
}

static void a_limit_of_the_systems_on_threads_is_a_status(void) {
    if (geteuid() != 0) return; /* the user's other threads would count, however many they are */
    catch_stderr();
    int ending = in_child(make_runners_within_a_limit_of_the_systems, NULL);
    if (ending == 0) CHECK_NUMBER(0, end_of_catching(0));
    else end_of_catching(0);
    CHECK_EXIT(0, ending);
}

/* ---- descriptors ------------------------------------------------------------------------------------ */

static void descriptors_that_are_refused_are_a_status(uint32_t workers) {
    struct rlimit unlimited, limit;
    CHECK_NUMBER(0, getrlimit(RLIMIT_NOFILE, &unlimited));
    int refusals = 0;
    for (rlim_t more = 0;; more++) {
        catch_stderr();
        struct state before = state_now();
        /* The next free number, as all below it are taken by then. */
        int next = dup(STDIN_FILENO);
        close(next);
        limit = (struct rlimit){(rlim_t)next + more, unlimited.rlim_max};
        CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &limit));
        palitra_runner runner = {0};
        palitra_status status = make(workers, &runner);
        CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &unlimited));
        if (status == PALITRA_OK) {
            palitra_runner_free(runner);
            CHECK_NUMBER(0, end_of_catching(0));
            break;
        }
        CHECK_STATUS(PALITRA_INTERNAL, status);
        check_undone(&before);
        CHECK_NUMBER(0, end_of_catching(0));
        refusals++;
    }
    CHECK(refusals > 0);
    check_good_runner(workers);
}

static void descriptors_refused_to_a_runner_are_a_status(void) { descriptors_that_are_refused_are_a_status(0); }
static void descriptors_refused_to_workers_are_a_status(void) { descriptors_that_are_refused_are_a_status(WORKERS); }

static void a_descriptor_refused_to_a_queue_is_minus_one_and_the_queue_works_without(void) {
    struct rlimit unlimited, limit;
    palitra_queue queue = {0};
    palitra_event event;
    CHECK_NUMBER(0, getrlimit(RLIMIT_NOFILE, &unlimited));
    limit = (struct rlimit){0, unlimited.rlim_max};
    CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &limit));
    palitra_status status = palitra_queue_new(&queue);
    int refused = palitra_queue_fd(queue);
    CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &unlimited));
    CHECK_STATUS(PALITRA_OK, status);
    CHECK_NUMBER(-1, refused);
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
    CHECK(palitra_queue_fd(queue) >= 0);
    palitra_queue_free(queue);
}

/* ---- jobs ------------------------------------------------------------------------------------------- */

static void check_job_is_refused_its_thread(palitra_status status, const palitra_reply *reply) {
    CHECK_STATUS(PALITRA_JOB_PANICKED, status);
    CHECK_REPLY_CONTAINS("thread", *reply);
}

static void a_blocking_thread_refused_to_a_job_fails_that_job_and_nothing_else(void) {
    for (uint32_t workers = 0; workers <= WORKERS; workers += WORKERS) {
        palitra_runner runner = {0};
        palitra_reply reply;
        CHECK_STATUS(PALITRA_OK, make(workers, &runner));
        catch_stderr();
        allowed = 0;
        /* First on the host's thread, then on the runner's. */
        for (int64_t timeout = PALITRA_FOREVER; timeout <= SECONDS(20); timeout += SECONDS(20) + 1) {
            palitra_status status = run(runner, "test.spawn_blocking", "{\"seconds\": 0}", timeout, &reply);
            check_job_is_refused_its_thread(status, &reply);
            palitra_reply_free(&reply);
        }
        allowed = INT_MAX;
        /* Panics of jobs are printed. */
        end_of_catching(1);
        CHECK_STATUS(PALITRA_OK, run(runner, "test.spawn_blocking", "{\"seconds\": 0}", SECONDS(20), NULL));
        check_echo(runner);
        palitra_runner_free(runner);
    }
}

int main(void) {
    /* First: a forked child of a process with one thread. */
    TEST(a_limit_of_the_systems_on_threads_is_a_status);
    TEST(too_few_threads_for_all_workers_are_a_status_and_all_is_undone);
    TEST(exactly_as_many_threads_as_it_needs_suffice);
    TEST(each_single_thread_that_is_refused_is_a_status);
    TEST(the_only_thread_refused_is_a_status);
    TEST(descriptors_refused_to_a_runner_are_a_status);
    TEST(descriptors_refused_to_workers_are_a_status);
    TEST(a_descriptor_refused_to_a_queue_is_minus_one_and_the_queue_works_without);
    TEST(a_blocking_thread_refused_to_a_job_fails_that_job_and_nothing_else);
    return 0;
}

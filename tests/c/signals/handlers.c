/* A signal handler of the host's never runs on a thread of the library's, however that thread was made. Programs that
 * jobs and callbacks start have the host's signals.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "masks.h"
#include "refused.h"

#include <spawn.h>

/* ---- handlers --------------------------------------------------------------------------------------- */

static _Thread_local int is_the_hosts;
static int handled, handled_elsewhere;

static void handle(int number) {
    (void)number;
    __atomic_add_fetch(is_the_hosts ? &handled : &handled_elsewhere, 1, __ATOMIC_SEQ_CST);
}

/* While every thread of the host's blocks a signal, it stays pending. A thread of the library's that does not block it
 * would take it. */
static void check_signals_wait_for_the_host(void) {
    handled = handled_elsewhere = 0;
    mask_of_this_thread(SIG_BLOCK, SIGUSR1, SIGCHLD);
    for (int i = 0; i < 50; i++) {
        sigset_t pending;
        CHECK_NUMBER(0, kill(getpid(), SIGUSR1));
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) _exit(0);
        CHECK_NUMBER(child, waitpid(child, NULL, 0));
        CHECK_NUMBER(0, sigpending(&pending));
        CHECK_NUMBER(0, handled_elsewhere);
        CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGCHLD));
        mask_of_this_thread(SIG_UNBLOCK, SIGUSR1, SIGCHLD);
        CHECK_NUMBER(2 * (i + 1), __atomic_load_n(&handled, __ATOMIC_SEQ_CST));
        mask_of_this_thread(SIG_BLOCK, SIGUSR1, SIGCHLD);
    }
    mask_of_this_thread(SIG_UNBLOCK, SIGUSR1, SIGCHLD);
}

static void open_handlers(void) {
    struct sigaction action = {.sa_handler = handle};
    is_the_hosts = 1;
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGCHLD, &action, NULL) == 0);
    made_open = made = 0;
}

static void close_handlers(void) {
    signal(SIGUSR1, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    CHECK(made > 0);
    /* Each started with every signal blocked, so there is no moment in which it could take one. */
    CHECK_NUMBER(0, made_open);
}

static void no_handler_runs_on_the_runners_thread(void) {
    open_handlers();
    palitra_runner runner = runner_with_workers(0);
    check_signals_wait_for_the_host();
    palitra_runner_free(runner);
    close_handlers();
}

static void no_handler_runs_on_a_worker(void) {
    open_handlers();
    palitra_runner runner = runner_with_workers(3);
    check_signals_wait_for_the_host();
    palitra_runner_free(runner);
    close_handlers();
}

static void check_blocking_threads(uint32_t workers, int on_the_runner) {
    open_handlers();
    palitra_runner runner = runner_with_workers(workers);
    palitra_token tokens[4];
    const char *payload = "{\"seconds\": 0.05}";
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        palitra_reply ended;
        if (on_the_runner) tokens[i] = submit(runner, "test.spawn_blocking", payload);
        else
            CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(runner, "test.spawn_blocking", payload, strlen(payload),
                                                               NULL, &tokens[i], &ended));
    }
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[i], SECONDS(20), NULL));
        palitra_token_free(tokens[i]);
    }
    CHECK(made >= 2);
    /* The threads stay for some seconds. */
    check_signals_wait_for_the_host();
    palitra_runner_free(runner);
    close_handlers();
}

static void no_handler_runs_on_a_blocking_thread_of_the_runners(void) {
    check_blocking_threads(0, 1);
    check_blocking_threads(2, 1);
}

static void no_handler_runs_on_a_blocking_thread_of_a_first_poll(void) {
    check_blocking_threads(0, 0);
    check_blocking_threads(2, 0);
}

static void a_first_poll_leaves_the_mask_of_its_thread(void) {
    sigset_t before, after;
    palitra_runner runner = runner_with_workers(0);
    mask_of_this_thread(SIG_BLOCK, SIGUSR1, SIGCHLD);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    made = 0;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.spawn_blocking", "{\"seconds\": 0}", PALITRA_FOREVER, NULL));
    CHECK_NUMBER(1, made);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < NSIG; number++)
        CHECK_NUMBER(sigismember(&before, number), sigismember(&after, number));
    mask_of_this_thread(SIG_UNBLOCK, SIGUSR1, SIGCHLD);
    palitra_runner_free(runner);
}

/* ---- programs --------------------------------------------------------------------------------------- */

/* The program ends by either signal, and soon. */
static void check_dies_by(pid_t program, int number) {
    int ending = 0;
    CHECK(program > 0);
    CHECK_NUMBER(0, kill(program, number));
    double start = now();
    for (;;) {
        pid_t ended = waitpid(program, &ending, WNOHANG);
        if (ended == program) break;
        if (ended != 0 || now() - start > 5.0 * slowness()) {
            fprintf(stderr, "the program survived signal %d", number);
            kill(program, SIGKILL);
            fail(__FILE__, __LINE__);
        }
        pause_for(0.001);
    }
    CHECK(WIFSIGNALED(ending));
    CHECK_NUMBER(number, WTERMSIG(ending));
}

static const int ends[] = {SIGTERM, SIGINT};

static pid_t started_by(palitra_runner runner, const char *means, const char *place, int64_t timeout) {
    char payload[100], text[16] = {0};
    palitra_reply reply;
    snprintf(payload, sizeof payload, "{\"means\": \"%s\", \"place\": \"%s\"}", means, place);
    palitra_status status = run(runner, "test.command", payload, timeout, &reply);
    if (status != PALITRA_OK) fprintf(stderr, "%.*s\n", (int)reply.len, (const char *)reply.data);
    CHECK_STATUS(PALITRA_OK, status);
    CHECK(reply.len < sizeof text);
    memcpy(text, reply.data, reply.len);
    palitra_reply_free(&reply);
    return (pid_t)atoi(text);
}

/* Wherever the job is when it starts the program. With a timeout a job starts on the runner's thread. */
static void check_programs_of_jobs(const char *means) {
    for (uint32_t workers = 0; workers <= 2; workers += 2) {
        palitra_runner runner = runner_with_workers(workers);
        for (size_t i = 0; i < LENGTH(ends); i++) {
            check_dies_by(started_by(runner, means, "here", SECONDS(20)), ends[i]);
            check_dies_by(started_by(runner, means, "later", SECONDS(20)), ends[i]);
            check_dies_by(started_by(runner, means, "blocking", SECONDS(20)), ends[i]);
            check_dies_by(started_by(runner, means, "here", PALITRA_FOREVER), ends[i]);
            check_dies_by(started_by(runner, means, "here_after_blocking", PALITRA_FOREVER), ends[i]);
            check_dies_by(started_by(runner, means, "blocking", PALITRA_FOREVER), ends[i]);
        }
        palitra_runner_free(runner);
    }
}

static void a_program_that_a_job_forks_has_the_hosts_signals(void) { check_programs_of_jobs("fork"); }
static void a_command_of_a_job_has_the_hosts_signals_if_asked(void) { check_programs_of_jobs("host_signals"); }

static void a_plain_command_of_a_first_poll_has_the_hosts_signals(void) {
    palitra_runner runner = runner_with_workers(0);
    for (size_t i = 0; i < LENGTH(ends); i++)
        check_dies_by(started_by(runner, "plain", "here", PALITRA_FOREVER), ends[i]);
    palitra_runner_free(runner);
}

/* What the host blocks stays blocked: it is the host's mask, not an empty one. */
static void what_the_host_blocks_is_blocked_in_its_programs(void) {
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &terminate, NULL);
    palitra_runner runner = runner_with_workers(0);
    pthread_sigmask(SIG_UNBLOCK, &terminate, NULL);
    const char *means[] = {"fork", "host_signals"};
    for (size_t i = 0; i < LENGTH(means); i++) {
        pid_t program = started_by(runner, means[i], "later", SECONDS(20));
        CHECK_NUMBER(0, kill(program, SIGTERM));
        pause_for(0.1);
        CHECK_NUMBER(0, waitpid(program, NULL, WNOHANG));
        check_dies_by(program, SIGINT);
    }
    palitra_runner_free(runner);
}

static sigset_t hosts_mask;
static pid_t program_of_callback;

static char *const sleeping[] = {(char *)"sleep", (char *)"60", NULL};

static void fork_and_exec(palitra_token token, palitra_status status, void *unused) {
    (void)token, (void)status, (void)unused;
    pid_t program = fork();
    if (program == 0) {
        execvp("sleep", sleeping);
        _exit(127);
    }
    __atomic_store_n(&program_of_callback, program, __ATOMIC_SEQ_CST);
}

/* In the way that the header describes. */
static void spawn_with_a_mask(palitra_token token, palitra_status status, void *environment) {
    (void)token, (void)status;
    pid_t program = -1;
    posix_spawnattr_t attributes;
    CHECK_NUMBER(0, posix_spawnattr_init(&attributes));
    CHECK_NUMBER(0, posix_spawnattr_setsigmask(&attributes, &hosts_mask));
    CHECK_NUMBER(0, posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK));
    CHECK_NUMBER(0, posix_spawnp(&program, "sleep", NULL, &attributes, sleeping, environment));
    posix_spawnattr_destroy(&attributes);
    __atomic_store_n(&program_of_callback, program, __ATOMIC_SEQ_CST);
}

static void check_program_of_callback(palitra_complete_fn callback) {
    for (uint32_t workers = 0; workers <= 2; workers += 2) {
        palitra_runner runner = runner_with_workers(workers);
        for (size_t i = 0; i < LENGTH(ends); i++) {
            program_of_callback = 0;
            palitra_token token = submit(runner, "palitra.echo", "");
            CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, callback, environ, NULL));
            EVENTUALLY(__atomic_load_n(&program_of_callback, __ATOMIC_SEQ_CST) != 0);
            check_dies_by(program_of_callback, ends[i]);
            palitra_token_free(token);
        }
        palitra_runner_free(runner);
    }
}

static void a_program_that_a_callback_forks_has_the_hosts_signals(void) { check_program_of_callback(fork_and_exec); }

static void a_program_that_a_callback_spawns_has_the_mask_it_is_given(void) {
    pthread_sigmask(SIG_SETMASK, NULL, &hosts_mask);
    check_program_of_callback(spawn_with_a_mask);
}

int main(void) {
    /* As in a terminal, whatever started this test. */
    signal(SIGINT, SIG_DFL);
    unblock_all_signals();
    TEST(no_handler_runs_on_the_runners_thread);
    TEST(no_handler_runs_on_a_worker);
    TEST(no_handler_runs_on_a_blocking_thread_of_the_runners);
    TEST(no_handler_runs_on_a_blocking_thread_of_a_first_poll);
    TEST(a_first_poll_leaves_the_mask_of_its_thread);
    TEST(a_program_that_a_job_forks_has_the_hosts_signals);
    TEST(a_command_of_a_job_has_the_hosts_signals_if_asked);
    TEST(a_plain_command_of_a_first_poll_has_the_hosts_signals);
    TEST(what_the_host_blocks_is_blocked_in_its_programs);
    TEST(a_program_that_a_callback_forks_has_the_hosts_signals);
    TEST(a_program_that_a_callback_spawns_has_the_mask_it_is_given);
    return 0;
}

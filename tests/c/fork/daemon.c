/* Processes that descend from a process with a runner: daemons, grandchildren three deep, and other programs.
 *
 * With the argument "descriptors" this program is that other program: it exits with the number of descriptors that it
 * was started with.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>

extern char **environ;

/* ---- daemons ---------------------------------------------------------------------------------------- */

static void close_all_but(int kept) {
    for (int fd = 3; fd < 256; fd++)
        if (fd != kept) close(fd);
}

static void detach_from_the_terminal(void) {
    int nowhere = open("/dev/null", O_RDWR);
    CHECK(nowhere >= 0 && chdir("/") == 0);
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    if (nowhere > STDERR_FILENO) close(nowhere);
}

/* The usual way: fork, a session of its own, fork again, close every descriptor. */
static void become_a_daemon(int report) {
    watchdog();
    CHECK(setsid() > 0);
    if (fork() != 0) _exit(0);
    watchdog();
    umask(0);
    close_all_but(report);
    detach_from_the_terminal();
}

static void live_as_a_daemon(palitra_runner parents, int report) {
    become_a_daemon(report);
    CHECK_STATUS(PALITRA_FORKED, run(parents, "palitra.echo", "x", PALITRA_FOREVER, NULL));
    for (int day = 0; day < 3; day++) use_the_global_runner(NULL);
    palitra_runner own = new_runner();
    check_echo(own);
    palitra_runner_free(own);
    CHECK(write(report, "well", 4) == 4);
    exit(0);
}

/* Nobody can wait for a daemon's end: it reports through a pipe, which its end closes. */
static void check_report(int report) {
    char text[8] = {0};
    struct pollfd ready = {.fd = report, .events = POLLIN};
    CHECK_NUMBER(1, poll(&ready, 1, 20000));
    ssize_t length = read(report, text, sizeof text);
    check_text(__FILE__, __LINE__, "the daemon's report", "well", text, length < 0 ? 0 : (size_t)length);
}

static void start_a_daemon(palitra_runner runner) {
    int pipe_ends[2];
    CHECK_NUMBER(0, pipe(pipe_ends));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) live_as_a_daemon(runner, pipe_ends[1]);
    close(pipe_ends[1]);
    int ending = 0;
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    CHECK_EXIT(0, ending);
    check_report(pipe_ends[0]);
    close(pipe_ends[0]);
}

static void a_daemon_has_runners_of_its_own_and_its_parent_keeps_its_own(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.5}");
    start_a_daemon(runner);
    check_echo(runner);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), NULL));
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void a_daemon_of_a_process_without_a_runner_works(void *unused) {
    palitra_runner none = {0};
    (void)unused;
    int pipe_ends[2];
    CHECK_NUMBER(0, pipe(pipe_ends));
    if (fork() == 0) {
        become_a_daemon(pipe_ends[1]);
        CHECK_STATUS(PALITRA_INVALID_HANDLE, run(none, "palitra.echo", "x", PALITRA_FOREVER, NULL));
        use_the_global_runner(NULL);
        CHECK(write(pipe_ends[1], "well", 4) == 4);
        exit(0);
    }
    check_report(pipe_ends[0]);
}

static void a_process_may_become_a_daemon_before_its_first_call(void) {
    CHECK_EXIT(0, in_child(a_daemon_of_a_process_without_a_runner_works, NULL));
}

/* ---- three deep ------------------------------------------------------------------------------------- */

#define GENERATIONS 4

/* What one generation made and the next looks at. */
static struct generation {
    palitra_runner runner, global;
    palitra_queue queue;
    palitra_token pending;
} generations[GENERATIONS];

static void check_ancestor(const struct generation *ancestor) {
    palitra_event event;
    CHECK(!palitra_runner_is_alive(ancestor->runner));
    CHECK_STATUS(PALITRA_FORKED, run(ancestor->runner, "palitra.echo", "x", SECONDS(1), NULL));
    CHECK_STATUS(PALITRA_FORKED, run(ancestor->global, "palitra.echo", "x", SECONDS(1), NULL));
    CHECK_STATUS(PALITRA_FORKED, palitra_token_poll(ancestor->pending, NULL));
    CHECK_STATUS(PALITRA_FORKED, palitra_queue_next(ancestor->queue, SECONDS(1), &event, 1, NULL));
    palitra_token_free(ancestor->pending);
    palitra_queue_free(ancestor->queue);
    palitra_runner_free(ancestor->runner);
}

static struct generation settle(void) {
    struct generation own = {.runner = new_runner()};
    CHECK(!palitra_is_runner_alive());
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&own.global));
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&own.queue));
    own.pending = submit(own.runner, "palitra.sleep", "{\"seconds\": 100}");
    return own;
}

static void check_own(const struct generation *own) {
    check_echo(own->runner);
    check_echo(own->global);
    CHECK(palitra_is_runner_alive() && palitra_queue_fd(own->queue) >= 0);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(own->pending, NULL));
}

static void live(void *number) {
    int own = *(int *)number, next = own + 1;
    for (int i = 0; i < own; i++) check_ancestor(&generations[i]);
    generations[own] = settle();
    check_own(&generations[own]);
    if (next < GENERATIONS) CHECK_EXIT(0, in_child(live, &next));
    check_own(&generations[own]);
    palitra_token_free(generations[own].pending);
    palitra_queue_free(generations[own].queue);
    palitra_runner_free(generations[own].runner);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void each_of_four_generations_has_its_own(void) {
    int first = 0;
    live(&first);
}

/* ---- other programs --------------------------------------------------------------------------------- */

static const char *program;

static void become_another_program(void *unused) {
    (void)unused;
    execl(program, program, "descriptors", (char *)NULL);
    _exit(126);
}

static int exec_it(void) { return in_child(become_another_program, NULL); }

static int spawn_it(void) {
    char path[4096], argument[] = "descriptors";
    char *arguments[] = {path, argument, NULL};
    pid_t child;
    int ending = 0;
    snprintf(path, sizeof path, "%s", program);
    CHECK_NUMBER(0, posix_spawn(&child, path, NULL, NULL, arguments, environ));
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    return ending;
}

static int have_a_shell_run_it(void) {
    char command[4200];
    snprintf(command, sizeof command, "exec '%s' descriptors", program);
    return system(command);
}

static void another_program_inherits_no_descriptor(int (*start)(void)) {
    palitra_queue queue = {0};
    int before = start();
    palitra_runner runner = new_runner(), many = runner_with_workers(2);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK_EXIT(WEXITSTATUS(before), start());
    check_echo(runner);
    check_echo(many);
    palitra_queue_free(queue);
    palitra_runner_free(many);
    palitra_runner_free(runner);
}

static void a_forked_child_may_become_another_program(void) { another_program_inherits_no_descriptor(exec_it); }
static void posix_spawn_starts_another_program(void) { another_program_inherits_no_descriptor(spawn_it); }
static void system_starts_another_program(void) { another_program_inherits_no_descriptor(have_a_shell_run_it); }

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "descriptors") == 0) return descriptors_now();
    program = argv[0];
    TEST(a_process_may_become_a_daemon_before_its_first_call);
    TEST(a_daemon_has_runners_of_its_own_and_its_parent_keeps_its_own);
    TEST(each_of_four_generations_has_its_own);
    TEST(a_forked_child_may_become_another_program);
    TEST(posix_spawn_starts_another_program);
    TEST(system_starts_another_program);
    return 0;
}

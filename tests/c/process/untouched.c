/* The library changes nothing in its host: it registers no exit handler and no signal handler, and the process is,
 * after loading, using and closing it, as it was before.
 *
 *     untouched LIBRARY       a file in PALITRA_LIBRARY_DIR that this program is not linked with
 *
 * Run with tests/c/support/counting_handlers.c preloaded, which counts the handlers.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "loaded.h"

#include <fcntl.h>
#include <locale.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static const char *library;
static int (*handlers_asked_for)(void);

/* ---- what a process is ------------------------------------------------------------------------------ */

/* What a signal does; of a mask the C library fills in only as much as the kernel knows. */
struct action {
    void (*handler)(int);
    int flags;
    uint64_t mask;
};

struct process {
    struct action actions[65];
    uint64_t mask;
    stack_t signal_stack;
    char directory[4096], locale[256], name[16];
    char environment[65536];
    mode_t umask;
    struct rlimit limits[16];
    int dumpable, reaper, priority, descriptors, standard_flags[3];
};

extern char **environ;

static uint64_t bits(const sigset_t *set) {
    uint64_t mask = 0;
    for (int number = 1; number < 65; number++) mask |= (uint64_t)(sigismember(set, number) == 1) << (number - 1);
    return mask;
}

static void look_at_signals(struct process *process) {
    sigset_t blocked;
    for (int number = 1; number < 65; number++) {
        struct sigaction action = {0};
        if (sigaction(number, NULL, &action) != 0) continue;
        process->actions[number] = (struct action){action.sa_handler, action.sa_flags, bits(&action.sa_mask)};
    }
    CHECK_NUMBER(0, pthread_sigmask(SIG_BLOCK, NULL, &blocked));
    process->mask = bits(&blocked);
    CHECK_NUMBER(0, sigaltstack(NULL, &process->signal_stack));
}

static void look_at_environment(struct process *process) {
    size_t used = 0;
    for (char **variable = environ; *variable != NULL && used < sizeof process->environment; variable++)
        used += (size_t)snprintf(process->environment + used, sizeof process->environment - used, "%s\n", *variable);
}

static void look(struct process *process) {
    memset(process, 0, sizeof *process);
    look_at_signals(process);
    look_at_environment(process);
    CHECK(getcwd(process->directory, sizeof process->directory) != NULL);
    snprintf(process->locale, sizeof process->locale, "%s", setlocale(LC_ALL, NULL));
    CHECK_NUMBER(0, prctl(PR_GET_NAME, process->name));
    umask(process->umask = umask(0));
    for (int i = 0; i < 16; i++) getrlimit((__rlimit_resource_t)i, &process->limits[i]);
    process->dumpable = prctl(PR_GET_DUMPABLE);
    prctl(PR_GET_CHILD_SUBREAPER, &process->reaper);
    process->priority = getpriority(PRIO_PROCESS, 0);
    process->descriptors = descriptors_now();
    for (int fd = 0; fd < 3; fd++) process->standard_flags[fd] = fcntl(fd, F_GETFL);
}

#define CHECK_SAME(before, after, field) CHECK(memcmp(&(before)->field, &(after)->field, sizeof(before)->field) == 0)

static void check_same(const struct process *before, const struct process *after) {
    CHECK_SAME(before, after, actions);
    CHECK_SAME(before, after, mask);
    CHECK_SAME(before, after, signal_stack);
    CHECK_SAME(before, after, directory);
    CHECK_SAME(before, after, locale);
    CHECK_SAME(before, after, name);
    CHECK_SAME(before, after, environment);
    CHECK_SAME(before, after, umask);
    CHECK_SAME(before, after, limits);
    CHECK_SAME(before, after, dumpable);
    CHECK_SAME(before, after, reaper);
    CHECK_SAME(before, after, priority);
    CHECK_SAME(before, after, descriptors);
    CHECK_SAME(before, after, standard_flags);
}

/* ---- what the library is asked to do ---------------------------------------------------------------- */

static void run_a_job(palitra_runner runner, const char *job, const char *payload, int64_t timeout) {
    palitra_reply reply;
    loaded.runner_run(runner, job, payload, strlen(payload), timeout, &reply);
    loaded.reply_free(&reply);
}

static void use_the_library(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, &runner));
    run_a_job(runner, "palitra.echo", "x", PALITRA_FOREVER);
    run_a_job(runner, "palitra.sleep", "{\"seconds\": 0.01}", PALITRA_FOREVER);
    run_a_job(runner, "palitra.sleep", "{\"seconds\": 100}", SECONDS(0.01));
    run_a_job(runner, "test.panic_later", "a panic leaves nothing either", PALITRA_FOREVER);
    /* Nobody listens there; the client is made all the same. */
    run_a_job(runner, "http.get", "{\"url\": \"http://127.0.0.1:1/\", \"timeout\": 2}", PALITRA_FOREVER);
    run_a_job(runner, "http.get", "{\"url\": \"https://localhost:1/\", \"timeout\": 2}", PALITRA_FOREVER);
    loaded.runner_free(runner);
}

static struct process before, after;

static void the_process_is_as_it_was(void) {
    int asked;
    look(&before);
    asked = handlers_asked_for();
    load(library);
    use_the_library();
    CHECK_NUMBER(asked, handlers_asked_for());
    look(&after);
    check_same(&before, &after);
    CHECK_NUMBER(0, dlclose(loaded.library));
}

static void a_process_with_a_runner_has_the_same_handlers(void) {
    palitra_runner runner = {0};
    look(&before);
    load(library);
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, &runner));
    run_a_job(runner, "palitra.sleep", "{\"seconds\": 0.01}", PALITRA_FOREVER);
    look(&after);
    CHECK_SAME(&before, &after, actions);
    CHECK_SAME(&before, &after, mask);
    CHECK_SAME(&before, &after, name);
    loaded.runner_free(runner);
}

/* ---- to the very end -------------------------------------------------------------------------------- */

static int asked_at_the_start;

static void check_at_the_end(void) {
    if (handlers_asked_for() == asked_at_the_start) return;
    fputs("the library asked for a handler on its way out\n", stderr);
    _exit(1);
}

static void nothing_is_asked_for_until_the_process_has_ended(void) {
    palitra_runner runner = {0};
    CHECK_NUMBER(0, atexit(check_at_the_end));
    asked_at_the_start = handlers_asked_for();
    load(library);
    CHECK_STATUS(PALITRA_OK, loaded.runner_global(&runner));
    CHECK_STATUS(PALITRA_OK, loaded.runner_submit(runner, "palitra.sleep", "{\"seconds\": 9}", 14, NULL, NULL));
}

static void the_count_counts(void) {
    int asked = handlers_asked_for();
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    CHECK_NUMBER(asked + 1, handlers_asked_for());
}

int main(int argc, char **argv) {
    CHECK_NUMBER(2, argc);
    library = argv[1];
    void *symbol = dlsym(RTLD_DEFAULT, "handlers_asked_for");
    CHECK(symbol != NULL);
    memcpy(&handlers_asked_for, &symbol, sizeof symbol);
    TEST(the_count_counts);
    TEST(the_process_is_as_it_was);
    TEST(a_process_with_a_runner_has_the_same_handlers);
    watchdog();
    nothing_is_asked_for_until_the_process_has_ended();
    return 0;
}

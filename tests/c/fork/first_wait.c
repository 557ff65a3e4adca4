/* A fork while another thread finds out for the library, at its first wait that ends early, how many processors the
 * process may use: it reads that of a control group from files.
 *
 * The program's own open64 goes before the C library's, in the libraries that it is linked with too. It holds the thread
 * that reads until the process has forked. On a machine with one processor nobody reads, and nothing is held.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static atomic_int reading, forked;

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    if (strcmp(path, "/proc/self/cgroup") == 0) {
        atomic_store(&reading, 1);
        while (!atomic_load(&forked)) usleep(1000);
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static cpu_set_t last_of(const cpu_set_t *processors) {
    cpu_set_t last;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, processors)) continue;
        CPU_ZERO(&last);
        CPU_SET(i, &last);
    }
    return last;
}

/* Waits again and again until somebody reads, for a few seconds at most. The runner has one processor, so that this
 * thread mostly has another: then it is woken early. */
static void *wait_until_somebody_reads(void *unused) {
    (void)unused;
    cpu_set_t all, last;
    double end = now() + 3;
    CHECK_NUMBER(0, sched_getaffinity(0, sizeof all, &all));
    last = last_of(&all);
    CHECK_NUMBER(0, sched_setaffinity(0, sizeof last, &last));
    palitra_runner runner = runner_with((palitra_runner_options){.spin_limit_ns = 1000000});
    CHECK_NUMBER(0, sched_setaffinity(0, sizeof all, &all));
    while (!atomic_load(&reading) && now() < end) {
        palitra_token token = submit(runner, "palitra.echo", "x");
        CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
        palitra_token_free(token);
    }
    palitra_runner_free(runner);
    return NULL;
}

static void wait_in_the_child(void *unused) {
    atomic_store(&reading, 0);
    atomic_store(&forked, 1);
    wait_until_somebody_reads(unused);
}

static void fork_while_a_thread_reads(void *unused) {
    pthread_t thread = start_thread(wait_until_somebody_reads, unused);
    for (int i = 0; i < 3000 && !atomic_load(&reading); i++) usleep(1000);
    printf("  a thread is%s reading\n", atomic_load(&reading) ? "" : " not");
    CHECK_EXIT(0, in_child(wait_in_the_child, unused));
    atomic_store(&forked, 1);
    join_thread(thread);
}

static void a_child_does_not_wait_for_what_its_parent_was_reading(void) {
    CHECK_EXIT(0, in_child(fork_while_a_thread_reads, NULL));
}

int main(void) {
    TEST(a_child_does_not_wait_for_what_its_parent_was_reading);
    return 0;
}

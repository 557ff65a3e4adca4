/* A sleeping runner is woken once for all the jobs of a call, and a gather of them sleeps about as often: each sleep of
 * a thread is a voluntary change of threads, which the system counts.
 */
#include "many.h"

#include <sys/resource.h>

/* Both sides work at once, so each also sleeps where the other was preempted while it held a token's lock. */
enum { JOBS = 5000, FEW = JOBS / 50 };

static palitra_submission jobs[JOBS];
static palitra_token tokens[JOBS];

/* How often the runner's own thread has slept. */
static long sleeps_of_the_runner(void) {
    char path[300], line[100];
    struct dirent *entry;
    long sleeps = -1;
    DIR *threads = opendir("/proc/self/task");
    CHECK(threads != NULL);
    while ((entry = readdir(threads)) != NULL) {
        bool is_it = false;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL) {
            is_it |= strcmp(line, "Name:\tmany-at-once\n") == 0;
            if (is_it) sscanf(line, "voluntary_ctxt_switches: %ld", &sleeps);
        }
        if (status != NULL) fclose(status);
    }
    closedir(threads);
    CHECK(sleeps >= 0);
    return sleeps;
}

static long sleeps_of_this_thread(void) {
    struct rusage usage;
    CHECK_NUMBER(0, getrusage(RUSAGE_THREAD, &usage));
    return usage.ru_nvcsw;
}

static void check_few(long sleeps) {
    if (sleeps <= FEW) return;
    fprintf(stderr, "%ld sleeps for %d jobs", sleeps, JOBS);
    fail(__FILE__, __LINE__);
}

static void neither_side_sleeps_for_each_job(void) {
    /* Without spinning, which would hide a sleep for each job. */
    palitra_runner runner = runner_with((palitra_runner_options){.thread_name = "many-at-once", .spin_limit_ns = -1});
    check_echo(runner);
    fill(jobs, JOBS, "palitra.echo", "x");
    for (int round = 0; round < 5; round++) {
        pause_for(0.02);
        long runners = sleeps_of_the_runner(), own = sleeps_of_this_thread();
        CHECK_TAKEN(PALITRA_OK, JOBS, runner, jobs, JOBS, NULL, tokens);
        CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, tokens, JOBS, 0, PALITRA_FOREVER, NULL));
        check_few(sleeps_of_the_runner() - runners);
        check_few(sleeps_of_this_thread() - own);
        free_tokens(tokens, JOBS);
    }
    palitra_runner_free(runner);
}

int main(void) {
    TEST(neither_side_sleeps_for_each_job);
    return 0;
}

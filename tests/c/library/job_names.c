/* Prints the names of the jobs that it was linked with, one a line, and runs one of them; tests/linking.rs. */
#include "palitra.h"

#include <stdio.h>
#include <string.h>

static int echo_works(void) {
    palitra_runner runner;
    palitra_reply reply;
    if (palitra_runner_global(&runner) != PALITRA_OK) return 0;
    palitra_status status = palitra_runner_run(runner, "palitra.echo", "hello", 5, PALITRA_FOREVER, &reply);
    int works = status == PALITRA_OK && reply.len == 5 && memcmp(reply.data, "hello", 5) == 0;
    palitra_reply_free(&reply);
    return works && palitra_shutdown_global_runner(0) == PALITRA_OK;
}

int main(void) {
    for (size_t i = 0; i < palitra_job_count(); i++) {
        palitra_job_info job;
        if (palitra_job_at(i, &job) != PALITRA_OK) return 1;
        puts(job.name);
    }
    return echo_works() ? 0 : 2;
}

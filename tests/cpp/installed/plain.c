/* A user's C program: prints how many jobs there are, and what one of them returns. */
#include <palitra.h>
#include <palitra/adapters/epoll.h>
#include <stdio.h>

int main(void) {
    palitra_runner runner;
    palitra_reply reply;
    if (palitra_runner_global(&runner) != PALITRA_OK) return 1;
    palitra_status status = palitra_runner_run(runner, "palitra.echo", "installed", 9, PALITRA_FOREVER, &reply);
    printf("%zu %.*s\n", palitra_job_count(), (int)reply.len, (const char *)reply.data);
    palitra_reply_free(&reply);
    return status == PALITRA_OK ? 0 : 1;
}

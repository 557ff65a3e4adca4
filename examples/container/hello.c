/* Runs one job and prints its reply: the smallest program for an image. */
#include <palitra.h>
#include <stdio.h>

int main(void) {
    palitra_runner runner;
    palitra_reply reply;
    palitra_status status = palitra_runner_global(&runner);
    if (status != PALITRA_OK) {
        fprintf(stderr, "%s\n", palitra_status_message(status));
        return 1;
    }
    status = palitra_runner_run(runner, "palitra.echo", "hello", 5, PALITRA_FOREVER, &reply);
    printf("%.*s\n", (int)reply.len, (const char *)reply.data);
    palitra_reply_free(&reply);
    return status == PALITRA_OK ? 0 : 1;
}

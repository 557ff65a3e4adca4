/* A program of two Rust static libraries. */
#include <palitra.h>
#include <stdio.h>

int other_digits(unsigned number);

int main(void) {
    palitra_runner runner;
    palitra_reply reply;
    if (palitra_runner_global(&runner) != PALITRA_OK) return 1;
    if (other_digits(13) != -1) return 2;
    palitra_status status = palitra_runner_run(runner, "palitra.echo", "x", 1, PALITRA_FOREVER, &reply);
    palitra_reply_free(&reply);
    printf("%zu %d\n", palitra_job_count(), other_digits(1234));
    return status == PALITRA_OK ? 0 : 3;
}

/* The memory that a busy moment took is released when its jobs and tokens are gone: a token's slot keeps a few words.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "scheduling.h"

#include <malloc.h>

#define JOBS 200000

/* What the process has allocated, in bytes. */
static size_t allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static palitra_token tokens[JOBS];

static void the_memory_of_many_tokens_is_given_back(void) {
    palitra_runner runner = new_runner();
    check_echo(runner);
    size_t before = allocated();
    for (size_t i = 0; i < JOBS; i++) tokens[i] = submit(runner, "palitra.sleep", "{\"seconds\":600}");
    EVENTUALLY(stats_of(runner).queued == 0);
    size_t most = allocated() - before;
    for (size_t i = 0; i < JOBS; i++) {
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[i]));
        palitra_token_free(tokens[i]);
    }
    EVENTUALLY(stats_of(runner).running == 0);
    size_t left = allocated() - before;
    printf("  %zu bytes a pending job, %zu a slot that is left\n", most / JOBS, left / JOBS);
    CHECK(left < most / 6);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(the_memory_of_many_tokens_is_given_back);
    return 0;
}

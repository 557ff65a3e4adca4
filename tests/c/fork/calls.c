/* Calls of a host's own jobs in a forked child.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "registered.h"

static void in_the_child(void *kept) {
    palitra_call call = ((struct seen *)kept)->call;
    CHECK_STATUS(PALITRA_FORKED, complete(call, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_FORKED, palitra_call_progress(call, 1, 1));
    CHECK(!palitra_call_is_cancelled(call));
    palitra_call_free(call);
    CHECK_STATUS(PALITRA_FORKED, complete(call, PALITRA_OK, 0, ""));
}

static void a_child_has_no_calls_of_its_parents(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    CHECK_EXIT(0, in_child(in_the_child, &seen));
    CHECK_STATUS(PALITRA_OK, complete(seen.call, PALITRA_OK, 0, "here"));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_child_has_no_calls_of_its_parents);
    return 0;
}

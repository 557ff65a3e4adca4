/* dlclose while jobs are in flight is safe: the runner's thread is inside the library's code when its host closes the
 * library.
 *
 * This program is linked with the test jobs, and opens libpalitra.so itself as the second library.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "loaded.h"

static palitra_token sleep_for_a_while(palitra_runner *runner) {
    static const char payload[] = "{\"seconds\": 0.3}";
    palitra_token token = {0};
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, runner));
    CHECK_STATUS(PALITRA_OK, loaded.runner_submit(*runner, "palitra.sleep", payload, sizeof payload - 1, NULL, &token));
    return token;
}

static void the_runner_outlives_dlclose(void) {
    palitra_runner runner = {0};
    load("libpalitra.so");
    palitra_token token = sleep_for_a_while(&runner);
    CHECK_NUMBER(0, dlclose(loaded.library));
    CHECK_STATUS(PALITRA_OK, loaded.runner_wait(runner, token, PALITRA_FOREVER, NULL));
    loaded.token_free(token);
    loaded.runner_free(runner);
}

static void a_library_that_was_closed_can_be_loaded_again(void) {
    palitra_runner runner = {0};
    for (int round = 0; round < 10; round++) {
        load("libpalitra.so");
        loaded.token_free(sleep_for_a_while(&runner));
        if (round % 2 == 0) loaded.runner_free(runner);
        CHECK_NUMBER(0, dlclose(loaded.library));
    }
}

int main(void) {
    TEST(the_runner_outlives_dlclose);
    TEST(a_library_that_was_closed_can_be_loaded_again);
    return 0;
}

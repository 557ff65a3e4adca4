/* A library that is opened, used, shut down and closed two hundred times leaves nothing behind: no thread, no
 * descriptor.
 *
 *     reloading LIBRARY       a file in PALITRA_LIBRARY_DIR that this program is not linked with
 *
 * Promise 10: the host's process stays as it is.
 */
#include "loaded.h"

#define ROUNDS 200

static const char *library;

static void use(palitra_runner runner) {
    static const char payload[] = "{\"seconds\": 0.0001}";
    palitra_token tokens[2];
    palitra_reply reply;
    for (size_t i = 0; i < LENGTH(tokens); i++)
        CHECK_STATUS(PALITRA_OK,
                     loaded.runner_submit(runner, "palitra.sleep", payload, sizeof payload - 1, NULL, &tokens[i]));
    CHECK_STATUS(PALITRA_OK, loaded.runner_run(runner, "palitra.echo", "hello", 5, PALITRA_FOREVER, &reply));
    CHECK_REPLY("hello", reply);
    loaded.reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, loaded.runner_wait(runner, tokens[0], PALITRA_FOREVER, NULL));
    for (size_t i = 0; i < LENGTH(tokens); i++) loaded.token_free(tokens[i]);
}

static void open_use_and_close(void) {
    palitra_runner runner = {0}, global = {0};
    load(library);
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, &runner));
    CHECK_STATUS(PALITRA_OK, loaded.runner_global(&global));
    use(runner);
    use(global);
    loaded.runner_free(runner);
    CHECK_STATUS(PALITRA_OK, loaded.shutdown_global_runner(0));
    CHECK(!loaded.is_runner_alive());
    CHECK_NUMBER(0, dlclose(loaded.library));
}

static void opening_and_closing_leaves_no_thread_and_no_descriptor(void) {
    open_use_and_close();
    /* The system lists a thread that was joined for a moment more. */
    EVENTUALLY(threads_now() == 1);
    int descriptors = descriptors_now();
    for (int round = 1; round < ROUNDS; round++) {
        open_use_and_close();
        EVENTUALLY(threads_now() == 1);
        CHECK_NUMBER(descriptors, descriptors_now());
    }
}

int main(int argc, char **argv) {
    CHECK_NUMBER(2, argc);
    library = argv[1];
    TEST(opening_and_closing_leaves_no_thread_and_no_descriptor);
    return 0;
}

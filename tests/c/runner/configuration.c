/* What the states of jobs are configured by: a runner's own configuration, and the process's.
 *
 * Promise 8: a shutdown ends everything within its bound: a state is closed before it returns.
 * Promise 9: a fork harms neither parent nor child: a child has its parent's configuration.
 * Promise 11: bad input returns a status, and the log says what is wrong.
 */
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static void check_configured_text(palitra_runner runner, const char *text) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.configured", "", PALITRA_FOREVER, &reply));
    CHECK_REPLY(text, reply);
    palitra_reply_free(&reply);
}

static void the_global_runner_has(void *text) {
    palitra_runner runner;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    check_configured_text(runner, text);
    CHECK_STATUS(PALITRA_OK, palitra_shutdown_global_runner(0));
}

static palitra_runner configured(const char *json) { return runner_with((palitra_runner_options){.config = json}); }

static void runners_have_the_processs_configuration_and_so_do_children(void) {
    CHECK_STATUS(PALITRA_OK, palitra_configure("{\"test.configured\": {\"text\": \"first\"}}"));
    the_global_runner_has("first");
    palitra_runner before = configured(NULL);
    CHECK_STATUS(PALITRA_OK, palitra_configure("{\"test.configured\": {\"text\": \"second\"}}"));
    the_global_runner_has("second");
    check_configured_text(before, "first");
    CHECK_EXIT(0, in_child(the_global_runner_has, "second"));
    palitra_runner_free(before);
}

static void what_a_runner_names_itself_comes_first(void) {
    CHECK_STATUS(PALITRA_OK, palitra_configure("{\"test.configured\": {\"text\": \"of all\"}}"));
    palitra_runner own = configured("{\"test.configured\": {\"text\": \"own\"}}");
    palitra_runner other = configured("{\"something.else\": 1}");
    check_configured_text(own, "own");
    check_configured_text(other, "of all");
    palitra_runner_free(own);
    palitra_runner_free(other);
}

static void a_state_is_closed_before_the_free_of_its_runner_returns(void) {
    char path[64], json[160];
    snprintf(path, sizeof path, "/tmp/palitra-farewell-%ld", (long)getpid());
    snprintf(json, sizeof json, "{\"test.configured\": {\"text\": \"bye\", \"farewell\": \"%s\"}}", path);
    palitra_runner runner = configured(json);
    check_configured_text(runner, "bye");
    CHECK(access(path, F_OK) != 0);
    palitra_runner_free(runner);
    CHECK_NUMBER(0, unlink(path));
}

static void note(int32_t level, const char *target, const char *message, void *seen) {
    if (level == PALITRA_LOG_ERROR && strcmp(target, "palitra") == 0) snprintf(seen, 200, "%s", message);
}

static void what_is_no_json_object_is_refused_and_the_log_says_why(void) {
    const char *const texts[] = {"{", "[]", "7", "{} x", "\xff"};
    char seen[200] = "";
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_ERROR, note, seen, NULL));
    for (size_t i = 0; i < LENGTH(texts); i++) {
        check_invalid_options((palitra_runner_options){.config = texts[i]});
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_configure(texts[i]));
    }
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_configure("{\"a\": }"));
    CHECK(strstr(seen, "the configuration is not a JSON object: expected value at line 1 column 7") != NULL);
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    the_global_runner_has("of all"); /* nothing has changed */
}

static void nothing_is_an_empty_configuration(void) {
    CHECK_STATUS(PALITRA_OK, palitra_configure(NULL));
    CHECK_STATUS(PALITRA_OK, palitra_configure(""));
    palitra_runner runner = configured("");
    palitra_reply reply;
    CHECK_STATUS(PALITRA_JOB_FAILED, run(runner, "test.configured", "", PALITRA_FOREVER, &reply));
    CHECK(strstr((const char *)reply.data, "missing field `text`") != NULL);
    palitra_reply_free(&reply);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(runners_have_the_processs_configuration_and_so_do_children);
    TEST(what_a_runner_names_itself_comes_first);
    TEST(a_state_is_closed_before_the_free_of_its_runner_returns);
    TEST(what_is_no_json_object_is_refused_and_the_log_says_why);
    TEST(nothing_is_an_empty_configuration);
    return 0;
}

/* A fork from inside a callback: the child's one thread is a copy of the parent's runner thread, beneath whose frames
 * the parent's loop is at work. The child uses palitra as any other does, and exits or becomes another program.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

#include <spawn.h>

extern char **environ;

/* How the child of a callback ended, for the test that waits; negative while there is none. */
static int ending_of_child;

static void use_everything(void *unused) {
    palitra_runner own = new_runner();
    palitra_token tokens[2] = {submit(own, "palitra.echo", "a"), submit(own, "palitra.sleep", "{\"seconds\": 0.01}")};
    palitra_reply replies[2];
    (void)unused;
    CHECK_STATUS(PALITRA_OK, palitra_runner_gather(own, tokens, 2, 0, SECONDS(20), replies));
    for (int i = 0; i < 2; i++) palitra_reply_free(&replies[i]);
    check_echo(own);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(own, 0));
    palitra_runner_free(own);
    use_the_global_runner(NULL);
}

static void fork_again(void *unused) {
    use_everything(unused);
    CHECK_EXIT(0, in_child(use_everything, NULL));
}

static void leave_at_once(void *unused) {
    (void)unused;
    _exit(0);
}

static void fork_here(palitra_token token, palitra_status status, void *user_data) {
    void (*act)(void *);
    (void)token, (void)status;
    memcpy(&act, user_data, sizeof act);
    __atomic_store_n(&ending_of_child, in_child(act, NULL), __ATOMIC_SEQ_CST);
}

static int spawn(const char *command) {
    char shell[] = "/bin/sh", option[] = "-c", text[64];
    char *arguments[] = {shell, option, text, NULL};
    pid_t child;
    int ending = 0;
    snprintf(text, sizeof text, "%s", command);
    CHECK_NUMBER(0, posix_spawn(&child, shell, NULL, NULL, arguments, environ));
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    return ending;
}

static void spawn_here(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status, (void)user_data;
    CHECK_EXIT(3, spawn("exit 3"));
    CHECK_EXIT(4, system("exit 4"));
    __atomic_store_n(&ending_of_child, 0, __ATOMIC_SEQ_CST);
}

static void in_a_callback(palitra_complete_fn function, void (*act)(void *)) {
    palitra_runner runner = new_runner();
    palitra_token pending = submit(runner, "palitra.sleep", "{\"seconds\": 100}");
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.001}");
    ending_of_child = -1;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, function, &act, NULL));
    EVENTUALLY(__atomic_load_n(&ending_of_child, __ATOMIC_SEQ_CST) >= 0);
    CHECK_EXIT(0, ending_of_child);
    check_echo(runner);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    palitra_token_free(pending);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void a_child_forked_in_a_callback_uses_runners_of_its_own(void) { in_a_callback(fork_here, use_everything); }
static void a_child_forked_in_a_callback_forks_again(void) { in_a_callback(fork_here, fork_again); }
static void a_child_forked_in_a_callback_leaves_at_once(void) { in_a_callback(fork_here, leave_at_once); }
static void a_callback_starts_programs(void) { in_a_callback(spawn_here, leave_at_once); }

int main(void) {
    TEST(a_child_forked_in_a_callback_leaves_at_once);
    TEST(a_child_forked_in_a_callback_uses_runners_of_its_own);
    TEST(a_child_forked_in_a_callback_forks_again);
    TEST(a_callback_starts_programs);
    return 0;
}

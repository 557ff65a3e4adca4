/* Queued calls of a host's own jobs in a forked child.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "queued.h"

struct parents {
    palitra_runner runner;
    palitra_queue queue;
    palitra_call call;
};

static void in_the_child(void *argument) {
    struct parents *parents = argument;
    const void *data;
    size_t len;
    CHECK_STATUS(PALITRA_FORKED, palitra_call_payload(parents->call, &data, &len));
    CHECK_STATUS(PALITRA_FORKED, palitra_call_notify(parents->call, parents->queue, 0));
    CHECK_STATUS(PALITRA_FORKED, register_with(parents->runner, "host.other", parents->queue, 0));
    palitra_runner runner = new_runner();
    CHECK_STATUS(PALITRA_FORKED, register_with(runner, "host.queued", parents->queue, 0));
    palitra_queue_free(parents->queue);
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    palitra_token token = submit(runner, "host.queued", "");
    palitra_call call = take_call(queue);
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_call_free(call);
    palitra_runner_free(runner);
}

static void a_child_has_no_queued_calls_of_its_parents(void) {
    struct parents parents = {new_runner(), new_queue(), {0}};
    register_queued(parents.runner, parents.queue);
    palitra_token taken = submit(parents.runner, "host.queued", ""), waiting;
    parents.call = take_call(parents.queue);
    waiting = submit(parents.runner, "host.queued", "");
    check_echo(parents.runner);
    CHECK_EXIT(0, in_child(in_the_child, &parents));
    CHECK_STATUS(PALITRA_OK, complete(parents.call, PALITRA_OK, 0, "here"));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(taken, SECONDS(20), NULL));
    palitra_call_free(parents.call);
    palitra_call_free(take_call(parents.queue));
    check_fails(waiting, "the host gave up the call without an answer");
    palitra_token_free(taken);
    palitra_queue_free(parents.queue);
    palitra_runner_free(parents.runner);
}

int main(void) {
    TEST(a_child_has_no_queued_calls_of_its_parents);
    return 0;
}

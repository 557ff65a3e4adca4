/* The log's callback may use the job that logs: it is called under no lock that another request needs. For
 * tests/http/turns.rs, which gives it the URL of a page whose connections are kept, and another URL of the same page. */
#include "test.h"

#include <pthread.h>
#include <unistd.h>

static palitra_runner runner;
static char request[1024];
static pthread_t host;
static int called;

/* On the host's thread, within a poll. The other request runs on the runner's thread, which waits for every lock that
 * this one holds. */
static void log_event(int32_t level, const char *target, const char *message, void *user_data) {
    palitra_reply reply = {0};
    (void)level, (void)message, (void)user_data;
    if (!pthread_equal(host, pthread_self())) return;
    called++;
    palitra_token token = submit(runner, "http.get", request);
    double start = now();
    while (palitra_token_poll(token, &reply) == PALITRA_PENDING) {
        if (now() - start > 10) fprintf(stderr, "no reply within an event of %s\n", target);
        CHECK(now() - start <= 10);
        usleep(1000);
    }
    CHECK_STATUS(PALITRA_OK, reply.status);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void get(const char *payload) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "http.get", payload, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
}

int main(int count, char **arguments) {
    char other[1024];
    CHECK_NUMBER(3, count);
    host = pthread_self();
    snprintf(request, sizeof request, "{\"url\":\"%s\"}", arguments[1]);
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(NULL, &runner));
    snprintf(other, sizeof other, "{\"url\":\"%s\"}", arguments[2]);
    get(request); /* makes the client, which no host's thread does */
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_TRACE, log_event, NULL, NULL));
    get(other); /* begins a connection on this thread, and logs that */
    for (int i = 0; i < 3; i++) get(request);
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    CHECK(called > 0);
    palitra_runner_free(runner);
    return 0;
}

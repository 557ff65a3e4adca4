/* The HTTP jobs, which need the most stack of all that ship, run on threads with any stack that the system has.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 */
#include "test.h"

#include <limits.h>

static palitra_runner runner;

static void *get_from_nobody(void *job) {
    static const char request[] = "{\"url\":\"http://127.0.0.1:1/\"}";
    palitra_reply reply;
    CHECK_STATUS(PALITRA_JOB_FAILED,
                 palitra_runner_run(runner, job, request, strlen(request), PALITRA_FOREVER, &reply));
    CHECK_NUMBER(2, reply.code); /* nobody listens there */
    palitra_reply_free(&reply);
    return NULL;
}

static void a_request_is_made_from_a_thread_with_any_stack(void) {
    static char *const jobs[] = {"http.get", "http.request", "http.bytes", "http.stream"};
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_NUMBER(0, pthread_attr_init(&attributes));
    for (size_t size = (size_t)PTHREAD_STACK_MIN; size <= 144 << 10; size += 8 << 10)
        for (size_t i = 0; i < LENGTH(jobs); i++) {
            CHECK_NUMBER(0, pthread_attr_setstacksize(&attributes, size));
            CHECK_NUMBER(0, pthread_create(&thread, &attributes, get_from_nobody, jobs[i]));
            join_thread(thread);
        }
    CHECK_NUMBER(0, pthread_attr_destroy(&attributes));
}

int main(void) {
    runner = new_runner();
    TEST(a_request_is_made_from_a_thread_with_any_stack);
    palitra_runner_free(runner);
    return 0;
}

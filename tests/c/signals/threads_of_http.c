/* The threads that HTTP jobs make take no signal of the host's: those that look a name up, read certificates, and look
 * at files. They do not live long: each is seen when it is made.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "masks.h"
#include "threads.h"

/* Each of the jobs makes threads, however it ends; on the runner, and in a first poll. */
static void check_http(const char *job, const char *payload) {
    for (int64_t timeout = PALITRA_FOREVER; timeout <= SECONDS(20); timeout += SECONDS(20) + 1) {
        palitra_runner runner = runner_with_workers(0);
        int before = made;
        CHECK_STATUS(PALITRA_JOB_FAILED, run(runner, job, payload, timeout, NULL));
        if (made == before) fprintf(stderr, "%s %s made no thread", job, payload);
        CHECK(made > before);
        check_threads();
        palitra_runner_free(runner);
    }
}

static void threads_of_http_jobs(void) {
    /* A name to look up; certificates to read; a folder for a file to look at. */
    check_http("http.get", "{\"url\": \"http://localhost:1/\"}");
    check_http("http.get", "{\"url\": \"https://127.0.0.1:1/\"}");
    check_http("http.download", "{\"url\": \"http://127.0.0.1:1/\", \"path\": \"/tmp/no such folder/file\"}");
}

int main(void) {
    static const char *const proxies[] = {"http_proxy", "https_proxy", "all_proxy",
                                          "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    for (size_t i = 0; i < LENGTH(proxies); i++) unsetenv(proxies[i]);
    unblock_all_signals();
    TEST(a_thread_that_leaves_signals_open_is_noticed);
    TEST(threads_of_http_jobs);
    return 0;
}

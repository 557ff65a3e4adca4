/* A payload that memory holds once is taken, and one that it does not hold is refused: of a job of the host as of any
 * other. Each test limits the memory of a child of its own.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "queued.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define LARGE ((size_t)64 << 20)

static struct seen seen;

static void let_go(palitra_call call, const void *data, size_t len, void *unused) {
    (void)data, (void)unused;
    CHECK_NUMBER(LARGE, len);
    palitra_call_free(call);
}

/* Room for so many hundredths of the payload more than the process has now. */
static void limit_memory(size_t hundredths) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    rlim_t limit = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + LARGE / 100 * hundredths;
    CHECK_NUMBER(0, setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}));
}

static palitra_status submit_many(palitra_runner runner, const char *job, const void *payload, palitra_token *token) {
    palitra_submission one = {job, payload, LARGE, 0};
    return palitra_runner_submit_many(runner, &one, 1, NULL, token, NULL);
}

static palitra_status submit_one(palitra_runner runner, const char *job, const void *payload, palitra_token *token) {
    return palitra_runner_submit(runner, job, payload, LARGE, NULL, token);
}

struct trial {
    const char *job;
    palitra_status (*submit)(palitra_runner, const char *, const void *, palitra_token *);
    size_t hundredths;
    palitra_status expected;
};

static void submit_the_payload(void *given) {
    const struct trial *trial = given;
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    palitra_token token = {0};
    register_job(runner, "host.large", let_go, &seen);
    register_queued(runner, queue);
    check_echo(runner);
    void *payload = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(payload != MAP_FAILED);
    limit_memory(trial->hundredths);
    CHECK_STATUS(trial->expected, trial->submit(runner, trial->job, payload, &token));
    CHECK((token.id != 0) == (trial->expected == PALITRA_OK));
    check_echo(runner);
}

static void try_each_job(size_t hundredths, palitra_status expected) {
    static const char *const jobs[] = {"test.never", "host.large", "host.queued"};
    for (size_t i = 0; i < LENGTH(jobs); i++) {
        struct trial trial = {jobs[i], submit_one, hundredths, expected};
        CHECK_EXIT(0, in_child(submit_the_payload, &trial));
        trial.submit = submit_many;
        CHECK_EXIT(0, in_child(submit_the_payload, &trial));
    }
}

static void memory_for_one_copy_suffices(void) { try_each_job(160, PALITRA_OK); }
static void a_payload_that_no_memory_holds_is_too_large(void) { try_each_job(50, PALITRA_TOO_LARGE); }

int main(void) {
    TEST(memory_for_one_copy_suffices);
    TEST(a_payload_that_no_memory_holds_is_too_large);
    return 0;
}

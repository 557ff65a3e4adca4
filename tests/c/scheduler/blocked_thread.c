/* While a job blocks the runner's thread: deadlines reach their queues on time, and the log names the job.
 *
 * Promise 3: timeouts and deadlines hold.
 */
#include "scheduling.h"

#include <dirent.h>

#define A_LONG_HOLD "{\"seconds\":2}"
#define DEADLINE SECONDS(0.1)

/* How late a deadline may arrive: well before the job returns. */
#define AT_MOST_LATE 0.7

static palitra_queue queue;

static palitra_submit_options deadline_tagged(uint64_t tag) {
    palitra_submit_options options;
    if (queue.id == 0) CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    options.deadline_ns = DEADLINE;
    return options;
}

static void check_arrived(uint64_t tag, double start) {
    palitra_event event = {0};
    size_t n = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(10), &event, 1, &n));
    CHECK_TOOK(0.09, AT_MOST_LATE, start);
    CHECK_NUMBER(tag, event.tag);
    CHECK_STATUS(PALITRA_DEADLINE, event.status);
}

/* It is queued behind the job that blocks the thread. */
static void a_queued_job(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    palitra_submit_options options = deadline_tagged(7);
    palitra_token holder = hold(runner, A_LONG_HOLD), late = {0};
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, &late));
    check_arrived(7, start);
    CHECK_STATUS(PALITRA_DEADLINE, palitra_token_poll(late, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(holder, NULL));
    palitra_token_free(late);
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holder));
    palitra_runner_free(runner);
}

static void the_deadline_of_a_queued_job_arrives(void) { a_queued_job(0); }
static void the_deadline_of_a_job_queued_for_a_worker_arrives(void) { a_queued_job(1); }

/* It was started and pends: its timer belongs to the thread that is blocked. */
static void a_pending_job(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    palitra_submit_options options = deadline_tagged(8);
    options.deadline_ns = SECONDS(0.4);
    palitra_token late = {0};
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, &late));
    check_echo(runner);
    palitra_token holder = hold(runner, A_LONG_HOLD);
    palitra_event event = {0};
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(10), &event, 1, NULL));
    CHECK_TOOK(0.39, 0.4 + AT_MOST_LATE, start);
    CHECK_STATUS(PALITRA_DEADLINE, event.status);
    palitra_token_free(late);
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holder));
    palitra_runner_free(runner);
}

static void the_deadline_of_a_pending_job_arrives(void) { a_pending_job(0); }
static void the_deadline_of_a_worker_s_pending_job_arrives(void) { a_pending_job(1); }

/* It is the one that blocks the thread. */
static void the_deadline_of_the_blocking_job_arrives(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_submit_options options = deadline_tagged(9);
        double start = now();
        palitra_token holder = hold_with(runner, A_LONG_HOLD, &options);
        check_arrived(9, start);
        CHECK_STATUS(PALITRA_DEADLINE, palitra_token_poll(holder, NULL));
        palitra_token_free(holder);
        palitra_runner_shutdown(runner, SECONDS(10));
        palitra_runner_free(runner);
    }
}

static void a_thousand_deadlines_arrive_once_each(void) {
    palitra_runner runner = new_runner();
    palitra_token holder = hold(runner, A_LONG_HOLD);
    bool arrived[1000] = {false};
    double start = now();
    for (size_t i = 0; i < LENGTH(arrived); i++) {
        palitra_submit_options options = deadline_tagged(i);
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, NULL));
    }
    for (size_t i = 0; i < LENGTH(arrived); i++) {
        palitra_event event = {0};
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(10), &event, 1, NULL));
        CHECK_STATUS(PALITRA_DEADLINE, event.status);
        CHECK(event.tag < LENGTH(arrived) && !arrived[event.tag]);
        arrived[event.tag] = true;
    }
    CHECK_TOOK(0.09, 0.3 + AT_MOST_LATE, start);
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holder));
    check_echo(runner);
    palitra_event event = {0};
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
    CHECK_NUMBER(LENGTH(arrived), stats_of(runner).deadline);
    palitra_runner_free(runner);
}

/* ---- the log ---------------------------------------------------------------------------------------- */

static int named;

static void look_for_the_name(int32_t level, const char *target, const char *message, void *user_data) {
    (void)target;
    (void)user_data;
    if (level == PALITRA_LOG_WARN && strstr(message, "test.hold") != NULL)
        __atomic_store_n(&named, 1, __ATOMIC_RELEASE);
}

static void the_log_names_the_job_that_blocks_its_thread(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        named = 0;
        CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, look_for_the_name, NULL, NULL));
        palitra_token holder = hold(runner, A_LONG_HOLD);
        double start = now();
        EVENTUALLY(__atomic_load_n(&named, __ATOMIC_ACQUIRE));
        CHECK_TOOK(0, 1.2, start);
        CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(holder, NULL));
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holder));
        CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
        palitra_runner_free(runner);
    }
}

/* ---- nothing to watch ------------------------------------------------------------------------------- */

static long switches(void) {
    long sum = 0, value;
    char path[300], line[128];
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file == NULL) continue;
        while (fgets(line, sizeof line, file) != NULL)
            if (sscanf(line, "voluntary_ctxt_switches: %ld", &value) == 1) sum += value;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static void check_that_nobody_wakes(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    palitra_submit_options options = deadline_tagged(1);
    options.deadline_ns = SECONDS(600);
    for (int i = 0; i < 10; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, NULL));
    check_echo(runner);
    pause_for(0.5);
    long before = switches();
    pause_for(1);
    CHECK(switches() - before < 20);
    palitra_runner_free(runner);
}

static void an_idle_runner_wakes_nobody(void) {
    for (uint32_t workers = 0; workers < 3; workers++) check_that_nobody_wakes(workers);
}

int main(void) {
    TEST(the_deadline_of_a_queued_job_arrives);
    TEST(the_deadline_of_a_job_queued_for_a_worker_arrives);
    TEST(the_deadline_of_a_pending_job_arrives);
    TEST(the_deadline_of_a_worker_s_pending_job_arrives);
    TEST(the_deadline_of_the_blocking_job_arrives);
    TEST(a_thousand_deadlines_arrive_once_each);
    TEST(the_log_names_the_job_that_blocks_its_thread);
    TEST(an_idle_runner_wakes_nobody);
    return 0;
}

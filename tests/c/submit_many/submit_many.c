/* Many jobs in one call: their tokens, their order, and where the call stops.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 11: bad input and limits return a status.
 */
#include "many.h"

enum { MANY = 1000 };

static palitra_runner runner;
static palitra_submission jobs[MANY];
static palitra_token tokens[MANY];
static palitra_reply replies[MANY];

static void gather_well(palitra_runner of, size_t n) {
    CHECK_STATUS(PALITRA_OK, palitra_runner_gather(of, tokens, n, 0, PALITRA_FOREVER, replies));
}

static void free_all(size_t n) {
    for (size_t i = 0; i < n; i++) palitra_reply_free(&replies[i]);
    free_tokens(tokens, n);
}

/* ---- all are taken ---------------------------------------------------------------------------------- */

static void each_job_has_a_token_in_its_place(void) {
    static char payloads[MANY][16];
    for (int i = 0; i < MANY; i++) {
        snprintf(payloads[i], sizeof payloads[i], "%d", i);
        jobs[i] = job_of(i % 3 == 0 ? "test.nested" : "palitra.echo", payloads[i], 0);
    }
    for (uint32_t workers = 0; workers < 3; workers++) {
        palitra_runner many = runner_with_workers(workers);
        CHECK_TAKEN(PALITRA_OK, MANY, many, jobs, MANY, NULL, tokens);
        gather_well(many, MANY);
        for (int i = 0; i < MANY; i++) CHECK_REPLY(payloads[i], replies[i]);
        free_all(MANY);
        palitra_runner_free(many);
    }
}

static void the_jobs_start_in_order_behind_those_before(void) {
    palitra_queue queue = {0};
    palitra_submit_options options;
    palitra_event events[MANY + 2];
    size_t n = 0, more = 0;
    palitra_submit_options_init(&options);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    options.queue = queue;
    options.tag = 5000;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.ready", "", 0, &options, NULL));
    fill(jobs, MANY, "test.ready", "");
    CHECK_TAKEN(PALITRA_OK, MANY, runner, jobs, MANY, &options, tokens);
    options.tag = 6000;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.ready", "", 0, &options, NULL));
    for (; n < LENGTH(events); n += more)
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), events + n, LENGTH(events) - n, &more));
    CHECK_NUMBER(5000, events[0].tag);
    CHECK_NUMBER(6000, events[MANY + 1].tag);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_NUMBER(i, events[i + 1].tag);
        CHECK_NUMBER(tokens[i].id, events[i + 1].token.id);
    }
    free_tokens(tokens, MANY);
    palitra_queue_free(queue);
}

static void the_options_hold_for_each(void) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.01);
    fill(jobs, 3, "test.never", "");
    CHECK_TAKEN(PALITRA_OK, 3, runner, jobs, 3, &options, tokens);
    for (size_t i = 0; i < 3; i++)
        CHECK_STATUS(PALITRA_DEADLINE, palitra_runner_wait(runner, tokens[i], PALITRA_FOREVER, NULL));
    free_tokens(tokens, 3);
    palitra_submit_options_init(&options);
    options.flags = PALITRA_NO_ITEMS;
    fill(jobs, 2, "test.stream", "{\"items\":3}");
    CHECK_TAKEN(PALITRA_OK, 2, runner, jobs, 2, &options, tokens);
    for (size_t i = 0; i < 2; i++)
        CHECK_STATUS(PALITRA_JOB_FAILED, palitra_runner_wait(runner, tokens[i], PALITRA_FOREVER, NULL));
    free_tokens(tokens, 2);
}

static void without_tokens_the_jobs_run_all_the_same(void) {
    palitra_runner many = new_runner();
    fill(jobs, 200, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(many, jobs, 200, NULL, NULL, NULL));
    EVENTUALLY(stats_of(many).succeeded == 200);
    palitra_runner_free(many);
}

static void none_is_taken_at_once(void) {
    size_t taken = 99;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(runner, NULL, 0, NULL, NULL, &taken));
    CHECK_NUMBER(0, taken);
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(runner, NULL, 0, NULL, NULL, NULL));
}

static void those_that_wait_are_counted_as_queued(void) {
    palitra_runner many = new_runner();
    fill(jobs, 150, "test.ready", "");
    jobs[100] = job_of("test.hold", "{\"seconds\":1.5}", 0);
    CHECK_TAKEN(PALITRA_OK, 150, many, jobs, 150, NULL, tokens);
    /* Then only the one that holds the thread can be running. */
    EVENTUALLY(stats_of(many).succeeded == 100 && stats_of(many).running == 1);
    CHECK_NUMBER(49, stats_of(many).queued);
    gather_well(many, 150);
    free_all(150);
    palitra_runner_free(many);
}

/* ---- where it stops --------------------------------------------------------------------------------- */

/* Refuses the job in this place. What stands before it runs; neither it nor what is behind leaves a trace. */
static void check_stops_at(size_t place, palitra_status expected, palitra_submission refused) {
    palitra_runner small = runner_with((palitra_runner_options){.max_payload = 10});
    fill(jobs, place + 70, "palitra.echo", "fine");
    jobs[place] = refused;
    CHECK_TAKEN(expected, place, small, jobs, place + 70, NULL, tokens);
    gather_well(small, place);
    for (size_t i = 0; i < place; i++) CHECK_REPLY("fine", replies[i]);
    palitra_stats stats = stats_of(small);
    CHECK_NUMBER(place, stats.submitted);
    CHECK_NUMBER(place, stats.succeeded);
    free_all(place);
    palitra_runner_free(small);
}

static void it_stops_at_the_first_that_is_refused(void) {
    static const size_t places[] = {0, 1, 63, 64, 65, 200};
    for (size_t i = 0; i < LENGTH(places); i++) {
        check_stops_at(places[i], PALITRA_UNKNOWN_JOB, job_of("palitra.ech", "", 0));
        check_stops_at(places[i], PALITRA_INVALID_ARGUMENT, (palitra_submission){NULL, NULL, 0, 0});
        check_stops_at(places[i], PALITRA_INVALID_ARGUMENT, job_of("\xff", "", 0));
        check_stops_at(places[i], PALITRA_INVALID_ARGUMENT, (palitra_submission){"palitra.echo", NULL, 1, 0});
        check_stops_at(places[i], PALITRA_TOO_LARGE, job_of("palitra.echo", "0123456789a", 0));
        check_stops_at(places[i], PALITRA_TOO_LARGE,
                       (palitra_submission){"palitra.echo", (const uint8_t *)"x", (size_t)1 << 47, 0});
    }
}

static void a_payload_that_no_memory_holds_is_refused(void) {
    fill(jobs, 3, "palitra.echo", "x");
    jobs[1].len = (size_t)1 << 47;
    CHECK_TAKEN(PALITRA_TOO_LARGE, 1, runner, jobs, 3, NULL, tokens);
    free_tokens(tokens, 3);
}

/* At the limit it takes as many as there is room for, and the next call goes on from there. */
static void it_takes_as_many_as_the_limit_allows(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner small = runner_with((palitra_runner_options){.max_in_flight = 150, .worker_threads = workers});
        palitra_token one = submit(small, "test.never", "");
        fill(jobs, 200, "test.never", "");
        CHECK_TAKEN(PALITRA_BUSY, 149, small, jobs, 200, NULL, tokens);
        CHECK_NUMBER(150, stats_of(small).submitted);
        palitra_token none[200];
        CHECK_TAKEN(PALITRA_BUSY, 0, small, jobs, 200, NULL, none);
        for (size_t i = 0; i < 5; i++) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[i]));
        EVENTUALLY(stats_of(small).cancelled == 5);
        CHECK_TAKEN(PALITRA_BUSY, 5, small, jobs + 149, 51, NULL, none);
        palitra_runner_free(small);
        for (size_t i = 0; i < 149; i++) CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(tokens[i], NULL));
        free_tokens(tokens, 149);
        free_tokens(none, 51);
        palitra_token_free(one);
    }
}

/* The job that a limit refuses comes before one that is refused for what it is. */
static void the_status_is_that_of_the_first_in_order(void) {
    palitra_runner small = runner_with((palitra_runner_options){.max_in_flight = 3});
    fill(jobs, 10, "test.never", "");
    jobs[5].job = "no such job";
    CHECK_TAKEN(PALITRA_BUSY, 3, small, jobs, 10, NULL, tokens);
    free_tokens(tokens, 3);
    jobs[0].job = "no such job";
    CHECK_TAKEN(PALITRA_UNKNOWN_JOB, 0, small, jobs, 10, NULL, tokens);
    palitra_runner_free(small);
}

/* ---- nothing is taken ------------------------------------------------------------------------------- */

static void check_nothing_taken(palitra_status expected, palitra_runner of, const palitra_submission *submissions,
                                size_t n, const palitra_submit_options *options, palitra_token *out) {
    size_t taken = 99;
    uint64_t before = stats_of(runner).submitted;
    CHECK_STATUS(expected, palitra_runner_submit_many(of, submissions, n, options, out, &taken));
    CHECK_NUMBER(0, taken);
    CHECK_NUMBER(before, stats_of(runner).submitted);
}

static void bad_arrays_are_refused(void) {
    static char room[4 * sizeof(palitra_submission)];
    fill(jobs, 3, "palitra.echo", "x");
    for (size_t i = 0; i < 3; i++) tokens[i].id = 7;
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, NULL, 3, NULL, tokens);
    for (size_t i = 0; i < 3; i++) CHECK_NUMBER(0, tokens[i].id);
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, (palitra_submission *)(void *)(room + 1), 3, NULL, tokens);
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, 3, NULL, (palitra_token *)(void *)(room + 1));
    const size_t absurd[] = {SIZE_MAX, SIZE_MAX / sizeof *jobs, (size_t)1 << 47, ((size_t)1 << 28) + 1};
    for (size_t i = 0; i < LENGTH(absurd); i++) {
        check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, absurd[i], NULL, tokens);
        check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, absurd[i], NULL, NULL);
    }
}

static void bad_options_and_handles_are_refused(void) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    fill(jobs, 3, "palitra.echo", "x");
    options.flags = 64;
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, 3, &options, tokens);
    options.flags = PALITRA_ITEM_EVENTS;
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, 3, &options, tokens);
    options.flags = 0;
    options.queue.id = 12345;
    check_nothing_taken(PALITRA_INVALID_HANDLE, runner, jobs, 3, &options, tokens);
    options.size = 3;
    check_nothing_taken(PALITRA_INVALID_ARGUMENT, runner, jobs, 3, &options, tokens);
    check_nothing_taken(PALITRA_INVALID_HANDLE, (palitra_runner){12345}, jobs, 3, NULL, tokens);
    check_nothing_taken(PALITRA_INVALID_HANDLE, (palitra_runner){0}, jobs, 0, NULL, tokens);
    palitra_token one = submit(runner, "palitra.echo", "x");
    check_nothing_taken(PALITRA_INVALID_HANDLE, (palitra_runner){one.id}, jobs, 3, NULL, tokens);
    palitra_token_free(one);
    palitra_runner gone = new_runner();
    CHECK_STATUS(PALITRA_OK, shutdown_runner(gone, 0));
    check_nothing_taken(PALITRA_SHUT_DOWN, gone, jobs, 3, NULL, tokens);
    palitra_runner_free(gone);
    check_nothing_taken(PALITRA_INVALID_HANDLE, gone, jobs, 3, NULL, tokens);
}

int main(void) {
    runner = new_runner();
    TEST(each_job_has_a_token_in_its_place);
    TEST(the_jobs_start_in_order_behind_those_before);
    TEST(the_options_hold_for_each);
    TEST(without_tokens_the_jobs_run_all_the_same);
    TEST(none_is_taken_at_once);
    TEST(those_that_wait_are_counted_as_queued);
    TEST(it_stops_at_the_first_that_is_refused);
    TEST(a_payload_that_no_memory_holds_is_refused);
    TEST(it_takes_as_many_as_the_limit_allows);
    TEST(the_status_is_that_of_the_first_in_order);
    TEST(bad_arrays_are_refused);
    TEST(bad_options_and_handles_are_refused);
    palitra_runner_free(runner);
    return 0;
}

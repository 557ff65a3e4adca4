/* Many threads at the same tokens at once: whatever races, a token finishes once, with one status, and no thread waits
 * forever. The number of rounds bounds the test; there are fewer where each is slower.
 *
 * Promise 1: a token finishes exactly once.
 */
#include "test.h"

enum { THREADS = 6 };

static palitra_runner runner;

static void in_many_threads(void *(*function)(void *), size_t each, void *arguments) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) threads[i] = start_thread(function, (char *)arguments + i * each);
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
}

/* ---- one token, one status -------------------------------------------------------------------------- */

/* The threads meet at the barrier, then each races for the same token in its own way. */
struct racer {
    size_t number;
};

static struct {
    int round;
    pthread_barrier_t barrier;
    palitra_runner runner;
    palitra_token token;
    palitra_status seen[THREADS];
} race;

enum { RACES = 600 };

static palitra_status wait_in_the_way_of(size_t number) {
    palitra_reply reply;
    palitra_status status = PALITRA_PENDING;
    if (number == 0) pause_for(0.0004 * (race.round % 8));
    if (number == 0) palitra_token_cancel(race.token);
    if (number == 1) CHECK_STATUS(PALITRA_OK, shutdown_runner(race.runner, SECONDS(0.0004 * (race.round % 7))));
    if (number == 2)
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(race.runner, &race.token, 1, PALITRA_FOREVER, NULL));
    if (number == 3)
        return palitra_runner_gather(race.runner, &race.token, 1, PALITRA_FAIL_FAST, PALITRA_FOREVER, NULL);
    if (number == 4)
        while (status == PALITRA_PENDING) status = palitra_token_poll(race.token, NULL);
    status = palitra_runner_wait(race.runner, race.token, PALITRA_FOREVER, &reply);
    CHECK_STATUS(status, reply.status);
    palitra_reply_free(&reply);
    return status;
}

static void *race_for_the_token(void *argument) {
    struct racer *racer = argument;
    for (int round = 0; round < RACES / (int)slowness(); round++) {
        pthread_barrier_wait(&race.barrier);
        race.seen[racer->number] = wait_in_the_way_of(racer->number);
        pthread_barrier_wait(&race.barrier);
    }
    return NULL;
}

/* Completion, deadline, cancel and shutdown all fall due within the same few milliseconds, in an order that
 * differs from round to round. */
static void set_up_race(int round) {
    static const char payload[] = "{\"seconds\": 0.0005}";
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = 1 + SECONDS(0.0004 * (round % 9));
    race.round = round;
    race.runner = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(race.runner, "palitra.sleep", payload, sizeof payload - 1, &options,
                                                   &race.token));
}

static void settle_race(void) {
    palitra_status status = palitra_token_poll(race.token, NULL);
    CHECK(status == PALITRA_OK || status == PALITRA_CANCELLED || status == PALITRA_DEADLINE);
    for (size_t i = 0; i < THREADS; i++) CHECK_STATUS(status, race.seen[i]);
    palitra_token_free(race.token);
    palitra_runner_free(race.runner);
}

static void a_token_finishes_once_with_one_status_whatever_races(void) {
    struct racer racers[THREADS];
    pthread_t threads[THREADS];
    CHECK_NUMBER(0, pthread_barrier_init(&race.barrier, NULL, THREADS + 1));
    for (size_t i = 0; i < THREADS; i++) {
        racers[i].number = i;
        threads[i] = start_thread(race_for_the_token, &racers[i]);
    }
    for (int round = 0; round < RACES / (int)slowness(); round++) {
        set_up_race(round);
        pthread_barrier_wait(&race.barrier);
        pthread_barrier_wait(&race.barrier);
        settle_race();
    }
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
    pthread_barrier_destroy(&race.barrier);
}

/* ---- everything at once ----------------------------------------------------------------------------- */

enum { SLOTS = 16, STEPS = 20000 };

static _Atomic uint64_t slots[SLOTS];

struct chance {
    unsigned seed;
};

static size_t draw(struct chance *chance, size_t below) {
    chance->seed = chance->seed * 1664525u + 1013904223u;
    return (chance->seed >> 8) % below;
}

/* Another thread may free the token at any moment, so INVALID_HANDLE is as right as the status of the job. */
static void check_possible(palitra_status status) {
    switch (status) {
    case PALITRA_OK:
    case PALITRA_PENDING:
    case PALITRA_CANCELLED:
    case PALITRA_JOB_FAILED:
    case PALITRA_JOB_PANICKED:
    case PALITRA_DEADLINE:
    case PALITRA_INVALID_HANDLE: return;
    default: CHECK_STATUS(PALITRA_OK, status);
    }
}

static void replace_with_a_new_job(struct chance *chance, size_t slot) {
    static const struct {
        const char *job, *payload;
    } jobs[] = {
        {"palitra.echo", "x"}, {"palitra.sleep", "{\"seconds\": 0.0002}"},
        {"test.never", ""},    {"test.fail", "{\"code\": 1, \"message\": \"m\"}"},
        {"test.ready", ""},
    };
    palitra_submit_options options;
    palitra_token token = {0};
    size_t which = draw(chance, LENGTH(jobs));
    palitra_submit_options_init(&options);
    if (draw(chance, 4) == 0) options.deadline_ns = 50000;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, jobs[which].job, jobs[which].payload,
                                                   strlen(jobs[which].payload), &options, &token));
    palitra_token old = {slots[slot]};
    slots[slot] = token.id;
    palitra_token_cancel(old);
    palitra_token_free(old);
}

static void use_all_slots(struct chance *chance) {
    palitra_token all[SLOTS];
    palitra_reply replies[SLOTS];
    for (size_t i = 0; i < SLOTS; i++) all[i].id = slots[i];
    check_possible(palitra_runner_wait_any(runner, all, SLOTS, 1000, NULL));
    check_possible(palitra_runner_gather(runner, all, SLOTS, draw(chance, 8) == 0 ? PALITRA_FAIL_FAST : 0,
                                         (int64_t)draw(chance, 200000), replies));
    for (size_t i = 0; i < SLOTS; i++) palitra_reply_free(&replies[i]);
}

static void one_step(struct chance *chance) {
    size_t slot = draw(chance, SLOTS);
    palitra_token token = {slots[slot]};
    palitra_reply reply;
    switch (draw(chance, 8)) {
    case 0:
    case 1: replace_with_a_new_job(chance, slot); return;
    case 2: check_possible(palitra_token_cancel(token)); return;
    case 3: palitra_token_free(token); return;
    case 4: use_all_slots(chance); return;
    case 5: check_possible(palitra_token_poll(token, &reply)); break;
    default: check_possible(palitra_runner_wait(runner, token, (int64_t)draw(chance, 300000), &reply)); break;
    }
    palitra_reply_free(&reply);
}

static void *many_steps(void *argument) {
    for (int step = 0; step < STEPS / (int)slowness(); step++) one_step(argument);
    return NULL;
}

static void tokens_may_be_used_and_freed_by_many_threads_at_once(void) {
    struct chance chances[THREADS];
    runner = new_runner();
    for (unsigned i = 0; i < THREADS; i++) chances[i].seed = 2463534242u + i;
    in_many_threads(many_steps, sizeof chances[0], chances);
    check_echo(runner);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    for (size_t i = 0; i < SLOTS; i++) {
        palitra_token token = {slots[i]};
        CHECK(palitra_token_poll(token, NULL) != PALITRA_PENDING);
        palitra_token_free(token);
    }
    palitra_runner_free(runner);
}

/* ---- free under a waiter ---------------------------------------------------------------------------- */

static palitra_token freed;
static pthread_barrier_t waiting;

static void *wait_for_the_freed(void *unused) {
    palitra_reply reply;
    (void)unused;
    pthread_barrier_wait(&waiting);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(runner, freed, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    return NULL;
}

static void *wait_for_any_freed(void *unused) {
    (void)unused;
    pthread_barrier_wait(&waiting);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(runner, &freed, 1, PALITRA_FOREVER, NULL));
    return NULL;
}

static void *gather_the_freed(void *fail_fast) {
    palitra_reply reply;
    uint32_t flags = fail_fast == NULL ? 0 : PALITRA_FAIL_FAST;
    pthread_barrier_wait(&waiting);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(runner, &freed, 1, flags, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    return NULL;
}

/* The job never finishes, so nothing but the freeing can wake them. */
static void freeing_a_token_wakes_whoever_waits_for_it(void) {
    runner = new_runner();
    CHECK_NUMBER(0, pthread_barrier_init(&waiting, NULL, 5));
    for (int round = 0; round < 20; round++) {
        freed = submit(runner, "test.never", "");
        pthread_t threads[4] = {start_thread(wait_for_the_freed, NULL), start_thread(wait_for_any_freed, NULL),
                                start_thread(gather_the_freed, NULL), start_thread(gather_the_freed, &freed)};
        pthread_barrier_wait(&waiting);
        pause_for(0.001 * (round % 4));
        palitra_token_free(freed);
        for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
    }
    pthread_barrier_destroy(&waiting);
    palitra_runner_free(runner);
}

/* ---- many submitters -------------------------------------------------------------------------------- */

static void *submit_and_check(void *unused) {
    (void)unused;
    for (int i = 0; i < 1000 / (int)slowness(); i++) {
        char text[32];
        palitra_reply reply;
        snprintf(text, sizeof text, "%p %d", (void *)&text, i);
        palitra_token token = submit(runner, "palitra.echo", text);
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
        CHECK_REPLY(text, reply);
        palitra_reply_free(&reply);
        palitra_token_free(token);
        CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", text, PALITRA_FOREVER, &reply));
        CHECK_REPLY(text, reply);
        palitra_reply_free(&reply);
    }
    return NULL;
}

static void every_thread_gets_its_own_replies(void) {
    runner = new_runner();
    in_many_threads(submit_and_check, 0, &runner);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_token_finishes_once_with_one_status_whatever_races);
    TEST(tokens_may_be_used_and_freed_by_many_threads_at_once);
    TEST(freeing_a_token_wakes_whoever_waits_for_it);
    TEST(every_thread_gets_its_own_replies);
    return 0;
}

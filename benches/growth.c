/* make growth: what one item costs while their number grows a thousandfold, as a table.
 *
 *     growth [LARGEST]     up to so many items; 1,000,000
 *
 * Every call and every promise that takes n things is to be linear in n. A line is linear if an item costs, among the
 * largest number, at most three times what it costs among 10,000; caches and the allocator account for that much, a
 * square would make it a hundred times. The program fails if a line is not. Times are of this machine in this minute.
 *
 * Each figure is made in a process of its own, so that none inherits another's memory, and is bounded.
 */
#include "../tests/c/support/scheduling.h"

#define SMALLEST 1000
#define BASE 10000
#define TIMES_DEARER 3.0

/* An item that costs less than this is no reason to complain. */
#define TOO_CHEAP_TO_TELL 150e-9

/* The longest that one figure may take. */
#define BOUND_SECONDS 60u

/* Submits n jobs with these options, and keeps their tokens if there is room for them. */
static void submit_all(palitra_runner runner, size_t n, const char *job, const char *payload,
                       const palitra_submit_options *options, palitra_token *tokens) {
    for (size_t i = 0; i < n; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, job, payload, strlen(payload), options,
                                                       tokens == NULL ? NULL : &tokens[i]));
}

static void submit_pending(palitra_runner runner, size_t n, palitra_token *tokens) {
    submit_all(runner, n, "palitra.sleep", "{\"seconds\":100000}", NULL, tokens);
    EVENTUALLY(stats_of(runner).queued == 0);
}

static palitra_token *room_for(size_t n) {
    palitra_token *tokens = calloc(n, sizeof *tokens);
    CHECK(tokens != NULL);
    return tokens;
}

static palitra_reply *room_for_replies(size_t n) {
    palitra_reply *replies = calloc(n, sizeof *replies);
    CHECK(replies != NULL);
    return replies;
}

/* Waits for n echoes of "x". */
static void gather_all(palitra_runner runner, size_t n, const palitra_token *tokens, palitra_reply *replies) {
    CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, tokens, n, 0, PALITRA_FOREVER, replies));
    CHECK_REPLY("x", replies[n - 1]);
}

/* ---- what is measured: each returns the seconds that n items took ------------------------------------ */

/* Long enough for n submissions, so that none is due before all of them wait. */
static double until_due(size_t n) { return 0.2 + (double)n * 10e-6; }

static void keep_the_thread(palitra_token token, palitra_status status, void *due) {
    (void)token;
    (void)status;
    while (now() < *(double *)due) pause_for(0.001);
}

static double timers_due_at_once(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token done = submit(runner, "palitra.echo", "");
    char payload[64];
    snprintf(payload, sizeof payload, "{\"seconds\":%f}", until_due(n));
    submit_all(runner, n, "palitra.sleep", payload, NULL, NULL);
    EVENTUALLY(stats_of(runner).queued == 0);
    /* Nobody looks at the timers until the last is due. */
    double due = now() + until_due(n) + 0.01;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(done, keep_the_thread, &due, NULL));
    while (now() < due) pause_for(0.0005);
    EVENTUALLY(ended(stats_of(runner)) == n + 1);
    return now() - due;
}

static double deadlines_that_pass(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(until_due(n));
    double first_due = now() + until_due(n);
    submit_all(runner, n, "palitra.sleep", "{\"seconds\":100000}", &options, NULL);
    while (now() < first_due) pause_for(0.0005);
    EVENTUALLY(ended(stats_of(runner)) == n);
    return now() - first_due;
}

static double cancels(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token *tokens = room_for(n);
    submit_pending(runner, n, tokens);
    double start = now();
    for (size_t i = 0; i < n; i++) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[i]));
    EVENTUALLY(ended(stats_of(runner)) == n);
    return now() - start;
}

/* One that gives up on its jobs took too long. */
static double time_of_shutdown(uint32_t workers, size_t n) {
    palitra_runner runner = runner_with_workers(workers);
    submit_pending(runner, n, NULL);
    double start = now();
    return palitra_runner_shutdown(runner, 0) == PALITRA_OK ? now() - start : -1;
}

static double shutdown_of_one_thread(size_t n) { return time_of_shutdown(0, n); }

static double shutdown_of_workers(size_t n) { return time_of_shutdown(2, n); }

static double gathers(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token *tokens = room_for(n);
    palitra_reply *replies = room_for_replies(n);
    double start = now();
    submit_all(runner, n, "palitra.echo", "x", NULL, tokens);
    gather_all(runner, n, tokens, replies);
    return now() - start;
}

static double gathers_of_pending_jobs(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token *tokens = room_for(n);
    submit_pending(runner, n, tokens);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_gather(runner, tokens, n, 0, SECONDS(0.001), NULL));
    return now() - start;
}

static double submits_many_and_gathers(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token *tokens = room_for(n);
    palitra_reply *replies = room_for_replies(n);
    palitra_submission *submissions = calloc(n, sizeof *submissions);
    CHECK(submissions != NULL);
    for (size_t i = 0; i < n; i++) submissions[i] = (palitra_submission){"palitra.echo", (const uint8_t *)"x", 1, 0};
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(runner, submissions, n, NULL, tokens, NULL));
    gather_all(runner, n, tokens, replies);
    return now() - start;
}

static double waits_for_any_of_pending_jobs(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_token *tokens = room_for(n);
    size_t index;
    submit_pending(runner, n, tokens);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait_any(runner, tokens, n, SECONDS(0.001), &index));
    return now() - start;
}

static double drains_a_queue(size_t n) {
    palitra_runner runner = runner_with_workers(0);
    palitra_submit_options options;
    palitra_event events[256];
    palitra_submit_options_init(&options);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&options.queue));
    double start = now();
    submit_all(runner, n, "palitra.echo", "x", &options, NULL);
    for (size_t taken = 0, some; taken < n; taken += some)
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(options.queue, PALITRA_FOREVER, events, LENGTH(events), &some));
    return now() - start;
}

static const struct line {
    const char *title;
    double (*measure)(size_t n);
} lines[] = {
    {"timers due at once", timers_due_at_once},
    {"deadlines that pass", deadlines_that_pass},
    {"cancels of pending jobs", cancels},
    {"shutdown with pending jobs", shutdown_of_one_thread},
    {"shutdown, two workers", shutdown_of_workers},
    {"submit and gather", gathers},
    {"submit_many and gather", submits_many_and_gathers},
    {"gather that times out", gathers_of_pending_jobs},
    {"wait_any that times out", waits_for_any_of_pending_jobs},
    {"submit and drain a queue", drains_a_queue},
};

/* ---- the table -------------------------------------------------------------------------------------- */

/* In a child. Negative: it did not end within the bound. */
static double seconds_of(const struct line *line, size_t n) {
    int channel[2];
    double seconds = -1;
    fflush(NULL);
    CHECK_NUMBER(0, pipe(channel));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(BOUND_SECONDS);
        seconds = line->measure(n);
        _exit(write(channel[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
    }
    int ending = 0;
    close(channel[1]);
    bool is_done = read(channel[0], &seconds, sizeof seconds) == sizeof seconds;
    close(channel[0]);
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    if (!is_done) CHECK(WIFSIGNALED(ending) && WTERMSIG(ending) == SIGALRM);
    return is_done ? seconds : -1;
}

/* The best of a few, which a busy machine disturbs least; of large numbers only until one is good enough. */
static double cost_of(const struct line *line, size_t n, double good_enough) {
    double best = -1;
    for (int i = 0; i < (n <= BASE ? 5 : 3); i++) {
        double seconds = seconds_of(line, n);
        if (seconds < 0) return best;
        double cost = seconds / (double)n;
        if (best < 0 || cost < best) best = cost;
        if (n > BASE && best <= good_enough) break;
    }
    return best;
}

static void print_cost(double cost) {
    if (cost < 0) printf(" %11s", "too long");
    else printf(" %8.0f ns", cost * 1e9);
    fflush(stdout);
}

/* Whether the line is linear. */
static bool print_line(const struct line *line, size_t largest) {
    double base = 0, cost = 0;
    printf("%-28s", line->title);
    fflush(stdout);
    for (size_t n = SMALLEST; n <= largest && cost >= 0; n *= 10) {
        cost = cost_of(line, n, TIMES_DEARER * base);
        if (n == BASE) base = cost > TOO_CHEAP_TO_TELL ? cost : TOO_CHEAP_TO_TELL;
        print_cost(cost);
    }
    bool is_linear = cost >= 0 && cost <= TIMES_DEARER * base;
    if (largest <= BASE) puts("  -");
    else if (cost < 0) puts("  NO");
    else printf("  %s (x %.1f)\n", is_linear ? "yes" : "NO", cost / base);
    return is_linear || (largest <= BASE && cost >= 0);
}

int main(int argc, char **argv) {
    size_t largest = argc < 2 ? 1000000 : strtoull(argv[1], NULL, 10);
    bool are_linear = true;
    printf("%-28s", "time for each of");
    for (size_t n = SMALLEST; n <= largest; n *= 10) printf(" %11zu", n);
    puts("  linear");
    for (size_t i = 0; i < LENGTH(lines); i++) are_linear = print_line(&lines[i], largest) && are_linear;
    return are_linear ? 0 : 1;
}

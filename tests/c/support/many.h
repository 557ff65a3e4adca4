/* What the tests of palitra_runner_submit_many share: arrays of jobs, and a call that checks what was taken. */
#ifndef PALITRA_TEST_MANY_H
#define PALITRA_TEST_MANY_H

#include "test.h"

static inline palitra_submission job_of(const char *job, const char *payload, uint64_t tag) {
    return (palitra_submission){job, (const uint8_t *)payload, strlen(payload), tag};
}

/* The same job, `n` times; the tags count from 0. */
static inline void fill(palitra_submission *submissions, size_t n, const char *job, const char *payload) {
    for (size_t i = 0; i < n; i++) submissions[i] = job_of(job, payload, i);
}

/* Submits and checks how many were taken: those have tokens, the others none. */
static inline void check_taken(const char *file, int line, palitra_status expected, size_t expected_taken,
                               palitra_runner runner, const palitra_submission *submissions, size_t n,
                               const palitra_submit_options *options, palitra_token *tokens) {
    size_t taken = 99999999;
    memset(tokens, 0xAA, n * sizeof *tokens);
    palitra_status status = palitra_runner_submit_many(runner, submissions, n, options, tokens, &taken);
    check_status(file, line, "palitra_runner_submit_many", expected, status);
    check_number(file, line, "taken", (intmax_t)expected_taken, (intmax_t)taken);
    for (size_t i = 0; i < n; i++) check_number(file, line, "has a token", i < taken, tokens[i].id != 0);
}

#define CHECK_TAKEN(status, taken, ...) check_taken(__FILE__, __LINE__, (status), (taken), __VA_ARGS__)

static inline palitra_stats stats_of(palitra_runner runner) {
    palitra_stats stats = {.size = sizeof stats};
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    return stats;
}

static inline void free_tokens(const palitra_token *tokens, size_t n) {
    for (size_t i = 0; i < n; i++) palitra_token_free(tokens[i]);
}

#endif

/* What the tests of a runner's figures share: a check of the three that say where jobs are. */
#ifndef PALITRA_TEST_COUNTS_H
#define PALITRA_TEST_COUNTS_H

#include "scheduling.h"

static inline void check_counts(const palitra_stats *stats, uint64_t submitted, uint64_t queued, uint64_t running) {
    if (stats->submitted == submitted && stats->queued == queued && stats->running == running) return;
    fprintf(stderr, "submitted, queued, running: expected %d, %d, %d, saw %d, %d, %d", (int)submitted, (int)queued,
            (int)running, (int)stats->submitted, (int)stats->queued, (int)stats->running);
    fail(__FILE__, __LINE__);
}

#endif

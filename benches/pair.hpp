// Two subjects compared fairly on a noisy machine.
//
// They run in turns in one process, a short round each, many rounds. Each round gives one ratio of two
// times that lie side by side, so what slows the machine for a while slows both. The order changes from
// round to round, so neither always finds the caches as the other left them. The result is the median of
// those ratios with its quartiles; the times themselves are only there to tell nanoseconds from
// microseconds.
#pragma once

#include "subject.hpp"

struct Quantity {
    double ratio, lower_quartile, upper_quartile; // ours divided by the rival's
    double our_nanoseconds, rival_nanoseconds;    // medians for one operation
};

struct Comparison {
    Quantity time;
    Quantity processor; // of all threads together: what spinning would pay for a shorter time
};

// The processor time of this process so far.
double processor_nanoseconds();

Comparison compare(Subject &ours, Subject &rival, std::size_t operations, std::size_t rounds);

// The rounds of a comparison and their medians; pair.hpp says why they are run so.
#include "pair.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <vector>

namespace {

struct Cost {
    double time, processor; // nanoseconds for one operation
};

Cost cost_of(Subject &subject, std::size_t operations) {
    auto before = processor_nanoseconds();
    auto time = subject.nanoseconds(operations);
    auto processor = processor_nanoseconds() - before;
    return {time / static_cast<double>(operations), processor / static_cast<double>(operations)};
}

struct Round {
    Cost ours, rival;
};

Round run_round(Subject &ours, Subject &rival, std::size_t operations, bool ours_first) {
    if (ours_first) {
        auto first = cost_of(ours, operations);
        return {first, cost_of(rival, operations)};
    }
    auto first = cost_of(rival, operations);
    return {cost_of(ours, operations), first};
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(std::lround(part * static_cast<double>(values.size() - 1)))];
}

Quantity quantity_of(const std::vector<Round> &rounds, double Cost::*which) {
    std::vector<double> ratios, ours, rivals;
    for (const auto &round : rounds) {
        ratios.push_back(round.ours.*which / round.rival.*which);
        ours.push_back(round.ours.*which);
        rivals.push_back(round.rival.*which);
    }
    return {quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), quantile(ours, 0.5),
            quantile(rivals, 0.5)};
}

} // namespace

double processor_nanoseconds() {
    timespec time;
    require(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "clock_gettime failed");
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

Comparison compare(Subject &ours, Subject &rival, std::size_t operations, std::size_t rounds) {
    run_round(ours, rival, operations, true); // warms caches and allocators; not counted
    std::vector<Round> taken;
    for (std::size_t i = 0; i < rounds; ++i) {
        taken.push_back(run_round(ours, rival, operations, i % 2 == 0));
    }
    return {quantity_of(taken, &Cost::time), quantity_of(taken, &Cost::processor)};
}

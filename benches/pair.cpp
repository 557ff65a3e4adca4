// The rounds of a comparison and their medians; pair.hpp says why they are run so.
#include "pair.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace {

double nanoseconds_per_operation(Subject &subject, std::size_t operations) {
    return subject.nanoseconds(operations) / static_cast<double>(operations);
}

struct Round {
    double ours, rival;
};

Round run_round(Subject &ours, Subject &rival, std::size_t operations, bool ours_first) {
    if (ours_first) {
        double first = nanoseconds_per_operation(ours, operations);
        return {first, nanoseconds_per_operation(rival, operations)};
    }
    double first = nanoseconds_per_operation(rival, operations);
    return {nanoseconds_per_operation(ours, operations), first};
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(std::lround(part * static_cast<double>(values.size() - 1)))];
}

template <typename Value>
std::vector<double> each(const std::vector<Round> &rounds, Value value) {
    std::vector<double> values;
    for (const auto &round : rounds) values.push_back(value(round));
    return values;
}

} // namespace

Comparison compare(Subject &ours, Subject &rival, std::size_t operations, std::size_t rounds) {
    run_round(ours, rival, operations, true); // warms caches and allocators; not counted
    std::vector<Round> taken;
    for (std::size_t i = 0; i < rounds; ++i) {
        taken.push_back(run_round(ours, rival, operations, i % 2 == 0));
    }
    auto ratios = each(taken, [](const Round &round) { return round.ours / round.rival; });
    return {
        quantile(ratios, 0.5),
        quantile(ratios, 0.25),
        quantile(ratios, 0.75),
        quantile(each(taken, [](const Round &round) { return round.ours; }), 0.5),
        quantile(each(taken, [](const Round &round) { return round.rival; }), 0.5),
    };
}

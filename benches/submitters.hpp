// How a host feeds an asynchronous worker: a window of jobs at a time, from one thread or from several.
// Ours and the rivals share these loops, so that they differ only in what is measured.
#pragma once

#include "subject.hpp"

#include <algorithm>
#include <thread>
#include <vector>

template <typename RunWindow>
void in_windows(std::size_t operations, RunWindow run_window) {
    while (operations > 0) {
        auto jobs = std::min(operations, window_size);
        run_window(jobs);
        operations -= jobs;
    }
}

template <typename RunWindow>
void from_submitters(std::size_t operations, RunWindow run_window) {
    std::vector<std::thread> submitters;
    for (int i = 0; i < submitter_count; ++i) {
        submitters.emplace_back([=] { in_windows(operations / submitter_count, run_window); });
    }
    for (auto &submitter : submitters) submitter.join();
}

// Pins threads with sched_setaffinity, within the cores that this process was given; placement.hpp says why.
#include "placement.hpp"
#include "subject.hpp"

#include <sched.h>
#include <vector>

namespace {

std::vector<int> allowed_cores() {
    cpu_set_t set;
    require(sched_getaffinity(0, sizeof set, &set) == 0, "sched_getaffinity failed");
    std::vector<int> cores;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
    return cores;
}

// Read once, before the first pinning narrows what it returns.
const std::vector<int> cores = allowed_cores();

void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity failed");
}

} // namespace

Placement placement_named(std::string_view name) {
    if (name == "free") return Placement::free;
    if (name == "together") return Placement::together;
    require(name == "apart", "a placement is free, together or apart");
    require(cores.size() > 1, "placement apart needs two cores");
    return Placement::apart;
}

void place_workers(Placement placement) {
    if (placement != Placement::free) pin_to(cores.front());
}

void place_host(Placement placement) {
    if (placement == Placement::apart) pin_to(cores.back());
}

// Which cores the threads of a subject run on.
//
// A round trip on one core costs two context switches; across cores it wakes a core that sleeps, which on
// a virtual machine takes ten times as long. Left alone, the scheduler gives the one placement to one
// subject and the other to its rival, and the ratio says nothing but that. So each comparison names its
// placement, and ours and the rival get the same.
//
// A thread inherits the cores of the thread that starts it: the subjects are constructed, workers and all,
// between place_workers and place_host.
#pragma once

#include <string_view>

enum class Placement {
    free,     // wherever the scheduler likes
    together, // workers and host on one core
    apart,    // workers on one core, the host on another
};

Placement placement_named(std::string_view name);

void place_workers(Placement placement);
void place_host(Placement placement);

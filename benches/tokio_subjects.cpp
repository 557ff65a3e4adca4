// Bare tokio, through the functions that palitra-rivals (benches/rivals) exports.
//
//   tokio-block-on     a ready boxed future through Handle::block_on, one call an operation
//   tokio-spawn        echo tasks through Handle::spawn from outside the runtime, in windows
//   tokio-submitters   the same windows from several threads at once
//   tokio-spawn-bare   windows on a runtime without sockets, whose thread is cheaper to wake
//   tokio-wake         tasks that sleep 50 ms, as many as there are operations, all awaited
//   tokio-sleep        detached sleeping tasks
#include "subject.hpp"
#include "submitters.hpp"

extern "C" {
void rival_start(bool sockets);
void rival_stop();
std::size_t rival_block_on();
std::size_t rival_spawn_echo(std::size_t jobs);
void rival_sleep(std::size_t jobs);
void rival_wake(std::size_t jobs);
}

namespace {

class TokioSubject : public Subject {
protected:
    explicit TokioSubject(bool sockets = true) {
        rival_start(sockets);
        spawn_echo(1);
    }

    ~TokioSubject() override { rival_stop(); }

    static void spawn_echo(std::size_t jobs) {
        require(rival_spawn_echo(jobs) == jobs * payload.size(), "tokio: echo failed");
    }
};

class BlockOn : public TokioSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            require(rival_block_on() == payload.size(), "tokio: block_on failed");
        }
    }
};

class Spawn : public TokioSubject {
    void run(std::size_t operations) override { in_windows(operations, spawn_echo); }
};

class Submitters : public TokioSubject {
    void run(std::size_t operations) override { from_submitters(operations, spawn_echo); }
};

class SpawnBare : public TokioSubject {
public:
    SpawnBare() : TokioSubject(false) {}

    void run(std::size_t operations) override { in_windows(operations, spawn_echo); }
};

class Sleep : public TokioSubject {
    void run(std::size_t operations) override { in_windows(operations, rival_sleep); }
};

class Wake : public TokioSubject {
    void run(std::size_t operations) override { rival_wake(operations); }
};

} // namespace

SubjectPointer make_tokio_block_on() { return std::make_unique<BlockOn>(); }
SubjectPointer make_tokio_spawn() { return std::make_unique<Spawn>(); }
SubjectPointer make_tokio_submitters() { return std::make_unique<Submitters>(); }
SubjectPointer make_tokio_spawn_bare() { return std::make_unique<SpawnBare>(); }
SubjectPointer make_tokio_sleep() { return std::make_unique<Sleep>(); }
SubjectPointer make_tokio_wake() { return std::make_unique<Wake>(); }

// The least that a hand-off to a sleeping thread and back can cost on Linux: two threads, one word, one
// FUTEX_WAKE each way. What a library adds to a round trip is what it costs beyond this.
//
// Neither side spins, so that the figure is the cost of two wakes and not of luck with timing.
#include "subject.hpp"

#include <atomic>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

enum Turn : int { ping, pong, over };

class Baton {
public:
    void pass(Turn to) {
        turn_.store(to, std::memory_order_release);
        futex(FUTEX_WAKE_PRIVATE, 1);
    }

    // Returns the turn as it is once it is no longer this one.
    Turn wait_while(Turn current) {
        Turn turn;
        while ((turn = turn_.load(std::memory_order_acquire)) == current) {
            futex(FUTEX_WAIT_PRIVATE, current);
        }
        return turn;
    }

private:
    void futex(int operation, int value) { syscall(SYS_futex, &turn_, operation, value, nullptr, nullptr, 0); }

    std::atomic<Turn> turn_{ping};
};

static_assert(sizeof(std::atomic<Turn>) == 4, "a futex word has four bytes");

class PingPong : public Subject {
public:
    PingPong() : partner_([this] { echo(); }) { run(1); }

    ~PingPong() override {
        baton_.pass(over);
        partner_.join();
    }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            baton_.pass(pong);
            baton_.wait_while(pong);
        }
    }

private:
    void echo() {
        while (baton_.wait_while(ping) != over) baton_.pass(ping);
    }

    Baton baton_;
    std::thread partner_;
};

} // namespace

SubjectPointer make_futex_ping_pong() { return std::make_unique<PingPong>(); }

/* Tells ThreadSanitizer what Rust's standard library does, which comes compiled without it.
 *
 * A lock of std is taken and released by inlined code, which is instrumented; only its slow paths are functions of
 * std's own: waiting for a lock that another thread holds, waiting for a condition, and what is done once. The linker
 * sends calls of those here (--wrap), and each says the acquire or the release that its C++ counterpart would have
 * said: on the lock's own word, so that nothing is ordered that the lock does not order. Without this every wait looks
 * like a race.
 *
 * An Arc counts down with release, and the last owner says acquire by a fence, which ThreadSanitizer does not see:
 * the count itself says both. Palitra counts nothing down with release, so that hides nothing of its own.
 *
 * The names are std's of one toolchain: build.sh finds them, and passes them as LOCK_CONTENDED and so on.
 */
#include <stdbool.h>
#include <stdint.h>

uint32_t __tsan_atomic32_load(const volatile uint32_t *at, int order);
uint32_t __tsan_atomic32_fetch_add(volatile uint32_t *at, uint32_t by, int order);

static void acquire(uint32_t *lock) { (void)__tsan_atomic32_load(lock, __ATOMIC_ACQUIRE); }
static void release(uint32_t *lock) { (void)__tsan_atomic32_fetch_add(lock, 0, __ATOMIC_RELEASE); }

void real_lock(uint32_t *lock) __asm__("__real_" LOCK_CONTENDED);
void wrap_lock(uint32_t *lock) __asm__("__wrap_" LOCK_CONTENDED);
void wrap_lock(uint32_t *lock) {
    real_lock(lock);
    acquire(lock);
}

/* Of a lock of many readers the first word is the one that readers and the writer are counted in. */
void real_read(uint32_t *lock) __asm__("__real_" READ_CONTENDED);
void wrap_read(uint32_t *lock) __asm__("__wrap_" READ_CONTENDED);
void wrap_read(uint32_t *lock) {
    real_read(lock);
    acquire(lock);
}

void real_write(uint32_t *lock) __asm__("__real_" WRITE_CONTENDED);
void wrap_write(uint32_t *lock) __asm__("__wrap_" WRITE_CONTENDED);
void wrap_write(uint32_t *lock) {
    real_write(lock);
    acquire(lock);
}

void real_wait(void *condition, uint32_t *lock) __asm__("__real_" CONDVAR_WAIT);
void wrap_wait(void *condition, uint32_t *lock) __asm__("__wrap_" CONDVAR_WAIT);
void wrap_wait(void *condition, uint32_t *lock) {
    release(lock);
    real_wait(condition, lock);
    acquire(lock);
}

/* The time is a std::time::Duration, which travels in two registers. */
bool real_timeout(void *condition, uint32_t *lock, uint64_t seconds,
                  uint32_t nanoseconds) __asm__("__real_" CONDVAR_WAIT_TIMEOUT);
bool wrap_timeout(void *condition, uint32_t *lock, uint64_t seconds,
                  uint32_t nanoseconds) __asm__("__wrap_" CONDVAR_WAIT_TIMEOUT);
bool wrap_timeout(void *condition, uint32_t *lock, uint64_t seconds, uint32_t nanoseconds) {
    release(lock);
    const bool result = real_timeout(condition, lock, seconds, nanoseconds);
    acquire(lock);
    return result;
}

/* What is done once is a `&mut dyn FnMut(&OnceState)`: a pointer and a table of functions, of which call_mut comes after
 * drop, size, align and call_once. It is wrapped in one that says the release before std says that it is done. */
struct initializer {
    void *data;
    const uintptr_t *functions;
    uint32_t *once;
};
enum { CALL_MUT = 4, FUNCTIONS };

static void initialize(struct initializer *initializer, void *state) {
    ((void (*)(void *, void *))initializer->functions[CALL_MUT])(initializer->data, state);
    release(initializer->once);
}

void real_once(uint32_t *once, bool force, void *data, const uintptr_t *functions) __asm__("__real_" ONCE_CALL);
void wrap_once(uint32_t *once, bool force, void *data, const uintptr_t *functions) __asm__("__wrap_" ONCE_CALL);
void wrap_once(uint32_t *once, bool force, void *data, const uintptr_t *functions) {
    struct initializer initializer = {data, functions, once};
    const uintptr_t table[FUNCTIONS] = {functions[0], functions[1], functions[2], functions[3], (uintptr_t)&initialize};
    real_once(once, force, &initializer, table);
    acquire(once);
}

uint64_t __real___tsan_atomic64_fetch_sub(volatile uint64_t *count, uint64_t by, int order);
uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *count, uint64_t by, int order);
uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *count, uint64_t by, int order) {
    return __real___tsan_atomic64_fetch_sub(count, by, order == __ATOMIC_RELEASE ? __ATOMIC_ACQ_REL : order);
}

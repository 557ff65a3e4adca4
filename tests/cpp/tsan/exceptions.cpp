// Tells ThreadSanitizer that an exception shared by threads is counted: libstdc++ does that, and is not instrumented.
// The linker sends the calls that release an exception here (--wrap); what is said to the sanitizer is about that
// exception only.
#include <exception>

extern "C" {
void __tsan_acquire(void* at);
void __tsan_release(void* at);

void __real__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void** pointer);
void __wrap__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void** pointer) {
    __tsan_release(*pointer);
    __tsan_acquire(*pointer);
    __real__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(pointer);
}

void __real___cxa_end_catch();
void __wrap___cxa_end_catch() {
    {
        const std::exception_ptr caught = std::current_exception();
        if (caught) __tsan_release(*reinterpret_cast<void* const*>(&caught));
    }
    __real___cxa_end_catch();
}
}

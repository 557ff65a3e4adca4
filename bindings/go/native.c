/* Callbacks: the library takes a function and a pointer; Go has exported functions and a cgo.Handle. */
#include "native.h"
#include "_cgo_export.h"

static void complete(palitra_token token, palitra_status status, void *handle) {
    (void)token;
    palitraGoComplete((uintptr_t)handle, status);
}

static void free_handle(void *handle) { palitraGoFreeHandle((uintptr_t)handle); }

palitra_status palitra_go_on_complete(palitra_token token, uintptr_t handle) {
    return palitra_token_on_complete(token, complete, (void *)handle, free_handle);
}

static void call(palitra_call call, const void *data, size_t len, void *handle) {
    palitraGoCall((uintptr_t)handle, call, (void *)data, len);
}

palitra_status palitra_go_register(palitra_runner runner, const char *name, uintptr_t handle) {
    const palitra_job_info info = {name, NULL, PALITRA_BYTES, PALITRA_BYTES};
    return palitra_runner_register(runner, &info, call, (void *)handle, free_handle);
}

static void cancel(palitra_call call, void *handle) {
    (void)call;
    palitraGoCancel((uintptr_t)handle);
}

palitra_status palitra_go_on_cancel(palitra_call call, uintptr_t handle) {
    return palitra_call_on_cancel(call, cancel, (void *)handle, free_handle);
}

palitra_status palitra_go_on_room(palitra_call call, palitra_queue queue, uint64_t tag, uintptr_t handle) {
    /* This ends the function's registration, and so it is registered again. A call that has ended in between says so
     * then. */
    palitra_call_notify(call, queue, tag);
    return palitra_go_on_cancel(call, handle);
}

static void log_message(int32_t level, const char *target, const char *message, void *handle) {
    palitraGoLog(level, (char *)target, (char *)message, (uintptr_t)handle);
}

palitra_status palitra_go_log(int32_t level, uintptr_t handle) {
    return palitra_log_set(level, handle == 0 ? NULL : log_message, (void *)handle, handle == 0 ? NULL : free_handle);
}

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

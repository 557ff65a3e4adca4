/* What the fuzzing programs share: the bytes of an input, and checks that end the process where the fuzzer sees it. */
#ifndef PALITRA_FUZZ_H
#define PALITRA_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "palitra.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* The bytes that are left; 0 when there are none. */
struct input {
    const uint8_t *data;
    size_t left;
};

static inline unsigned next_byte(struct input *input) {
    if (input->left == 0) return 0;
    input->left--;
    return *input->data++;
}

/* Every status has a name and a message, so this is one. */
static inline palitra_status known(palitra_status status) {
    MUST(status >= PALITRA_OK && status < PALITRA_INTERNAL && palitra_status_name(status) != NULL);
    MUST(palitra_status_message(status)[0] != '\0');
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the address sanitizer asks for its options: tokens, runners and replies that the library has for as long as the
 * process lives are no leaks of an input, and memory of any size may be asked for. */
const char *__asan_default_options(void);  /* NOLINT(bugprone-reserved-identifier): its name for it */
const char *__asan_default_options(void) { /* NOLINT(bugprone-reserved-identifier) */
    return "detect_leaks=0:allocator_may_return_null=1:handle_abort=1";
}

#endif

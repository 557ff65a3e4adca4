/* A step of a conformance scenario and its outcome: taking a line apart, reading its words, writing the outcome.
 *
 * For conformance.c alone. What cannot be carried out ends the interpreter: the file is not of the format.
 */
#ifndef PALITRA_CONFORMANCE_STEP_H
#define PALITRA_CONFORMANCE_STEP_H

#include "palitra.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 16u
#define OUTCOME 1024u

/* A line, taken apart. The words lie in the text of the file, which outlives it. */
struct step {
    char *words[WORDS];
    size_t count;
};

struct outcome {
    char text[OUTCOME];
};

static inline void die(const char *what) {
    fprintf(stderr, "conformance.c: %s\n", what);
    exit(1);
}

/* ---- outcomes ---------------------------------------------------------------------------------------- */

static inline void put(struct outcome *outcome, const char *format, ...) {
    size_t used = strlen(outcome->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->text + used, OUTCOME - used, format, arguments);
    va_end(arguments);
}

static inline void put_status(struct outcome *outcome, palitra_status status) {
    put(outcome, "%s", palitra_status_name(status) + strlen("PALITRA_"));
}

/* Only these statuses have a text of the job's own. Frees the reply. */
static inline void put_reply(struct outcome *outcome, palitra_status status, palitra_reply *reply) {
    bool has_text = status == PALITRA_OK || status == PALITRA_JOB_FAILED || status == PALITRA_JOB_PANICKED ||
                    status == PALITRA_BAD_PAYLOAD;
    put_status(outcome, status);
    if (status == PALITRA_JOB_FAILED) put(outcome, " %" PRId32, reply->code);
    if (has_text && reply->len > 0) put(outcome, " %.*s", (int)reply->len, (const char *)reply->data);
    palitra_reply_free(reply);
}

/* ---- operands ---------------------------------------------------------------------------------------- */

static inline const char *word(const struct step *step, size_t index) {
    if (index >= step->count) die("a step is too short");
    return step->words[index];
}

/* The value of name=VALUE, or NULL. */
static inline const char *option(const struct step *step, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 1; i < step->count; i++)
        if (strncmp(step->words[i], name, length) == 0 && step->words[i][length] == '=')
            return step->words[i] + length + 1;
    return NULL;
}

/* "20ms" or "60s" in nanoseconds; forever where there is none. */
static inline int64_t nanoseconds(const char *time) {
    char *unit;
    if (time == NULL) return PALITRA_FOREVER;
    int64_t number = strtoll(time, &unit, 10);
    if (strcmp(unit, "ms") == 0) return number * 1000000;
    if (strcmp(unit, "s") == 0) return number * 1000000000;
    die("a time without a unit");
    return 0;
}

static inline size_t number(const char *text) { return text == NULL ? 0 : (size_t)strtoull(text, NULL, 10); }

static inline const char *payload_of(const char *text) { return strcmp(text, "-") == 0 ? "" : text; }

/* Writes into the line. */
static inline void take_apart(char *line, struct step *step) {
    char *rest = line;
    step->count = 0;
    for (char *at = strtok_r(line, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        if (step->count == WORDS) die("a step is too long");
        step->words[step->count++] = at;
    }
}

#endif

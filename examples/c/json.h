/* Just enough JSON for a program that asks a job for something: a string written out, and one member of an
 * object found and read. It copies nothing and allocates nothing; every function gets the end of the text,
 * and none reads past it. For text that is cut short or malformed where it is read they return NULL.
 */
#ifndef EXAMPLES_JSON_H
#define EXAMPLES_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The longest that a string of `length` bytes can become: every byte a \u00XX, between two quotes. */
#define JSON_STRING_BOUND(length) (6 * (length) + 2)

/* Writes `text` as a JSON string to `out`, which has room for JSON_STRING_BOUND; returns its length. */
static inline size_t json_write_string(char *out, const char *text, size_t length) {
    static const char digits[] = "0123456789abcdef";
    char *at = out;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"' || byte == '\\') {
            *at++ = '\\';
            *at++ = (char)byte;
        } else if (byte < 0x20) {
            memcpy(at, "\\u00", 4);
            at[4] = digits[byte >> 4];
            at[5] = digits[byte & 15];
            at += 6;
        } else {
            *at++ = (char)byte;
        }
    }
    *at++ = '"';
    return (size_t)(at - out);
}

static inline const char *json_skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* Reads the four digits of a \uXXXX. */
static inline const char *json_hex(const char *at, const char *end, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at >= end) return NULL;
        uint32_t digit;
        if (*at >= '0' && *at <= '9') digit = (uint32_t)(*at - '0');
        else if (*at >= 'a' && *at <= 'f') digit = (uint32_t)(*at - 'a' + 10);
        else if (*at >= 'A' && *at <= 'F') digit = (uint32_t)(*at - 'A' + 10);
        else return NULL;
        *unit = *unit * 16 + digit;
    }
    return at;
}

/* The second half of a surrogate pair, if one follows; a lone half stands for U+FFFD. */
static inline const char *json_join_surrogates(const char *at, const char *end, uint32_t *character) {
    uint32_t low;
    if (*character < 0xD800 || *character > 0xDFFF) return at;
    if (*character < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        const char *after = json_hex(at + 2, end, &low);
        if (after == NULL) return NULL;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
            return after;
        }
    }
    *character = 0xFFFD;
    return at;
}

/* Reads one character of a string: an escape as the character it stands for, else one byte as it is. */
static inline const char *json_character(const char *at, const char *end, uint32_t *character) {
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (at >= end) return NULL;
    *character = (unsigned char)*at++;
    if (*character != '\\') return at;
    if (at >= end) return NULL;
    if (*at == 'u') {
        at = json_hex(at + 1, end, character);
        return at == NULL ? NULL : json_join_surrogates(at, end, character);
    }
    const char *escape = *at == '\0' ? NULL : strchr(escapes, *at);
    if (escape == NULL) return NULL;
    *character = (unsigned char)meanings[escape - escapes];
    return at + 1;
}

/* How many bytes of UTF-8 a character takes; `escaped` tells U+0080 and above from a byte as it stands. */
static inline size_t json_utf8_length(uint32_t character, int escaped) {
    if (!escaped || character < 0x80) return 1;
    return character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

/* Skips the string that begins at `at`; *length gets its size in bytes once unescaped, *same whether it
 * equals `text` (ASCII). Either may be NULL. */
static inline const char *json_string(const char *at, const char *end, size_t *length, const char *text, int *same) {
    size_t bytes = 0;
    int equal = text != NULL;
    if (at >= end || *at++ != '"') return NULL;
    while (at < end && *at != '"') {
        uint32_t character;
        int escaped = *at == '\\';
        at = json_character(at, end, &character);
        if (at == NULL) return NULL;
        bytes += json_utf8_length(character, escaped);
        if (equal) equal = *text != '\0' && character == (unsigned char)*text++;
    }
    if (at >= end) return NULL;
    if (length != NULL) *length = bytes;
    if (same != NULL) *same = equal && *text == '\0';
    return at + 1;
}

/* Skips the value that begins at `at`, with all that is nested in it. */
static inline const char *json_skip_value(const char *at, const char *end) {
    size_t depth = 0;
    do {
        at = json_skip_space(at, end);
        if (at >= end) return NULL;
        if (*at == '"') {
            at = json_string(at, end, NULL, NULL, NULL);
            if (at == NULL) return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) return NULL;
            depth--;
            at++;
        } else {
            if (depth == 0 && (*at == ',' || *at == ':')) return NULL;
            at++;
            while (at < end && strchr(" \t\r\n\",:{}[]", *at) == NULL) at++;
        }
    } while (depth > 0);
    return at;
}

/* The value of a member of the object that the text is; NULL if there is none of that name. */
static inline const char *json_member(const char *text, size_t length, const char *name) {
    const char *end = text + length, *at = json_skip_space(text, end);
    if (at >= end || *at++ != '{') return NULL;
    for (;;) {
        int found;
        at = json_string(json_skip_space(at, end), end, NULL, name, &found);
        if (at == NULL) return NULL;
        at = json_skip_space(at, end);
        if (at >= end || *at++ != ':') return NULL;
        at = json_skip_space(at, end);
        if (found) return at < end ? at : NULL;
        at = json_skip_value(at, end);
        if (at == NULL) return NULL;
        at = json_skip_space(at, end);
        if (at >= end || *at++ != ',') return NULL;
    }
}

/* A member that is a whole number of up to 18 digits; -1 if it is missing or anything else. */
static inline int64_t json_member_number(const char *text, size_t length, const char *name) {
    const char *end = text + length, *at = json_member(text, length, name), *first = at;
    int64_t number = 0;
    if (at == NULL) return -1;
    while (at < end && *at >= '0' && *at <= '9' && at - first < 18) number = number * 10 + (*at++ - '0');
    if (at == first || (at < end && strchr(" \t\r\n,}", *at) == NULL)) return -1;
    return number;
}

/* The size in bytes of a member that is a string; SIZE_MAX if it is missing or anything else. */
static inline size_t json_member_length(const char *text, size_t length, const char *name) {
    const char *at = json_member(text, length, name);
    size_t bytes;
    if (at == NULL || json_string(at, text + length, &bytes, NULL, NULL) == NULL) return SIZE_MAX;
    return bytes;
}

#endif

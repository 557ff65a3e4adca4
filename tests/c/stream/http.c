/* Reads the body of a page with http.stream, for tests/http/stream.rs.
 *
 *     http whole URL BYTES      reads it all: so many bytes, progress that is right, little memory
 *     http head URL STATUS      reads the head, which says this status, and then the rest
 *     http part URL             reads one chunk, frees the token, says so, and stays until it is killed
 */
#include "test.h"

#define MOST_EXTRA_MEMORY_KB (64 * 1024)

static palitra_runner runner;

static palitra_token stream(const char *url, const char *head) {
    char request[1024];
    snprintf(request, sizeof request, "{\"url\":\"%s\",\"head\":%s}", url, head);
    return submit(runner, "http.stream", request);
}

/* A figure of this process in kB: VmRSS, its memory now, or VmHWM, the most that it ever had. */
static long memory(const char *name) {
    char line[256];
    long value = -1;
    FILE *status = fopen("/proc/self/status", "r");
    CHECK(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name) + 1);
    fclose(status);
    CHECK(value > 0);
    return value;
}

static void check_progress(palitra_token token, uint64_t read, uint64_t length) {
    uint64_t done, total;
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, &total));
    CHECK(done >= read && done <= length);
    CHECK_NUMBER(length, total);
}

static void read_the_whole(const char *url, uint64_t length) {
    palitra_token token = stream(url, "false");
    palitra_reply chunk;
    uint64_t read = 0;
    long before = memory("VmRSS:");
    palitra_status status;
    while ((status = palitra_token_next(token, PALITRA_FOREVER, &chunk)) == PALITRA_OK) {
        CHECK_NUMBER(PALITRA_BYTES, chunk.format);
        read += chunk.len;
        palitra_reply_free(&chunk);
        check_progress(token, read, length);
    }
    CHECK_STATUS(PALITRA_END, status);
    CHECK_NUMBER(length, read);
    check_progress(token, length, length);
    long extra = memory("VmHWM:") - before;
    printf("%ld kB of extra memory\n", extra);
    CHECK(extra < MOST_EXTRA_MEMORY_KB);
    palitra_token_free(token);
}

static void read_the_head(const char *url, const char *http_status) {
    palitra_token token = stream(url, "true");
    palitra_reply item;
    char expected[64];
    palitra_status status;
    size_t items = 0;
    CHECK_STATUS(PALITRA_OK, palitra_token_next(token, PALITRA_FOREVER, &item));
    CHECK_NUMBER(PALITRA_JSON, item.format);
    snprintf(expected, sizeof expected, "\"status\":%s,\"url\":\"%s\",\"headers\":{", http_status, url);
    CHECK_REPLY_CONTAINS(expected, item);
    palitra_reply_free(&item);
    while ((status = palitra_token_next(token, PALITRA_FOREVER, &item)) == PALITRA_OK) {
        CHECK_NUMBER(PALITRA_BYTES, item.format);
        palitra_reply_free(&item);
        items++;
    }
    CHECK_STATUS(PALITRA_END, status);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, NULL));
    CHECK(items > 0);
    palitra_token_free(token);
}

static void read_a_part(const char *url) {
    palitra_token token = stream(url, "false");
    CHECK_STATUS(PALITRA_OK, palitra_token_next(token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
    puts("freed");
    fflush(stdout);
    for (;;) pause();
}

int main(int count, char **arguments) {
    CHECK(count >= 3);
    runner = new_runner();
    if (strcmp(arguments[1], "whole") == 0 && count == 4)
        read_the_whole(arguments[2], strtoull(arguments[3], NULL, 10));
    else if (strcmp(arguments[1], "head") == 0 && count == 4) read_the_head(arguments[2], arguments[3]);
    else read_a_part(arguments[2]);
    palitra_runner_free(runner);
    return 0;
}

/* fetch: gets many URLs at once, into files if asked to, and reports how each went.
 *
 *     fetch [--timeout seconds] [--into folder] [url ...]
 *
 * Without URLs they are read from standard input, one a line.
 *
 * It prints one line for each URL, in the order given: HTTP status, bytes of the body, time, URL. Meanwhile it shows a
 * bar of the bytes that have come, if standard error is a terminal. It exits with 0 if every page came, with 1 if any
 * did not (no response, or a status of 400 or more), with 2 for wrong usage, with 130 after Ctrl-C.
 *
 * How a program uses palitra, from top to bottom: main makes a runner; submit_all submits one http.fetch for each URL,
 * or one http.download, and keeps the tokens; watch waits until they have finished; gather collects the replies in
 * order. The library installs no signal handler, so this program handles Ctrl-C itself: the handler sets a flag, and
 * watch waits in slices short enough to see it soon, then cancels what is still running.
 */
#define _POSIX_C_SOURCE 200809L

#include "json.h"
#include "palitra.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ALL_CAME = 0, SOME_FAILED = 1, WRONG_USAGE = 2, INTERRUPTED = 130 };

/* How long watch may take to notice Ctrl-C. */
#define SLICE_NS 100000000

struct fetches {
    size_t count;
    char **urls;
    const char *folder; /* for the files; NULL: the pages are not kept */
    palitra_token *tokens;
    double *started, *seconds;

    palitra_token *running; /* the pending tokens, in no order, */
    size_t *running_index;  /* and which of the fetches each one is */
    size_t running_count;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

/* A second Ctrl-C ends the program the usual way, should the first not be quick enough. */
static void listen_for_ctrl_c(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void give_up(const char *what, const char *why) {
    fprintf(stderr, "fetch: %s: %s\n", what, why);
    exit(SOME_FAILED);
}

static void must(const char *what, palitra_status status) {
    if (status != PALITRA_OK) give_up(what, palitra_status_message(status));
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL) give_up("memory", "there is none left");
    return memory;
}

/* ---- what to fetch ---------------------------------------------------------------------------------- */

static int usage(FILE *out) {
    fputs(
        "usage: fetch [--timeout seconds] [--into folder] [url ...]\n"
        "Without URLs they are read from standard input, one a line.\n",
        out);
    return out == stdout ? ALL_CAME : WRONG_USAGE;
}

/* Returns nanoseconds; 0 for what is not a number of seconds. */
static int64_t parse_seconds(const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 1e-9 && seconds < 1e9)) return 0;
    return (int64_t)(seconds * 1e9);
}

static void add_url(struct fetches *fetches, const char *url, size_t length) {
    size_t count = fetches->count;
    if ((count & (count - 1)) == 0) { /* a power of two: the array is full, and doubles */
        fetches->urls = realloc(fetches->urls, (count == 0 ? 1 : 2 * count) * sizeof *fetches->urls);
        if (fetches->urls == NULL) give_up("memory", "there is none left");
    }
    char *copy = allocate(length + 1, 1);
    memcpy(copy, url, length);
    fetches->urls[fetches->count++] = copy;
}

static void read_urls(struct fetches *fetches, FILE *input) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, input) >= 0) {
        size_t length = strcspn(line, "\r\n");
        if (length > 0) add_url(fetches, line, length);
    }
    free(line);
}

/* ---- fetching --------------------------------------------------------------------------------------- */

static size_t append(char *json, size_t used, const char *text) {
    size_t length = strlen(text);
    memcpy(json + used, text, length);
    return used + length;
}

/* "folder/3-page.html": numbered, so that no two are the same. */
static char *file_of(const struct fetches *fetches, size_t index) {
    const char *url = fetches->urls[index], *end = url + strcspn(url, "?#"), *name = end;
    while (name > url && name[-1] != '/') name--;
    size_t room = strlen(fetches->folder) + (size_t)(end - name) + 32;
    char *file = allocate(room, 1);
    snprintf(file, room, "%s/%zu-%.*s", fetches->folder, index + 1, (int)(end - name), name);
    return file;
}

/* {"url": ...}, and for a download "path" and "overwrite". */
static char *write_request(const struct fetches *fetches, size_t index, size_t *length) {
    const char *url = fetches->urls[index];
    char *file = fetches->folder == NULL ? NULL : file_of(fetches, index);
    size_t room = JSON_STRING_BOUND(strlen(url)) + (file == NULL ? 0 : JSON_STRING_BOUND(strlen(file))) + 64;
    char *request = allocate(room, 1);
    size_t used = append(request, 0, "{\"url\":");
    used += json_write_string(request + used, url, strlen(url));
    if (file != NULL) {
        used = append(request, used, ",\"overwrite\":true,\"path\":");
        used += json_write_string(request + used, file, strlen(file));
    }
    *length = append(request, used, "}");
    free(file);
    return request;
}

static palitra_token submit(const struct fetches *fetches, size_t index, palitra_runner runner,
                            const palitra_submit_options *options) {
    size_t length;
    palitra_token token = {0};
    char *request = write_request(fetches, index, &length);
    const char *job = fetches->folder == NULL ? "http.fetch" : "http.download";
    must(fetches->urls[index], palitra_runner_submit(runner, job, request, length, options, &token));
    free(request);
    return token;
}

static void submit_all(struct fetches *fetches, palitra_runner runner, int64_t timeout_ns) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = timeout_ns;
    fetches->tokens = allocate(fetches->count, sizeof *fetches->tokens);
    fetches->started = allocate(fetches->count, sizeof *fetches->started);
    fetches->seconds = allocate(fetches->count, sizeof *fetches->seconds);
    fetches->running = allocate(fetches->count, sizeof *fetches->running);
    fetches->running_index = allocate(fetches->count, sizeof *fetches->running_index);
    for (size_t i = 0; i < fetches->count; i++) {
        fetches->started[i] = now();
        fetches->tokens[i] = submit(fetches, i, runner, &options);
        fetches->running[i] = fetches->tokens[i];
        fetches->running_index[i] = i;
    }
    fetches->running_count = fetches->count;
}

/* Records the time of those that have finished since the last call. */
static void note_finished(struct fetches *fetches) {
    double time = now();
    for (size_t i = fetches->running_count; i-- > 0;) {
        if (palitra_token_poll(fetches->running[i], NULL) == PALITRA_PENDING) continue;
        size_t index = fetches->running_index[i], last = --fetches->running_count;
        fetches->seconds[index] = time - fetches->started[index];
        fetches->running[i] = fetches->running[last];
        fetches->running_index[i] = fetches->running_index[last];
    }
}

/* The bytes that have come, of those that the servers have announced so far. */
static void add_up_progress(const struct fetches *fetches, double *done, double *total) {
    *done = *total = 0;
    for (size_t i = 0; i < fetches->count; i++) {
        uint64_t token_done, token_total;
        if (palitra_token_progress(fetches->tokens[i], &token_done, &token_total) != PALITRA_OK) continue;
        *done += (double)token_done;
        *total += (double)token_total;
    }
}

static void show_progress(const struct fetches *fetches) {
    static const char full[] = "##############################", empty[] = "..............................";
    const int width = sizeof full - 1;
    double done, total;
    add_up_progress(fetches, &done, &total);
    int filled = total > 0 ? (int)(done / total * width) : 0;
    fprintf(stderr, "\r[%.*s%.*s] %.1f of %.1f kB, %zu of %zu fetched\033[K", filled, full, width - filled, empty,
            done / 1e3, total / 1e3, fetches->count - fetches->running_count, fetches->count);
    if (fetches->running_count == 0 || interrupted) fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* Waits until all have finished or Ctrl-C comes. */
static void watch(struct fetches *fetches, palitra_runner runner) {
    bool terminal = isatty(STDERR_FILENO);
    while (fetches->running_count > 0 && !interrupted) {
        palitra_status status =
            palitra_runner_wait_any(runner, fetches->running, fetches->running_count, SLICE_NS, NULL);
        if (status != PALITRA_PENDING) must("waiting", status);
        note_finished(fetches);
        if (terminal) show_progress(fetches);
    }
}

static void cancel_running(struct fetches *fetches) {
    for (size_t i = 0; i < fetches->running_count; i++) palitra_token_cancel(fetches->running[i]);
}

/* ---- reporting how it went -------------------------------------------------------------------------- */

/* Control characters in what a server or a user wrote become '?': the line and the terminal stay as they are. */
static void print_visible(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        putchar(byte < 0x20 || byte == 0x7f ? '?' : byte);
    }
}

static const char *name_of_failure(palitra_status status) {
    switch (status) {
    case PALITRA_CANCELLED: return "cancelled";
    case PALITRA_DEADLINE: return "timeout";
    default: return "failed";
    }
}

/* Prints one line and returns whether the page came. */
static bool report(const char *url, const palitra_reply *reply, double seconds) {
    const char *text = (const char *)reply->data;
    char status[24];
    int64_t number = -1;
    size_t bytes = 0;
    if (reply->status == PALITRA_OK) {
        /* The JSON ends with the reply, or with the line feed before a body. */
        const char *body = memchr(text, '\n', reply->len);
        size_t head = body == NULL ? reply->len : (size_t)(body - text);
        number = json_member_number(text, head, "status");
        bytes = body == NULL ? (size_t)json_member_number(text, head, "bytes") : reply->len - head - 1;
        snprintf(status, sizeof status, "%d", (int)number);
    } else {
        snprintf(status, sizeof status, "%s", name_of_failure(reply->status));
    }
    printf("%-9s %10zu B %9.1f ms  ", status, bytes, seconds * 1e3);
    print_visible(url, strlen(url));
    if (reply->status != PALITRA_OK && reply->len > 0) {
        fputs("  ", stdout);
        print_visible(text, reply->len);
    }
    putchar('\n');
    return number >= 0 && number < 400;
}

static bool report_all(const struct fetches *fetches, palitra_runner runner) {
    bool all_came = true;
    palitra_reply *replies = allocate(fetches->count, sizeof *replies);
    palitra_runner_gather(runner, fetches->tokens, fetches->count, 0, 0, replies);
    for (size_t i = 0; i < fetches->count; i++) {
        if (!report(fetches->urls[i], &replies[i], fetches->seconds[i])) all_came = false;
        palitra_reply_free(&replies[i]);
    }
    free(replies);
    return all_came;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static int fetch_all(struct fetches *fetches, int64_t timeout_ns) {
    palitra_runner runner;
    listen_for_ctrl_c();
    must("the runner", palitra_runner_new(NULL, &runner));
    submit_all(fetches, runner, timeout_ns);
    watch(fetches, runner);
    cancel_running(fetches);
    palitra_runner_shutdown(runner, 0); /* finishes every token */
    note_finished(fetches);
    bool all_came = report_all(fetches, runner);
    for (size_t i = 0; i < fetches->count; i++) palitra_token_free(fetches->tokens[i]);
    palitra_runner_free(runner);
    return interrupted ? INTERRUPTED : all_came ? ALL_CAME : SOME_FAILED;
}

static void free_fetches(struct fetches *fetches) {
    for (size_t i = 0; i < fetches->count; i++) free(fetches->urls[i]);
    free(fetches->urls);
    free(fetches->tokens);
    free(fetches->started);
    free(fetches->seconds);
    free(fetches->running);
    free(fetches->running_index);
}

int main(int count, char **arguments) {
    struct fetches fetches = {0};
    int64_t timeout_ns = PALITRA_FOREVER;
    int next = 1;
    for (; next < count && arguments[next][0] == '-'; next++) {
        if (strcmp(arguments[next], "--help") == 0) return usage(stdout);
        if (next + 1 == count) return usage(stderr);
        if (strcmp(arguments[next], "--into") == 0) {
            fetches.folder = arguments[++next];
        } else if (strcmp(arguments[next], "--timeout") == 0) {
            timeout_ns = parse_seconds(arguments[++next]);
            if (timeout_ns == 0) return usage(stderr);
        } else {
            return usage(stderr);
        }
    }
    for (int i = next; i < count; i++) add_url(&fetches, arguments[i], strlen(arguments[i]));
    if (next == count) read_urls(&fetches, stdin);
    int code = fetch_all(&fetches, timeout_ns);
    free_fetches(&fetches);
    return code;
}

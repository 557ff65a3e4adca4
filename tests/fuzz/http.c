/* Fuzzes what the HTTP jobs read: requests in JSON, frames, and the responses of a server that says anything.
 *
 * An input is the job and the way to the server, the length of the payload (two bytes), the payload, and what the
 * server answers to every connection: a status line, headers, a redirect, a body in any coding. Whatever a URL names,
 * the request goes to that server, which is the proxy: for HTTP, or for SOCKS, whose answers stand before the
 * response. Each job ends with a status, on time, and with a reply whose format is kept: text is UTF-8, JSON and the
 * head of a frame end where they should.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const char *const jobs[] = {"http.get", "http.request", "http.bytes", "http.fetch", "http.stream"};

enum { WAYS = 2 };
static const char *const ways[WAYS] = {"http", "socks5"};

/* What the server answers now. */
static struct {
    pthread_mutex_t lock;
    uint8_t data[1 << 16];
    size_t len;
} answer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void answer_with(const uint8_t *data, size_t len) {
    pthread_mutex_lock(&answer.lock);
    answer.len = len < sizeof answer.data ? len : sizeof answer.data;
    memcpy(answer.data, data, answer.len);
    pthread_mutex_unlock(&answer.lock);
}

/* Sends up to so many of the bytes that are left, and reads what the client says to them. */
static ssize_t converse(int connection, struct input *left, size_t most) {
    static _Thread_local uint8_t said[1 << 16];
    size_t len = left->left < most ? left->left : most;
    (void)!send(connection, left->data, len, MSG_NOSIGNAL);
    *left = (struct input){left->data + len, left->left - len};
    return recv(connection, said, sizeof said, 0);
}

/* A client of SOCKS, whose first byte is a five, is answered twice before its request. */
static void serve_one(int connection) {
    static _Thread_local uint8_t copy[sizeof answer.data];
    uint8_t first = 0;
    if (recv(connection, &first, 1, MSG_PEEK) != 1) return;
    pthread_mutex_lock(&answer.lock);
    struct input left = {copy, answer.len};
    memcpy(copy, answer.data, answer.len);
    pthread_mutex_unlock(&answer.lock);
    if (converse(connection, &left, 0) <= 0) return;
    if (first == 5 && (converse(connection, &left, 2) <= 0 || converse(connection, &left, 10) <= 0)) return;
    (void)!send(connection, left.data, left.left, MSG_NOSIGNAL);
    /* The rest is read: a connection that is closed before that is reset, and the response is lost. */
    shutdown(connection, SHUT_WR);
    while (converse(connection, &left, 0) > 0) continue;
}

static void *serve(void *argument) {
    static const struct timeval patience = {0, 200000};
    for (;;) {
        int connection = accept((int)(intptr_t)argument, NULL, NULL);
        if (connection < 0) continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        serve_one(connection);
        close(connection);
    }
    return NULL;
}

/* A runner whose requests all go to this port, and that keeps cookies. */
static palitra_runner runner_through(const char *proxy, int port) {
    palitra_runner_options options;
    palitra_runner runner = {0};
    char config[128];
    snprintf(config, sizeof config, "{\"http\": {\"proxy\": \"%s://127.0.0.1:%d\", \"cookies\": true}}", proxy, port);
    palitra_runner_options_init(&options);
    options.config = config;
    MUST(palitra_runner_new(&options, &runner) == PALITRA_OK);
    return runner;
}

static void begin(palitra_runner runners[WAYS]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 100) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener) == 0);
    }
    for (size_t i = 0; i < WAYS; i++) runners[i] = runner_through(ways[i], ntohs(address.sin_port));
}

/* Of what a job has left, text and messages are UTF-8 without surrogates or overlong forms. */
static int is_utf8(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len;) {
        uint8_t first = data[i++];
        unsigned more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || len - i < more) return 0;
        if ((first == 0xe0 && data[i] < 0xa0) || (first == 0xed && data[i] > 0x9f)) return 0;
        if ((first == 0xf0 && data[i] < 0x90) || (first == 0xf4 && data[i] > 0x8f)) return 0;
        for (; more > 0; more--)
            if ((data[i++] & 0xc0) != 0x80) return 0;
    }
    return 1;
}

static void check(const char *job, palitra_status status, const palitra_reply *reply) {
    MUST(status == PALITRA_OK || status == PALITRA_JOB_FAILED || status == PALITRA_BAD_PAYLOAD ||
         status == PALITRA_DEADLINE);
    MUST(reply->status == status);
    if (status != PALITRA_OK || reply->format != PALITRA_BYTES) MUST(is_utf8(reply->data, reply->len));
    if (status == PALITRA_JOB_FAILED) MUST(reply->len > 0);
    if (status == PALITRA_OK && strcmp(job, "http.fetch") == 0)
        MUST(reply->data[0] == '{' && memchr(reply->data, '\n', reply->len) != NULL);
}

/* Runs a job whose items are read as they come; returns how it ended, as palitra_runner_run does. */
static palitra_status run_stream(palitra_runner runner, const char *job, const uint8_t *data, size_t len,
                                 palitra_reply *reply) {
    palitra_submit_options options;
    palitra_token token;
    palitra_status status;
    palitra_submit_options_init(&options);
    options.deadline_ns = 300000000;
    MUST(palitra_runner_submit(runner, job, data, len, &options, &token) == PALITRA_OK);
    while ((status = palitra_token_next(token, PALITRA_FOREVER, reply)) == PALITRA_OK) palitra_reply_free(reply);
    palitra_reply_free(reply);
    palitra_status ended = palitra_token_wait(token, PALITRA_FOREVER, reply);
    MUST(ended == (status == PALITRA_END ? PALITRA_OK : status));
    palitra_token_free(token);
    return ended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static palitra_runner runners[WAYS];
    struct input input = {data, size};
    palitra_reply reply;
    if (runners[0].id == 0) begin(runners);
    unsigned first = next_byte(&input);
    const char *job = jobs[first % LENGTH(jobs)];
    palitra_runner runner = runners[first / LENGTH(jobs) % WAYS];
    size_t len = next_byte(&input);
    len |= (size_t)next_byte(&input) << 8;
    if (len > input.left) len = input.left;
    answer_with(input.data + len, input.left - len);
    palitra_status status = strcmp(job, "http.stream") == 0
                                ? run_stream(runner, job, input.data, len, &reply)
                                : palitra_runner_run(runner, job, input.data, len, 300000000, &reply);
    check(job, status, &reply);
    palitra_reply_free(&reply);
    return 0;
}

/* Fuzzes what the HTTP jobs read: requests in JSON, frames, and the responses of a server that says anything.
 *
 * An input is the job, the length of its payload (two bytes), the payload, and what the server answers to every
 * connection: a status line, headers, a redirect, a body in any coding. Whatever a URL names, the request goes to that
 * server, which is the proxy of the process. Each job ends with a status, on time, and with a reply whose format is
 * kept: text is UTF-8, JSON and the head of a frame end where they should.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const char *const jobs[] = {"http.get", "http.request", "http.bytes", "http.fetch", "http.stream"};

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

static void *serve(void *argument) {
    int listener = (int)(intptr_t)argument;
    static const struct timeval patience = {0, 200000};
    for (;;) {
        static _Thread_local uint8_t copy[sizeof answer.data], request[1 << 16];
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (recv(connection, request, sizeof request, 0) > 0) {
            pthread_mutex_lock(&answer.lock);
            size_t len = answer.len;
            memcpy(copy, answer.data, len);
            pthread_mutex_unlock(&answer.lock);
            (void)!send(connection, copy, len, MSG_NOSIGNAL);
        }
        close(connection);
    }
    return NULL;
}

static palitra_runner begin(void) {
    static const char *const proxies[] = {"http_proxy", "https_proxy", "all_proxy",
                                          "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    palitra_runner runner = {0};
    char proxy[64];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 100) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", ntohs(address.sin_port));
    for (size_t i = 0; i < LENGTH(proxies); i++) setenv(proxies[i], proxy, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener) == 0);
    }
    MUST(palitra_runner_new(NULL, &runner) == PALITRA_OK);
    return runner;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static palitra_runner runner;
    struct input input = {data, size};
    palitra_reply reply;
    if (runner.id == 0) runner = begin();
    const char *job = jobs[next_byte(&input) % LENGTH(jobs)];
    size_t len = next_byte(&input);
    len |= (size_t)next_byte(&input) << 8;
    if (len > input.left) len = input.left;
    answer_with(input.data + len, input.left - len);
    palitra_status status = palitra_runner_run(runner, job, input.data, len, 300000000, &reply);
    check(job, status, &reply);
    palitra_reply_free(&reply);
    return 0;
}

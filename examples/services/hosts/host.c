/* host.c: PostgreSQL, Redis, NATS and objects from C, without a word of Rust.
 *
 *     cc host.c -o host -I ../../../include -L ../target/release -lexample_services
 *
 * The configuration of the jobs is in SERVICES_CONFIG: ../servers.py starts servers and sets it. The hosts in C++, Go
 * and Python, beside this file, print the same.
 */
#include <palitra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static palitra_runner runner;

/* Prints what a job said, its bytes behind a line feed on the same line, and frees it. */
static void print(const char *label, palitra_reply *reply) {
    printf("%s: ", label);
    for (size_t i = 0; i < reply->len; i++) putchar(reply->data[i] == '\n' ? ' ' : reply->data[i]);
    putchar('\n');
    palitra_reply_free(reply);
}

/* Ends the program if a call did not end as it should. */
static void expect(palitra_status status, palitra_status expected, const palitra_reply *reply) {
    if (status == expected) return;
    fprintf(stderr, "%s: %s\n", palitra_status_name(status), reply == NULL ? "" : (const char *)reply->data);
    exit(1);
}

/* Runs a job to its end, and prints its reply or its failure. */
static void run(const char *label, const char *job, const char *payload, palitra_status expected) {
    palitra_reply reply;
    palitra_status status = palitra_runner_run(runner, job, payload, strlen(payload), PALITRA_SECONDS(10), &reply);
    expect(status, expected, &reply);
    print(label, &reply);
}

/* Starts a job whose items are read one by one. */
static palitra_token start(const char *job, const char *payload) {
    palitra_token token;
    expect(palitra_runner_submit(runner, job, payload, strlen(payload), NULL, &token), PALITRA_OK, NULL);
    return token;
}

static void print_next(const char *label, palitra_token token) {
    palitra_reply item;
    expect(palitra_token_next(token, PALITRA_SECONDS(10), &item), PALITRA_OK, &item);
    print(label, &item);
}

/* The reply of a job whose items have all been read. */
static void print_reply(const char *label, palitra_token token) {
    palitra_reply reply;
    expect(palitra_token_wait(token, PALITRA_SECONDS(10), &reply), PALITRA_OK, &reply);
    print(label, &reply);
    palitra_token_free(token);
}

static void postgres(void) {
    run("transaction", "pg.transaction",
        "[{\"sql\": \"drop table if exists people\"},"
        " {\"sql\": \"create table people (id int primary key, name text)\"},"
        " {\"sql\": \"insert into people values (1, 'Ada'), (2, 'Grace'), (3, 'Barbara')\"}]",
        PALITRA_OK);
    run("query", "pg.query", "{\"sql\": \"select name from people where id = $1\", \"parameters\": [2]}", PALITRA_OK);

    palitra_token rows = start("pg.rows", "{\"sql\": \"select * from people order by id\"}");
    palitra_reply row;
    while (palitra_token_next(rows, PALITRA_SECONDS(10), &row) == PALITRA_OK) print("row", &row);
    palitra_reply_free(&row);
    print_reply("rows", rows); /* how many there were */

    palitra_reply reply;
    const char *again = "{\"sql\": \"insert into people values (1, 'Ada')\"}";
    expect(palitra_runner_run(runner, "pg.query", again, strlen(again), PALITRA_FOREVER, &reply), PALITRA_JOB_FAILED,
           &reply);
    bool is_duplicate = reply.code == strtol("23505", NULL, 36); /* the SQLSTATE, read in base 36 */
    print(is_duplicate ? "duplicate" : "refused", &reply);

    const char *slow = "{\"sql\": \"select pg_sleep(60)\"}";
    expect(palitra_runner_run(runner, "pg.query", slow, strlen(slow), PALITRA_MS(100), &reply), PALITRA_DEADLINE,
           &reply);
    palitra_reply_free(&reply); /* the server was told; the next query has the connection at once */
    run("after a timeout", "pg.query", "{\"sql\": \"select 1 as one\"}", PALITRA_OK);
}

static void notifications(void) {
    palitra_token listening = start("pg.listen", "orders");
    print_next("listen", listening); /* from here on nothing is missed */
    run("notify", "pg.query", "{\"sql\": \"select pg_notify('orders', $1)\", \"parameters\": [\"7\"]}", PALITRA_OK);
    print_next("notified", listening);
    palitra_token_cancel(listening);
    palitra_token_free(listening);
}

static void messages(void) {
    palitra_token subscribed = start("nats.subscribe", "orders.*");
    print_next("subscribe", subscribed);
    run("publish", "nats.publish", "{\"subject\": \"orders.7\"}\npaid", PALITRA_OK);
    print_next("message", subscribed);
    palitra_token_cancel(subscribed);
    palitra_token_free(subscribed);
}

static void objects(void) {
    static char payload[64 + (1 << 20)]; /* JSON, a line feed, a mebibyte */
    int head = snprintf(payload, sizeof payload, "{\"path\": \"reports/one\"}\n");
    memset(payload + head, 'x', 1 << 20);
    palitra_reply reply;
    expect(palitra_runner_run(runner, "objects.write", payload, (size_t)head + (1 << 20), PALITRA_FOREVER, &reply),
           PALITRA_OK, &reply);
    print("write", &reply);
    run("list", "objects.list", "reports/", PALITRA_OK);

    size_t bytes = 0;
    palitra_token reading = start("objects.read", "reports/one");
    while (palitra_token_next(reading, PALITRA_SECONDS(10), &reply) == PALITRA_OK) {
        bytes += reply.len;
        palitra_reply_free(&reply);
    }
    palitra_reply_free(&reply);
    print_reply("read", reading);
    if (bytes != 1 << 20) exit(1);
}

int main(void) {
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.config = getenv("SERVICES_CONFIG");
    expect(palitra_runner_new(&options, &runner), PALITRA_OK, NULL);
    postgres();
    notifications();
    run("set", "redis.command", "[\"SET\", \"visits\", 41]", PALITRA_OK);
    run("incr", "redis.command", "[\"INCR\", \"visits\"]", PALITRA_OK);
    messages();
    objects();
    palitra_runner_free(runner); /* closes every connection */
    return 0;
}

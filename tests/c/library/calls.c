/* The calls that need no runner: versions, the texts of statuses, the registered jobs, the defaults of option structs,
 * freeing replies; and the layout that other languages rely on.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

static void the_version_is_a_number_with_dots(void) {
    unsigned major, minor, patch;
    CHECK(palitra_version() != NULL);
    CHECK_NUMBER(3, sscanf(palitra_version(), "%u.%u.%u", &major, &minor, &patch));
    CHECK_NUMBER(PALITRA_VERSION_MAJOR, major);
    CHECK_NUMBER(PALITRA_VERSION_MINOR, minor);
    CHECK_NUMBER(PALITRA_VERSION_PATCH, patch);
    CHECK_NUMBER(PALITRA_ABI_VERSION, palitra_abi_version());
}

struct named {
    palitra_status status;
    const char *name;
};

static const struct named statuses[] = {
    {0, "PALITRA_OK"},
    {1, "PALITRA_PENDING"},
    {2, "PALITRA_END"},
    {10, "PALITRA_JOB_FAILED"},
    {11, "PALITRA_JOB_PANICKED"},
    {12, "PALITRA_CANCELLED"},
    {13, "PALITRA_DEADLINE"},
    {14, "PALITRA_BAD_PAYLOAD"},
    {20, "PALITRA_INVALID_ARGUMENT"},
    {21, "PALITRA_INVALID_HANDLE"},
    {22, "PALITRA_UNKNOWN_JOB"},
    {23, "PALITRA_BUSY"},
    {24, "PALITRA_TOO_LARGE"},
    {25, "PALITRA_WOULD_DEADLOCK"},
    {26, "PALITRA_SHUT_DOWN"},
    {27, "PALITRA_FORKED"},
    {29, "PALITRA_INTERNAL"},
};

static void every_status_has_its_name_and_its_message(void) {
    for (size_t i = 0; i < LENGTH(statuses); i++) {
        const char *name = palitra_status_name(statuses[i].status);
        const char *message = palitra_status_message(statuses[i].status);
        CHECK(name != NULL && message != NULL && message[0] != '\0');
        check_text(__FILE__, __LINE__, statuses[i].name, statuses[i].name, name, strlen(name));
        for (size_t j = 0; j < i; j++) CHECK(strcmp(message, palitra_status_message(statuses[j].status)) != 0);
    }
}

static void a_number_that_is_no_status_still_has_a_text(void) {
    const palitra_status strange[] = {-1, 3, 15, 28, 30, 1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < LENGTH(strange); i++) {
        CHECK(palitra_status_name(strange[i]) != NULL);
        CHECK(palitra_status_message(strange[i]) != NULL);
    }
}

static bool find_job(const char *name, palitra_job_info *found) {
    for (size_t i = 0; i < palitra_job_count(); i++) {
        CHECK_STATUS(PALITRA_OK, palitra_job_at(i, found));
        CHECK(found->name != NULL && found->doc != NULL);
        if (strcmp(found->name, name) == 0) return true;
    }
    return false;
}

static void the_jobs_that_ship_are_registered_before_main(void) {
    static const struct {
        const char *name;
        palitra_format input, output;
    } shipped[] = {
        {"palitra.echo", PALITRA_BYTES, PALITRA_BYTES}, {"palitra.sleep", PALITRA_JSON, PALITRA_JSON},
        {"http.get", PALITRA_JSON, PALITRA_JSON},       {"http.request", PALITRA_JSON, PALITRA_JSON},
        {"http.bytes", PALITRA_JSON, PALITRA_BYTES},
    };
    for (size_t i = 0; i < LENGTH(shipped); i++) {
        palitra_job_info job;
        CHECK(find_job(shipped[i].name, &job));
        CHECK_NUMBER(shipped[i].input, job.input);
        CHECK_NUMBER(shipped[i].output, job.output);
    }
}

static void each_job_is_listed_once(void) {
    size_t count = palitra_job_count();
    for (size_t i = 0; i < count; i++) {
        palitra_job_info one, other;
        CHECK_STATUS(PALITRA_OK, palitra_job_at(i, &one));
        for (size_t j = i + 1; j < count; j++) {
            CHECK_STATUS(PALITRA_OK, palitra_job_at(j, &other));
            CHECK(strcmp(one.name, other.name) != 0);
        }
    }
}

static void options_are_filled_with_their_size_and_defaults(void) {
    palitra_runner_options runner;
    palitra_submit_options submit;
    memset(&runner, 0xAA, sizeof runner);
    memset(&submit, 0xAA, sizeof submit);
    palitra_runner_options_init(&runner);
    palitra_submit_options_init(&submit);
    CHECK_NUMBER(sizeof runner, runner.size);
    CHECK_NUMBER(0, runner.worker_threads);
    CHECK_NUMBER(0, runner.flags);
    CHECK_NUMBER(sizeof submit, submit.size);
    CHECK_NUMBER(0, submit.flags);
    CHECK_NUMBER(0, submit.queue.id);
    CHECK_NUMBER(0, submit.deadline_ns);
}

static void times_are_written_in_their_unit(void) {
    CHECK_NUMBER(INT64_C(250000000), PALITRA_MS(250));
    CHECK_NUMBER(INT64_C(500000), PALITRA_MS(0.5));
    CHECK_NUMBER(INT64_C(1500000000), PALITRA_SECONDS(1.5));
    /* Beyond what an int holds. */
    CHECK_NUMBER(INT64_C(86400000000000), PALITRA_SECONDS(86400));
    CHECK_NUMBER(INT64_C(86400000000000), PALITRA_MS(86400000));
    CHECK(PALITRA_SECONDS(PALITRA_FOREVER) < 0);
    CHECK_NUMBER(8, sizeof(PALITRA_MS(1)));
}

static void check_nearest(const char *expected, const char *name) {
    const char *nearest = palitra_job_nearest(name);
    CHECK(nearest != NULL);
    check_text(__FILE__, __LINE__, name, expected, nearest, strlen(nearest));
}

static void the_nearest_job_is_one_that_may_have_been_meant(void) {
    check_nearest("http.get", "http.gett");
    check_nearest("http.get", "HTTP.Get");
    check_nearest("palitra.echo", "palitra.ehco");
    check_nearest("palitra.sleep", "palitra.sleep");
    static char long_name[100000];
    memset(long_name, 'x', sizeof long_name - 1);
    const char *const none[] = {NULL, "", "x", "\xff\xfe", "another.thing", long_name};
    for (size_t i = 0; i < LENGTH(none); i++) CHECK(palitra_job_nearest(none[i]) == NULL);
}

static void a_reply_may_be_freed_twice(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "twice", PALITRA_FOREVER, &reply));
    CHECK_REPLY("twice", reply);
    palitra_reply_free(&reply);
    CHECK(reply.data == NULL && reply.len == 0 && reply.owner == NULL);
    palitra_reply_free(&reply);
    palitra_reply_free(NULL);
    palitra_runner_free(runner);
}

static void the_layout_is_the_documented_one(void) {
    CHECK_NUMBER(8, sizeof(palitra_runner));
    CHECK_NUMBER(8, sizeof(palitra_token));
    CHECK_NUMBER(8, sizeof(palitra_queue));
    CHECK_NUMBER(4, sizeof(palitra_status));
    CHECK_NUMBER(4, sizeof(palitra_format));
    CHECK_NUMBER(16, offsetof(palitra_reply, data));
    CHECK_NUMBER(16 + 3 * sizeof(void *), sizeof(palitra_reply));
    CHECK_NUMBER(0, offsetof(palitra_runner_options, size));
    CHECK_NUMBER(16, offsetof(palitra_runner_options, thread_name));
    CHECK_NUMBER(16 + 4 * sizeof(void *), offsetof(palitra_runner_options, thread_start));
    CHECK_NUMBER(16 + 8 * sizeof(void *), offsetof(palitra_runner_options, spin_limit_ns));
    CHECK_NUMBER(24 + 8 * sizeof(void *), offsetof(palitra_runner_options, config));
    CHECK_NUMBER(24 + 9 * sizeof(void *), sizeof(palitra_runner_options));
    CHECK_NUMBER(0, offsetof(palitra_submit_options, size));
    CHECK_NUMBER(8, offsetof(palitra_submit_options, deadline_ns));
    CHECK_NUMBER(32, offsetof(palitra_submit_options, stream_items));
    CHECK_NUMBER(40, sizeof(palitra_submit_options));
}

int main(void) {
    TEST(the_version_is_a_number_with_dots);
    TEST(every_status_has_its_name_and_its_message);
    TEST(a_number_that_is_no_status_still_has_a_text);
    TEST(the_jobs_that_ship_are_registered_before_main);
    TEST(each_job_is_listed_once);
    TEST(options_are_filled_with_their_size_and_defaults);
    TEST(times_are_written_in_their_unit);
    TEST(the_nearest_job_is_one_that_may_have_been_meant);
    TEST(a_reply_may_be_freed_twice);
    TEST(the_layout_is_the_documented_one);
    return 0;
}

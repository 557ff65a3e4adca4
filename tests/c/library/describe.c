/* The description of a job in full, as JSON: of one job, of all, and of one that is not there.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

/* A part of the description, which is in it to the letter. */
static void check_says(const palitra_reply *described, const char *part) {
    CHECK_STATUS(PALITRA_OK, described->status);
    CHECK_NUMBER(PALITRA_JSON, described->format);
    CHECK_NUMBER(strlen((const char *)described->data), described->len);
    if (strstr((const char *)described->data, part) == NULL) fprintf(stderr, "%s\n", (const char *)described->data);
    CHECK(strstr((const char *)described->data, part) != NULL);
}

static void a_job_says_its_formats_and_schemas(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.double", &reply));
    check_says(&reply, "{\"name\":\"typed.double\",\"doc\":\"Doubles the values of a tree.\",\"inline\":false,");
    check_says(&reply, "\"payload\":{\"format\":\"json\",\"schema\":{");
    check_says(&reply, "\"title\":\"Tree\"");
    palitra_reply_free(&reply);
}

static void a_stream_says_what_its_items_are(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.lines", &reply));
    check_says(&reply, "\"items\":{\"format\":\"text\"}");
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.count", &reply));
    check_says(&reply, "\"items\":{\"format\":\"json\",\"schema\":{");
    palitra_reply_free(&reply);
}

static void a_type_without_a_schema_has_its_format_alone(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.opaque", &reply));
    check_says(&reply, "\"payload\":{\"format\":\"json\"},\"reply\":{\"format\":\"json\"}}");
    palitra_reply_free(&reply);
}

static void a_job_without_payload_and_reply_says_neither(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.lines", &reply));
    CHECK(strstr((const char *)reply.data, "\"payload\":{") != NULL);
    CHECK(strstr((const char *)reply.data, "\"reply\":") == NULL);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.answer", &reply));
    CHECK(strstr((const char *)reply.data, "\"payload\":") == NULL);
    palitra_reply_free(&reply);
}

static void an_error_with_codes_has_their_names(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.price", &reply));
    check_says(&reply,
               "\"errors\":{\"name\":\"OrderError\",\"codes\":["
               "{\"name\":\"NoLines\",\"code\":1,\"doc\":\"The order has no lines.\"}");
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.count", &reply));
    CHECK(strstr((const char *)reply.data, "\"errors\"") == NULL);
    palitra_reply_free(&reply);
}

static void bytes_behind_json_have_the_schema_of_that(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.cut", &reply));
    check_says(&reply, "\"payload\":{\"format\":\"bytes\",\"head\":{");
    check_says(&reply, "\"title\":\"Cut\"");
    palitra_reply_free(&reply);
}

static void all_jobs_are_one_document_that_is_always_the_same(void) {
    palitra_reply all, again, one;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe(NULL, &all));
    CHECK_STATUS(PALITRA_OK, palitra_job_describe(NULL, &again));
    CHECK(all.len == again.len && memcmp(all.data, again.data, all.len) == 0);
    for (size_t i = 0; i < palitra_job_count(); i++) {
        palitra_job_info job;
        CHECK_STATUS(PALITRA_OK, palitra_job_at(i, &job));
        CHECK_STATUS(PALITRA_OK, palitra_job_describe(job.name, &one));
        check_says(&all, (const char *)one.data);
        palitra_reply_free(&one);
    }
    palitra_reply_free(&all);
    palitra_reply_free(&again);
}

static void an_unknown_job_is_a_status_and_names_the_nearest(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_job_describe("typed.doubel", &reply));
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, reply.status);
    CHECK(strstr((const char *)reply.data, "\"typed.double\"") != NULL);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_describe("\xff", &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_job_describe("", NULL));
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("typed.double", NULL));
}

int main(void) {
    TEST(a_job_says_its_formats_and_schemas);
    TEST(a_stream_says_what_its_items_are);
    TEST(a_type_without_a_schema_has_its_format_alone);
    TEST(a_job_without_payload_and_reply_says_neither);
    TEST(an_error_with_codes_has_their_names);
    TEST(bytes_behind_json_have_the_schema_of_that);
    TEST(all_jobs_are_one_document_that_is_always_the_same);
    TEST(an_unknown_job_is_a_status_and_names_the_nearest);
    return 0;
}

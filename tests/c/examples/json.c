/* The little JSON that examples/c/json.h reads and writes, which fetch relies on for what it prints. */
#include "test.h"

#include "../../../examples/c/json.h"

/* A copy without a closing zero, so that valgrind sees a read past the end. */
static char *exact_part(const char *text, size_t size) {
    char *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    memcpy(copy, text, size);
    return copy;
}

static char *exact(const char *text) { return exact_part(text, strlen(text)); }

static int64_t number(const char *text, const char *name) {
    char *copy = exact(text);
    int64_t found = json_member_number(copy, strlen(text), name);
    free(copy);
    return found;
}

static size_t length(const char *text, const char *name) {
    char *copy = exact(text);
    size_t found = json_member_length(copy, strlen(text), name);
    free(copy);
    return found;
}

static const char page[] =
    " { \"headers\" : {\"status\": \"7\", \"list\": [1, [\"]}\"], {}], \"body\": \"x\"}, \"ok\":true,\"none\":null,"
    "\"status\":200,\"url\":\"http:\\/\\/a\\\"\",\"body\":\"hello\" }";

static void a_member_is_found_past_nested_ones_of_the_same_name(void) {
    CHECK_NUMBER(200, number(page, "status"));
    CHECK_NUMBER(1073741824, number("{\"a\": 1073741824}", "a"));
    CHECK_NUMBER(5, length(page, "body"));
    CHECK_NUMBER(9, length(page, "url"));
}

static void what_is_missing_or_of_another_type_is_not_found(void) {
    CHECK_NUMBER(-1, number(page, "stat"));
    CHECK_NUMBER(-1, number(page, "statuses"));
    CHECK_NUMBER(-1, number(page, "body"));
    CHECK_NUMBER(-1, number("{\"a\": 1.5}", "a"));
    CHECK_NUMBER(-1, number("{\"a\": -1}", "a"));
    CHECK_NUMBER(-1, number("{\"a\": 12345678901234567890}", "a"));
    CHECK_NUMBER(-1, number("[1]", "a"));
    CHECK(length(page, "status") == SIZE_MAX);
    CHECK(length("", "a") == SIZE_MAX);
}

static void escapes_count_as_what_they_stand_for(void) {
    CHECK_NUMBER(0, length("{\"a\":\"\"}", "a"));
    CHECK_NUMBER(8, length("{\"a\":\"\\n\\t\\\"\\\\\\/\\b\\f\\r\"}", "a"));
    CHECK_NUMBER(1, length("{\"a\":\"\\u0041\"}", "a"));
    CHECK_NUMBER(2, length("{\"a\":\"\\u00e9\"}", "a"));
    CHECK_NUMBER(3, length("{\"a\":\"\\u20AC\"}", "a"));
    CHECK_NUMBER(4, length("{\"a\":\"\\ud83d\\ude00\"}", "a"));
    CHECK_NUMBER(4, length("{\"a\":\"\xf0\x9f\x98\x80\"}", "a"));
    CHECK_NUMBER(4, length("{\"a\":\"\\ud83dx\"}", "a"));
    CHECK_NUMBER(1, number("{\"\\u0061\": 1}", "a"));
}

/* Cut anywhere, the text is refused or gives the whole member; nothing past its end is read. */
static void a_text_cut_short_is_refused(void) {
    size_t whole = strlen(page);
    for (size_t cut = 0; cut < whole; cut++) {
        char *copy = exact_part(page, cut);
        size_t found = json_member_length(copy, cut, "body");
        CHECK(found == SIZE_MAX || (found == 5 && cut + 2 >= whole));
        free(copy);
    }
    CHECK(length("{\"a\":\"\\u12\"}", "a") == SIZE_MAX);
    CHECK(length("{\"a\":\"\\x\"}", "a") == SIZE_MAX);
    CHECK(length("{\"b\":],\"a\":\"x\"}", "a") == SIZE_MAX);
}

static void a_written_string_is_read_back(void) {
    char all[256], out[JSON_STRING_BOUND(sizeof all)];
    for (size_t i = 0; i < sizeof all; i++) all[i] = (char)i;
    size_t written = json_write_string(out, all, sizeof all), bytes;
    CHECK(written <= sizeof out);
    CHECK(json_string(out, out + written, &bytes, NULL, NULL) == out + written);
    CHECK_NUMBER(sizeof all, bytes);
    written = json_write_string(out, "a\"b\\\n", 5);
    check_text(__FILE__, __LINE__, "escaped", "\"a\\\"b\\\\\\u000a\"", out, written);
}

int main(void) {
    TEST(a_member_is_found_past_nested_ones_of_the_same_name);
    TEST(what_is_missing_or_of_another_type_is_not_found);
    TEST(escapes_count_as_what_they_stand_for);
    TEST(a_text_cut_short_is_refused);
    TEST(a_written_string_is_read_back);
    return 0;
}

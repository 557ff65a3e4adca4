// Real calls through what `palitra bindgen` wrote.
#include "palitra_test_jobs.hpp"

#include <cstdlib>
#include <iostream>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::cerr << __FILE__ << ":" << __LINE__ << ": " #condition "\n"; \
            std::exit(1); \
        } \
    } while (false)

namespace typed = palitra_test_jobs;

int main() {
    const palitra::Runner runner;
    const typed::PalitraTestJobs jobs(runner);

    typed::Order order;
    order.id = 7;
    order.customer.name = "Ada";
    order.lines = {{"pen", 2, 150}, {"ink", 1, 700}};
    order.priority = typed::Priority::same_day;
    order.shipping.value = typed::ShippingParcel{0.2};
    order.discount = 10;
    const typed::Receipt receipt = jobs.typed_price(order);
    CHECK(receipt.total == 900);
    CHECK(receipt.repeated.size() == 1 && receipt.repeated[0].article == "pen");
    CHECK(receipt.priority == typed::Priority::same_day);
    CHECK(std::get<typed::ShippingParcel>(receipt.shipping.value).weight == 0.2);
    CHECK(!receipt.note);

    const palitra::Token token = jobs.submit_typed_price(order);
    CHECK(jobs.read_typed_price(token.wait()).total == 900);

    order.lines.clear();
    try {
        (void)jobs.typed_price(order);
        CHECK(false);
    } catch (const palitra::job_failed& failed) {
        CHECK(failed.code() == typed::OrderError::no_lines);
    }

    unsigned sum = 0;
    for (const typed::Tick tick : jobs.typed_count({{}, 3})) sum += tick.n;
    CHECK(sum == 6);
    std::string text;
    for (const std::string& line : jobs.typed_lines("a\nb")) text += line;
    CHECK(text == "ab");

    std::vector<typed::Event> events(3);
    events[1].value = typed::EventMoved{1, -2};
    events[2].value = typed::EventSaid{"x"};
    const std::vector<typed::Event> turned = jobs.typed_events(events);
    CHECK(std::get<typed::EventSaid>(turned[0].value).value == "x");
    CHECK(std::get<typed::EventMoved>(turned[1].value).y == -2);
    CHECK(std::holds_alternative<typed::EventStarted>(turned[2].value));

    typed::Tree tree;
    tree.value = 1;
    tree.children = {typed::Tree{}};
    tree.children->front().value = 2;
    CHECK(jobs.typed_double(tree).children->front().value == 4);
    const auto [rest, head] = jobs.typed_cut({2}, "abcde");
    CHECK(rest.bytes == 3 && head == "ab");

    // What holds itself is JSON, and what is in a list is a struct.
    typed::Stop stop;
    stop.name = "first";
    stop.next = nlohmann::json{{"name", "last"}, {"changes", {{{"minutes", 3}, {"to", {{{"name", "other"}}}}}}}};
    const typed::Stop last = jobs.typed_last(stop);
    CHECK(last.name == "last" && last.changes->at(0).to.at(0).name == "other");
    typed::Term one, all;
    one.value = typed::TermNumber{1.5};
    all.value = typed::TermAll{{one, one}};
    CHECK(jobs.typed_value(all) == 3);

    CHECK(std::get<0>(jobs.typed_swap({"k", std::int16_t{-1}})) == -1);
    CHECK(jobs.typed_answer() == 42);
    CHECK(jobs.typed_shout("a", std::chrono::seconds(5)) == "A");
    CHECK(jobs.typed_any(nullptr).is_null());
    CHECK(jobs.typed_return({"c", "t", {}, true}).content_type == "t");

    // Names that would be one, or are words of C++ or macros, get a line behind them.
    typed::Record record;
    record.compared = typed::Comparison::not_eq_;
    record.unit = typed::Unit::mb_;
    record.os = typed::Os::linux_;
    record.linux_ = true;
    record.errno_ = 9;
    record.turn.value = typed::Turn__{{3}};
    record.step.value = typed::Step_1_{{4}};
    record.runners = {{"a", {5}}};
    const typed::Record recorded = jobs.typed_record(record);
    CHECK(recorded.compared == typed::Comparison::not_eq_ && recorded.unit == typed::Unit::mb_);
    CHECK(recorded.os == typed::Os::linux_ && recorded.linux_ && recorded.errno_ == 9);
    CHECK(std::get<typed::Turn__>(recorded.turn.value).value.by == 3);
    CHECK(std::get<typed::Step_1_>(recorded.step.value).value.by == 4);
    CHECK(recorded.runners.at("a").id == 5);
    record.errno_ = typed::RecordError::default_;
    try {
        (void)jobs.typed_record(record);
        CHECK(false);
    } catch (const palitra::job_failed& failed) {
        CHECK(failed.code() == typed::RecordError::default_);
    }
    CHECK(jobs.typed_record_submit() == 7);
}

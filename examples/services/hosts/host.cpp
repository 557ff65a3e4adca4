// host.cpp: PostgreSQL, Redis, NATS and objects from C++, without a word of Rust.
//
//     c++ -std=c++17 host.cpp -o host -I ../../../include -I ../../../bindings/cpp/include
//         -L ../target/release -lexample_services
//
// The configuration of the jobs is in SERVICES_CONFIG: ../servers.py starts servers and sets it. The hosts in C, Go and
// Python, beside this file, print the same.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <palitra.hpp>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;

// Prints what a job said, its bytes behind a line feed on the same line.
void print(std::string_view label, std::string_view said) {
    std::string line(said);
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::cout << label << ": " << line << '\n';
}

void run(const palitra::Runner& runner, std::string_view label, std::string_view job, std::string_view payload) {
    print(label, runner.run(job, payload, 10s).text());
}

void postgres(const palitra::Runner& runner) {
    run(runner, "transaction", "pg.transaction", R"json([
        {"sql": "drop table if exists people"},
        {"sql": "create table people (id int primary key, name text)"},
        {"sql": "insert into people values (1, 'Ada'), (2, 'Grace'), (3, 'Barbara')"}])json");
    run(runner, "query", "pg.query", R"json({"sql": "select name from people where id = $1", "parameters": [2]})json");

    auto rows = runner.stream("pg.rows", R"json({"sql": "select * from people order by id"})json");
    for (const palitra::Reply& row : rows) print("row", row.text());
    print("rows", rows.token().wait().text()); // the job's reply: how many there were

    try {
        (void)runner.run("pg.query", R"json({"sql": "insert into people values (1, 'Ada')"})json");
    } catch (const palitra::job_failed& failed) {
        const bool is_duplicate = failed.code() == std::stoi("23505", nullptr, 36); // the SQLSTATE, read in base 36
        print(is_duplicate ? "duplicate" : "refused", failed.what());
    }

    const auto slow = runner.try_run("pg.query", R"json({"sql": "select pg_sleep(60)"})json", 100ms);
    if (slow.status() != palitra::Status::deadline) throw std::runtime_error("no timeout");
    // The server was told; the next query has the connection at once.
    run(runner, "after a timeout", "pg.query", R"json({"sql": "select 1 as one"})json");
}

// One item of a job that goes on until it is cancelled.
void print_next(std::string_view label, const palitra::Token& token) {
    print(label, token.try_next(10s).value().text());
}

void notifications(const palitra::Runner& runner) {
    palitra::Token listening = runner.submit("pg.listen", "orders");
    print_next("listen", listening); // from here on nothing is missed
    run(runner, "notify", "pg.query", R"json({"sql": "select pg_notify('orders', $1)", "parameters": ["7"]})json");
    print_next("notified", listening);
    listening.cancel();
}

void messages(const palitra::Runner& runner) {
    palitra::Token subscribed = runner.submit("nats.subscribe", "orders.*");
    print_next("subscribe", subscribed);
    run(runner, "publish", "nats.publish", "{\"subject\": \"orders.7\"}\npaid");
    print_next("message", subscribed);
    subscribed.cancel();
}

void objects(const palitra::Runner& runner) {
    const std::string content(1 << 20, 'x');
    run(runner, "write", "objects.write", "{\"path\": \"reports/one\"}\n" + content); // JSON, a line feed, bytes
    run(runner, "list", "objects.list", "reports/");

    std::string read;
    auto chunks = runner.stream("objects.read", "reports/one");
    for (const palitra::Reply& chunk : chunks) read += chunk.text();
    print("read", chunks.token().wait().text());
    if (read != content) throw std::runtime_error("read is not what was written");
}

} // namespace

int main() try {
    const char* config = std::getenv("SERVICES_CONFIG");
    palitra::RunnerOptions options;
    options.config = config == nullptr ? "" : config;
    const palitra::Runner runner(options); // its destructor closes every connection
    postgres(runner);
    notifications(runner);
    run(runner, "set", "redis.command", R"(["SET", "visits", 41])");
    run(runner, "incr", "redis.command", R"(["INCR", "visits"])");
    messages(runner);
    objects(runner);
} catch (const std::exception& error) {
    std::cerr << "host: " << error.what() << '\n';
    return 1;
}

// The conformance scenarios through palitra.hpp: carries out the steps of a file, prints what came of each.
//
// README.md defines the format and what each verb means. Called by tests/conformance.rs:
//
//     conformance FILE
//
// It judges nothing and exits with 0 when it has come to the end of the file.
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <palitra.hpp>
#include <sstream>
#include <thread>

#include "../cpp/coroutines.hpp"

namespace {

using palitra::Reply;
using palitra::Runner;
using palitra::Status;
using palitra::Token;

constexpr std::uint64_t forged_id = 0x0123456789abcdef;
constexpr unsigned child_seconds = 20;

// ---- outcomes --------------------------------------------------------------------------------------------

std::string show(Status status) { return std::string(palitra::name(status).substr(sizeof "PALITRA_" - 1)); }

// Of a call that fills no reply.
template <class Result>
std::string show_status(const Result& result) {
    return show(result.status());
}

// The text is the reply's own, not message(): that says something where the job said nothing.
std::string show(const Reply& reply) {
    std::string outcome = show(reply.status());
    if (reply.status() == Status::job_failed) outcome += ' ' + std::to_string(reply.code());
    const bool has_text = reply || reply.status() == Status::job_failed || reply.status() == Status::job_panicked ||
                          reply.status() == Status::bad_payload;
    if (has_text && !reply.empty()) outcome.append(" ").append(reply.text());
    return outcome;
}

std::string show(const palitra::result<Reply>& result) { return show(*result); }

// ---- steps -----------------------------------------------------------------------------------------------

// "20ms", "60s".
std::chrono::milliseconds duration(const std::string& text) {
    std::size_t end = 0;
    const long number = std::stol(text, &end);
    return std::chrono::milliseconds(text.substr(end) == "s" ? number * 1000 : number);
}

// The words of a step, and the option=VALUE that come last.
struct Step {
    explicit Step(const std::string& line) {
        std::istringstream stream(line);
        for (std::string word; stream >> word;) words.push_back(word);
    }
    const std::string& operator[](std::size_t index) const { return words.at(index); }
    palitra::Payload payload(std::size_t index) const {
        return words.at(index) == "-" ? palitra::Payload() : palitra::Payload(words[index]);
    }
    std::optional<std::string> option(const std::string& name) const {
        for (const auto& word : words)
            if (word.rfind(name + '=', 0) == 0) return word.substr(name.size() + 1);
        return std::nullopt;
    }
    palitra::Timeout time_option(const std::string& name) const {
        const auto text = option(name);
        return text ? palitra::Timeout(duration(*text)) : palitra::forever;
    }
    std::size_t number_option(const std::string& name) const { return std::stoul(option(name).value_or("0")); }

    std::vector<std::string> words;
};

// ---- jobs of the program ---------------------------------------------------------------------------------

// What the code of the jobs leaves to be read, in order.
class Notes {
public:
    void leave(const std::string& job, const std::string& text) {
        const std::lock_guard<std::mutex> lock(mutex);
        notes[job].push_back(text);
        added.notify_all();
    }
    std::string take(const std::string& job) {
        std::unique_lock<std::mutex> lock(mutex);
        added.wait(lock, [&] { return !notes[job].empty(); });
        std::string text = notes[job].front();
        notes[job].pop_front();
        return text;
    }

private:
    std::mutex mutex;
    std::condition_variable added;
    std::map<std::string, std::deque<std::string>> notes;
};

// Outlives every call.
Notes notes;

// The job's function: it answers the call, or leaves it to a thread.
struct HostJob {
    std::string name, does;
    void operator()(palitra::Call call, std::string_view payload) const {
        if (does == "echo") call.complete(payload);
        else if (does == "fail") call.fail(7, payload);
        else if (does == "twice")
            for (int i = 0; i < 2; i++) notes.leave(name, show_status(call.try_complete(payload)));
        else if (does == "wait") wait(std::move(call));
        else if (does == "count") std::thread(count, std::move(call), std::stol(std::string(payload))).detach();
        // "give_up": the call is destroyed unanswered.
    }

private:
    void wait(palitra::Call call) const {
        call.progress(1, 2);
        const auto kept = std::make_shared<palitra::Call>(std::move(call));
        // The function is dropped after it was called, and the call with it.
        kept->on_cancel([kept, job = name] { notes.leave(job, "CANCELLED"); });
        notes.leave(name, "CALLED");
    }
    static void count(palitra::Call call, long to) {
        for (long i = 0; i < to; i++)
            if (!call.try_send(std::to_string(i), palitra::Format::text)) break;
        (void)call.try_complete();
    }
};

// ---- a scenario ------------------------------------------------------------------------------------------

// What the steps of one scenario made. Members are destroyed in the reverse order: threads, tokens, runners.
class Scenario {
public:
    std::string carry_out(const Step& step) {
        const auto verb = verbs.find(step[0]);
        if (verb == verbs.end()) return "error: no verb " + step[0];
        try {
            return (this->*verb->second)(step);
        } catch (const std::exception& exception) {
            return std::string("error: ") + exception.what();
        }
    }

private:
    std::string runner(const Step& step) {
        palitra::RunnerOptions options;
        options.max_in_flight = step.number_option("max_in_flight");
        options.max_payload = step.number_option("max_payload");
        const std::string config = step.option("config").value_or("");
        options.config = config;
        auto made = Runner::try_make(options);
        const std::string outcome = show_status(made);
        if (made) runners.insert_or_assign(step[1], *std::move(made));
        return outcome;
    }

    std::string alive(const Step& step) { return runners.at(step[1]).is_alive() ? "true" : "false"; }

    std::string submit(const Step& step) {
        palitra::SubmitOptions options;
        options.deadline = step.time_option("deadline");
        auto made = runners.at(step[2]).try_submit(step[3], step.payload(4), options);
        const std::string outcome = show_status(made);
        if (made) tokens.insert_or_assign(step[1], *std::move(made));
        return outcome;
    }

    std::string submit_many(const Step& step) {
        const Runner& runner = runners.at(step[1]);
        std::vector<palitra::Submission> jobs;
        for (std::size_t i = 2; i < step.words.size(); i += 3) jobs.push_back({step[i + 1], step.payload(i + 2)});
        palitra::Submitted made = runner.try_submit_many(jobs);
        for (std::size_t i = 0; i < made.tokens.size(); i++)
            tokens.insert_or_assign(step[2 + 3 * i], std::move(made.tokens[i]));
        return show(made.status) + ' ' + std::to_string(made.tokens.size());
    }

    std::string run(const Step& step) {
        return show(runners.at(step[1]).try_run(step[2], step.payload(3), step.time_option("timeout")));
    }

    std::string wait(const Step& step) {
        const Token& token = tokens.at(step[1]);
        return show(step.words.size() > 2 ? token.try_wait(duration(step[2])) : token.try_wait());
    }

    std::string poll(const Step& step) { return show(tokens.at(step[1]).try_poll()); }
    std::string cancel(const Step& step) { return show_status(tokens.at(step[1]).try_cancel()); }

    std::string gather(const Step& step) {
        palitra::GatherOptions options;
        options.fail_fast = step[1] == "fail_fast";
        std::vector<std::reference_wrapper<const Token>> gathered;
        for (std::size_t i = options.fail_fast ? 2 : 1; i < step.words.size(); i++)
            gathered.emplace_back(tokens.at(step[i]));
        std::string outcome;
        for (const Reply& reply : palitra::try_gather(options, gathered).replies)
            outcome += (outcome.empty() ? "" : " | ") + show(reply);
        return outcome;
    }

    std::string next(const Step& step) { return show(tokens.at(step[1]).try_next()); }

    std::string drain(const Step& step) {
        std::string outcome;
        for (;;) {
            const auto item = tokens.at(step[1]).try_next();
            if (!item) return outcome + show(item);
            outcome.append(item->text()).append(" ");
        }
    }

    std::string progress(const Step& step) {
        const auto seen = tokens.at(step[1]).try_progress();
        if (!seen) return show_status(seen);
        return "OK " + std::to_string(seen->done) + ' ' + std::to_string(seen->total);
    }

    // An object has no handle once it is destroyed. A token is given its stale one again; a runner is moved from.
    std::string free(const Step& step) {
        if (const auto runner = runners.find(step[1]); runner != runners.end()) {
            const Runner freed = std::move(runner->second);
            return "OK";
        }
        Token& token = tokens.at(step[1]);
        token = Token(token.runner(), token.get());
        return "OK";
    }

    // No runner can be made of a number: the C function is called for it.
    std::string forged(const Step& step) {
        if (step[1] == "token") return show(Token({}, {forged_id}).try_poll());
        palitra_token token;
        return show(static_cast<Status>(palitra_runner_submit({forged_id}, "palitra.echo", "", 0, nullptr, &token)));
    }

    std::string shutdown(const Step& step) { return show_status(runners.at(step[1]).try_shutdown(duration(step[2]))); }

    std::string register_job(const Step& step) {
        return show_status(palitra::try_register_job(runners.at(step[1]), step[2], HostJob{step[2], step[3]}));
    }

    std::string note(const Step& step) { return notes.take(step[1]); }

    std::string callback(const Step& step) {
        std::promise<std::string> called;
        const Token& other = tokens.at(step[3]);
        const auto attached = tokens.at(step[1]).try_on_complete([&] { called.set_value(show(other.try_wait())); });
        return attached ? called.get_future().get() : show_status(attached);
    }

    // A coroutine, which is destroyed once it has resumed.
    static Detached await(const Token& token, std::promise<std::string>& resumed) {
        resumed.set_value(show(co_await palitra::try_await(token)));
    }
    std::string ready(const Step& step) {
        std::promise<std::string> resumed;
        auto outcome = resumed.get_future();
        await(tokens.at(step[1]), resumed);
        return outcome.get();
    }

    std::string thread(const Step& step) {
        Step inner = step;
        inner.words.erase(inner.words.begin(), inner.words.begin() + 2);
        threads[step[1]] = std::async(std::launch::async, [this, inner] { return carry_out(inner); });
        return "OK";
    }

    std::string join(const Step& step) { return threads.at(step[1]).get(); }

    // The child of a process with threads: these calls allocate nothing.
    Status in_child(const Step& step) {
        if (step[1] == "wait") return tokens.at(step[2]).try_wait().status();
        if (step[1] == "run") return runners.at(step[2]).try_run(step[3], step.payload(4)).status();
        const auto global = Runner::try_global();
        return global ? global->try_run("palitra.echo").status() : global.status();
    }

    std::string fork(const Step& step) {
        const pid_t child = ::fork();
        if (child == 0) {
            alarm(child_seconds);
            _exit(static_cast<int>(in_child(step)));
        }
        int ended = 0;
        if (waitpid(child, &ended, 0) != child) return "error: no child";
        if (WIFSIGNALED(ended)) return "error: signal " + std::to_string(WTERMSIG(ended));
        return show(static_cast<Status>(WEXITSTATUS(ended)));
    }

    std::map<std::string, Runner> runners;
    std::map<std::string, Token> tokens;
    std::map<std::string, std::future<std::string>> threads;

    static const std::map<std::string, std::string (Scenario::*)(const Step&)> verbs;
};

const std::map<std::string, std::string (Scenario::*)(const Step&)> Scenario::verbs = {
    {"runner", &Scenario::runner},
    {"alive", &Scenario::alive},
    {"submit", &Scenario::submit},
    {"run", &Scenario::run},
    {"wait", &Scenario::wait},
    {"poll", &Scenario::poll},
    {"cancel", &Scenario::cancel},
    {"gather", &Scenario::gather},
    {"next", &Scenario::next},
    {"drain", &Scenario::drain},
    {"progress", &Scenario::progress},
    {"free", &Scenario::free},
    {"forged", &Scenario::forged},
    {"shutdown", &Scenario::shutdown},
    {"register", &Scenario::register_job},
    {"note", &Scenario::note},
    {"callback", &Scenario::callback},
    {"ready", &Scenario::ready},
    {"thread", &Scenario::thread},
    {"join", &Scenario::join},
    {"fork", &Scenario::fork},
    {"submit_many", &Scenario::submit_many},
};

} // namespace

int main(int count, char** arguments) {
    std::ifstream file(count == 2 ? arguments[1] : "");
    if (!file) {
        std::cerr << "usage: conformance FILE\n";
        return 2;
    }
    // All of it at once: a child shares the place in a file that is open.
    std::ostringstream text;
    text << file.rdbuf();
    file.close();

    std::string name;
    std::optional<Scenario> scenario;
    unsigned steps = 0;
    std::istringstream lines(text.str());
    for (std::string line; std::getline(lines, line);) {
        const Step step(line);
        if (step[0] == "scenario") {
            scenario.emplace();
            name = step[1];
            steps = 0;
        } else {
            std::cout << name << '\t' << ++steps << '\t' << scenario->carry_out(step) << std::endl;
        }
    }
    return 0;
}

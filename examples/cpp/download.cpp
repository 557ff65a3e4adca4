// download: gets many URLs at once, each into a file.
//
//     download FOLDER URL [URL ...]
//
// Prints one line for each download as it ends: its bytes and its file, or why there is none. Meanwhile it shows a bar
// of the bytes that have come, if standard error is a terminal. It exits with 0 if every file was written, with 1 if
// any was not, with 2 for wrong usage. A file of any size takes some hundred kilobytes of memory: it is never held
// whole.
//
// How a program uses palitra, from top to bottom: main makes a runner and a queue and submits one http.download for
// each URL, tagged with its number; the queue returns an event for each, in the order in which they finish; between two
// events the tokens report how far their downloads are.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <palitra.hpp>
#include <vector>

#include "request.hpp"

namespace {

using namespace std::chrono_literals;

struct Download {
    std::filesystem::path file;
    palitra::Token token;
};

// "3-page.html": numbered, so that no two are the same.
std::filesystem::path file_name(std::size_t number, const std::string& url) {
    const std::string path = url.substr(0, url.find_first_of("?#"));
    return std::to_string(number) + '-' + path.substr(path.find_last_of('/') + 1);
}

std::vector<Download> start(const palitra::Runner& runner, const palitra::Queue& queue,
                            const std::filesystem::path& folder, const std::vector<std::string>& urls) {
    std::vector<Download> downloads;
    for (const std::string& url : urls) {
        palitra::SubmitOptions options;
        options.queue = &queue;
        options.tag = downloads.size();
        const std::filesystem::path file = folder / file_name(options.tag + 1, url);
        downloads.push_back({file, runner.submit("http.download", request(url, file.string()), options)});
    }
    return downloads;
}

// Whether the page is in its file: it gets its name when all of it has come.
bool finish(const Download& download) {
    try {
        static_cast<void>(download.token.wait()); // throws what went wrong
        std::cout << std::filesystem::file_size(download.file) << " bytes " << download.file.string() << '\n';
        return true;
    } catch (const std::exception& error) {
        std::cout << "failed: " << error.what() << '\n';
        return false;
    }
}

// A bar of the bytes that have come, of those that the servers have announced so far.
void show_progress(const std::vector<Download>& downloads) {
    constexpr std::size_t width = 30;
    palitra::Progress sum{};
    for (const Download& download : downloads) {
        const palitra::Progress progress = download.token.progress();
        sum.done += progress.done;
        sum.total += progress.total;
    }
    const auto share = sum.total == 0 ? 0.0 : static_cast<double>(sum.done) / static_cast<double>(sum.total);
    const auto filled = static_cast<std::size_t>(share * width);
    std::cerr << "\r[" << std::string(filled, '#') << std::string(width - filled, '.') << "] " << sum.done / 1'000'000
              << " of " << sum.total / 1'000'000 << " MB\x1b[K" << std::flush;
}

void clear_progress() { std::cerr << "\r\x1b[K" << std::flush; }

} // namespace

int main(int count, char** arguments) try {
    if (count < 3) {
        std::cerr << "usage: download FOLDER URL [URL ...]\n";
        return 2;
    }
    const std::filesystem::path folder = arguments[1];
    std::filesystem::create_directories(folder);

    const palitra::Runner runner;
    const palitra::Queue queue;
    const auto downloads = start(runner, queue, folder, {arguments + 2, arguments + count});
    const bool shows_progress = isatty(STDERR_FILENO) != 0;
    bool all_came = true;
    for (std::size_t left = downloads.size(); left > 0;) {
        const auto event = queue.try_next(100ms);
        if (shows_progress) event ? clear_progress() : show_progress(downloads);
        if (event) {
            all_came &= finish(downloads[event->tag]);
            left--;
        }
    }
    return all_came ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << "download: " << error.what() << '\n';
    return 1;
}

// See tests/proof/endings.py.
#include <palitra.hpp>

#include <cstdlib>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static std::vector<palitra::Token> use_and_leave() {
    const palitra::Runner runner = palitra::Runner::global();
    std::vector<palitra::Token> kept;
    for (int i = 0; i < 8; i++) kept.push_back(runner.submit("palitra.sleep", R"({"seconds": 100})"));
    if (runner.run("palitra.echo", "hello").text() != "hello") std::abort();
    return kept;
}

int main(int count, char** arguments) {
    static std::vector<palitra::Token> kept = use_and_leave();
    const int forks = count > 2 && std::string_view(arguments[1]) == "forks" ? std::atoi(arguments[2]) : 0;
    for (int i = 0; i < forks; i++) {
        const pid_t child = fork();
        if (child == 0) {
            kept = use_and_leave();
            std::exit(7);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7) std::abort();
    }
    return 7;
}

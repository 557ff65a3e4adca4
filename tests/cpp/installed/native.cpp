// A user's C++ program: prints what plain.c does.
#include <iostream>
#include <palitra.hpp>

int main() {
    const palitra::Runner runner;
    const auto [reply] = palitra::gather(runner.submit("palitra.echo", "installed"));
    std::cout << palitra::jobs().size() << ' ' << reply.text() << '\n';
}

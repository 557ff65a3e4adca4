// The payload of the http jobs: {"url": "..."}.
#ifndef EXAMPLES_REQUEST_HPP
#define EXAMPLES_REQUEST_HPP

#include <cstdio>
#include <string>
#include <string_view>

inline std::string request(std::string_view url) {
    std::string json = R"({"url": ")";
    for (const char byte : url) {
        if (byte == '"' || byte == '\\') json += '\\';
        if (static_cast<unsigned char>(byte) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            json += escape;
        } else {
            json += byte;
        }
    }
    return json + R"("})";
}

#endif

// The payloads of the http jobs: {"url": "..."}, and for a download {"url": "...", "path": "...", "overwrite": true}.
#ifndef EXAMPLES_REQUEST_HPP
#define EXAMPLES_REQUEST_HPP

#include <cstdio>
#include <string>
#include <string_view>

inline std::string json_string(std::string_view text) {
    std::string json = "\"";
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') json += '\\';
        if (static_cast<unsigned char>(byte) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            json += escape;
        } else {
            json += byte;
        }
    }
    return json + '"';
}

inline std::string request(std::string_view url) { return R"({"url": )" + json_string(url) + '}'; }

inline std::string request(std::string_view url, std::string_view path) {
    return R"({"url": )" + json_string(url) + R"(, "path": )" + json_string(path) + R"(, "overwrite": true})";
}

#endif

/// JSON with bytes behind it, as jobs take and return a `Framed<T>`: an image and how to scale it, a request and its body.
///
///     palitra::Reply reply = runner.run("image.scale", palitra::frame(R"({"width": 100})", image));
///     auto [json, bytes] = palitra::unframe(reply.text());
#ifndef PALITRA_FRAMED_HPP
#define PALITRA_FRAMED_HPP

#include <string>
#include <string_view>

#include "names_begin.inc"

namespace palitra {

/// The two parts of a frame. They live as long as what they were taken from.
struct Unframed {
    std::string_view json;
    std::string_view bytes;
};

/// A payload: the JSON, a line feed, the bytes.
[[nodiscard]] inline std::string frame(std::string_view json, std::string_view bytes) {
    std::string framed;
    framed.reserve(json.size() + 1 + bytes.size());
    return framed.append(json).append(1, '\n').append(bytes);
}

/// The parts of a reply, whose first line is the JSON.
[[nodiscard]] inline Unframed unframe(std::string_view reply) noexcept {
    const std::size_t end = reply.find('\n');
    if (end == std::string_view::npos) return {reply, {}};
    return {reply.substr(0, end), reply.substr(end + 1)};
}

} // namespace palitra

#include "names_end.inc"

#endif

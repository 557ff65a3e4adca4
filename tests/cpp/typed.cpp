// Values instead of bytes: nlohmann-json as the codec.
#include <nlohmann/json.hpp>

#include "support.hpp"

namespace {

struct Json {
    template <class In>
    std::string encode(const In& in) const {
        return nlohmann::json(in).dump();
    }
    template <class Out>
    Out decode(std::string_view text) const {
        return nlohmann::json::parse(text).get<Out>();
    }
};

struct Sleep {
    double seconds;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Sleep, seconds)

struct Failure {
    int code;
    std::string message;
};
void to_json(nlohmann::json& json, const Failure& failure) {
    json = {{"code", failure.code}, {"message", failure.message}};
}

} // namespace

TEST_CASE("a codec makes values of payloads and replies") {
    const palitra::Runner runner;
    const palitra::Typed json(runner, Json{});
    CHECK(json.run<Sleep>("palitra.sleep", Sleep{0.002}).seconds == 0.002);
    CHECK(json.try_run<Sleep>("palitra.sleep", Sleep{0.002}, 20s)->seconds == 0.002);
    const nlohmann::json any = json.run<nlohmann::json>("palitra.echo", nlohmann::json{{"list", {1, 2, 3}}});
    CHECK(any["list"][2] == 3);
    const palitra::Token token = json.submit("palitra.sleep", Sleep{0.001});
    CHECK(json.value<Sleep>(token.wait()).seconds == 0.001);
    CHECK(token.wait().as<Sleep>(Json{}).seconds == 0.001);
    CHECK(json.try_submit("palitra.echo", 5)->wait().text() == "5");
}

TEST_CASE("a codec may keep the runner, and a copy works as long as that lives") {
    const palitra::Typed global(palitra::Runner::global(), Json{});
    CHECK(global.run<int>("palitra.echo", 5) == 5);
    std::optional<palitra::Typed<Json>> own(std::in_place, palitra::Runner(), Json{});
    const palitra::Typed<Json> copy = *own;
    CHECK(copy.run<int>("palitra.echo", 5) == 5);
    own.reset();
    CHECK(copy.try_run<int>("palitra.echo", 5).status() == Status::invalid_handle);
}

TEST_CASE("a typed call fails as any other") {
    const palitra::Runner runner;
    const palitra::Typed json(runner, Json{});
    CHECK(thrown_by([&] { (void)json.run<int>("test.fail", Failure{7, "broken"}); }) == Status::job_failed);
    const auto result = json.try_run<nlohmann::json>("test.fail", Failure{7, "broken"});
    CHECK_FALSE(result);
    CHECK(result.code() == 7);
    CHECK(result.message() == "broken");
    const palitra::Token failed = json.submit("test.fail", Failure{7, "broken"});
    CHECK(thrown_by([&] { (void)json.value<int>(*failed.try_wait()); }) == Status::job_failed);
}

TEST_CASE("what the codec throws passes through") {
    const palitra::Runner runner;
    const palitra::Typed json(runner, Json{});
    CHECK_THROWS_AS((void)json.run<Sleep>("palitra.echo", 5), nlohmann::json::exception);
    CHECK_THROWS_AS((void)json.try_run<Sleep>("palitra.echo", 5), nlohmann::json::exception);
}

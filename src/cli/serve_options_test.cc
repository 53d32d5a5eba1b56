#include "cli/serve_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/files.h"

namespace slipway::cli {
namespace {

using options::Change;
using testing::HasSubstr;

class ServeOptionsTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<ServeSettings>> Load(std::string_view file) {
    EXPECT_TRUE(base::WriteFileAtomically(path_, file));
    sources_.flags["config"] = {.texts = {path_}, .origin = {options::Origin::Kind::kFlag, "--config"}};
    return ServeSettings::Load(sources_);
  }
  std::string Fault(std::string_view file) {
    const auto loaded = Load(file);
    return loaded ? "fine" : loaded.error().Text();
  }

  const base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  const std::string path_ = folder_.path() / "serve.yaml";
  ServeSources sources_;
};

TEST_F(ServeOptionsTest, NamesAndKeysAreUniqueAndEveryDefaultIsAValue) {
  ServeConfig config;
  const auto table = ServeOptions(config);
  std::set<std::string> names, keys;
  for (const auto& option : table.options()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_TRUE(keys.insert(option.Key()).second) << option.Key();
    EXPECT_FALSE(option.help.empty()) << option.name;
    const bool unset = table.Shown(option) == "none";
    EXPECT_TRUE(unset || option.value.write(option.value.read())) << option.name;
  }
}

TEST_F(ServeOptionsTest, AFileReachesEveryPart) {
  const auto loaded = Load(
      "bundles: [a.slipway, b.slipway]\nthreads: 2\nlisten: {http: ':9000', admin: '127.0.0.1:9001'}\n"
      "limits: {max-handshakes: 7, linger: 3s, max-json-string: 1KiB, max-json-depth: 5, max-metric-series: 9}\n"
      "log: {level: error, field-length: 100B}\nhealth: {loop-fail: 5s, errors-fail: 0.5}\n");
  ASSERT_TRUE(loaded) << loaded.error().Text();
  const ServeConfig& config = (*loaded)->config();
  EXPECT_EQ(config.bundles.size(), 2);
  EXPECT_EQ(config.http.threads, 2);
  EXPECT_EQ(config.http.listen.http, std::vector<std::string>{":9000"});
  EXPECT_EQ(config.http.limits.handshakes, 7);
  EXPECT_EQ(config.http.limits.linger, std::chrono::seconds(3));
  EXPECT_EQ(config.http.decode.json.string_bytes, 1024);
  EXPECT_EQ(config.http.decode.json.depth, 5);
  EXPECT_EQ(config.metric_series, 9);
  EXPECT_EQ(config.log.field_bytes, 100);
  EXPECT_EQ(config.http.health.loop_lag_seconds.fail, 5.0);
  EXPECT_EQ(config.http.health.error_rate.fail, 0.5);
}

TEST_F(ServeOptionsTest, AFlagCountsBeforeAVariableBeforeTheFile) {
  const auto given = [](const char* text, const char* origin, options::Origin::Kind kind) {
    return options::Given{.texts = {text}, .origin = {kind, origin}};
  };
  sources_.environment["max-body"] = given("2MiB", "SLIPWAY_SERVE_MAX_BODY", options::Origin::Kind::kEnvironment);
  sources_.environment["max-line"] = given("2MiB", "SLIPWAY_SERVE_MAX_LINE", options::Origin::Kind::kEnvironment);
  sources_.flags["max-body"] = given("3MiB", "--max-body", options::Origin::Kind::kFlag);
  const auto loaded = Load("bundles: [x]\nlimits: {max-body: 1MiB, max-line: 1MiB, max-header: 9KiB}\n");
  ASSERT_TRUE(loaded) << loaded.error().Text();
  const auto& table = (*loaded)->table();
  EXPECT_EQ((*loaded)->config().http.limits.body_bytes, 3 << 20);
  EXPECT_EQ((*loaded)->config().http.decode.line_bytes, 2 << 20);
  EXPECT_EQ((*loaded)->config().http.limits.head_bytes, 9 << 10);
  EXPECT_EQ(table.OriginOf(*table.Find("max-body")).text, "--max-body");
  EXPECT_EQ(table.OriginOf(*table.Find("max-line")).text, "SLIPWAY_SERVE_MAX_LINE");
  EXPECT_EQ(table.OriginOf(*table.Find("max-header")).text, path_ + ":2");
}

TEST_F(ServeOptionsTest, RulesAcrossOptionsHold) {
  EXPECT_THAT(Fault("threads: 1\n"), HasSubstr("no bundle is named"));
  EXPECT_THAT(Fault("bundles: [x]\nlisten: {observe-on: admin}\n"), HasSubstr("--admin"));
  EXPECT_THAT(Fault("bundles: [x]\nlisten: {admin: '0.0.0.0:1'}\n"), HasSubstr("--admin-public"));
  EXPECT_THAT(Fault("bundles: [x]\ntls: {key: k.pem}\n"), HasSubstr("--tls-cert"));
  EXPECT_THAT(Fault("bundles: [x]\ncors: {origin: '*', credentials: true}\n"), HasSubstr("credentials"));
  EXPECT_THAT(Fault("bundles: [x]\nlisten: {http: []}\n"), HasSubstr("at least one address"));
  EXPECT_THAT(Fault("bundles: [x]\nlisten: {http: [nonsense]}\n"), HasSubstr("serve.yaml:2: listen.http: "));
}

}  // namespace
}  // namespace slipway::cli

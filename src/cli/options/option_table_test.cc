#include "cli/options/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/option_kinds.h"
#include "cli/options/option_sources.h"

namespace slipway::cli::options {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OptionTableTest : public testing::Test {
 protected:
  std::string Take(const base::Result<GivenOptions>& given) {
    if (!given) return given.error().reason + " " + given.error().Text();
    const auto taken = table_.Take(*given);
    return taken ? "fine" : taken.error().reason + " " + taken.error().Text();
  }
  std::string File(std::string_view text) { return Take(ReadOptionText(table_, text, "serve.yaml")); }
  std::string Environment(std::vector<std::string> entries) {
    std::vector<char*> pointers;
    for (auto& entry : entries) pointers.push_back(entry.data());
    pointers.push_back(nullptr);
    return Take(ReadEnvironment(table_, pointers.data()));
  }
  std::string OriginOf(std::string_view name) { return table_.OriginOf(*table_.Find(name)).text; }
  std::string Shown(std::string_view name) { return table_.Shown(*table_.Find(name)); }

  int64_t body_ = 64 << 20;
  int threads_ = 0;
  bool compress_ = false;
  std::string certificate_, token_, level_ = "info";
  std::vector<std::string> http_ = {"127.0.0.1:8080"};
  std::chrono::nanoseconds timeout_ = std::chrono::seconds(90);
  std::optional<double> warn_ = 0.85, latency_;
  OptionTable table_{"APP_", MakeOptions()};

 private:
  std::vector<Option> MakeOptions() {
    OptionValue http = Texts(http_, "ADDRESS");
    http.continuation = "mode=";
    return {
        {"threads", "", "Threads", CountOrAuto(threads_, 64)},
        {"compress", "", "Compress", Flag(compress_)},
        {"http", "listen", "Addresses", std::move(http)},
        {"tls-cert", "tls", "Certificate", Text(certificate_, "FILE")},
        {"max-body", "limits", "Body", Size(body_), Change::kReload},
        {"body-timeout", "limits", "Timeout", Duration(timeout_), Change::kReload},
        {"log-level", "log", "Level",
         Word(
             {"info", "error"}, [this](const auto& w) { level_ = w; }, [this] { return level_; })},
        {"memory-warn", "health", "Warn", Share(warn_)},
        {"latency-warn", "health", "Warn", Seconds(latency_)},
        {.name = "token", .group = "", .help = "Token", .value = Text(token_, "TEXT"), .secret = true},
    };
  }
};

TEST_F(OptionTableTest, NamesKeysAndVariables) {
  EXPECT_EQ(table_.Find("tls-cert")->Key(), "tls.cert");
  EXPECT_EQ(table_.Find("max-body")->Key(), "limits.max-body");
  EXPECT_EQ(table_.Find("threads")->Key(), "threads");
  EXPECT_EQ(table_.Find("max-body")->Variable("APP_"), "APP_MAX_BODY");
}

TEST_F(OptionTableTest, ReadsAFileAndRemembersTheLines) {
  EXPECT_EQ(
      File("threads: 3\ncompress: true\nlisten:\n  http: [':80', 'unix:/x,mode=0600']\n"
           "limits:\n  max-body: 1MiB\n  body-timeout: 1500ms\nhealth: {memory-warn: none, latency-warn: 20ms}\n"),
      "fine");
  EXPECT_EQ(threads_, 3);
  EXPECT_TRUE(compress_);
  EXPECT_THAT(http_, ElementsAre(":80", "unix:/x,mode=0600"));
  EXPECT_EQ(body_, 1 << 20);
  EXPECT_EQ(timeout_, std::chrono::milliseconds(1500));
  EXPECT_EQ(warn_, std::nullopt);
  EXPECT_DOUBLE_EQ(latency_.value(), 0.02);
  EXPECT_EQ(OriginOf("max-body"), "serve.yaml:6");
  EXPECT_EQ(OriginOf("http"), "serve.yaml:4");
  EXPECT_EQ(OriginOf("log-level"), "default");
}

TEST_F(OptionTableTest, ReadsVariablesWithListsBetweenCommas) {
  EXPECT_EQ(Environment({"APP_HTTP=:80, unix:/x,mode=0600", "APP_MAX_BODY=2MiB", "APP_COMPRESS=true", "PATH=/bin"}),
            "fine");
  EXPECT_THAT(http_, ElementsAre(":80", "unix:/x,mode=0600"));
  EXPECT_EQ(body_, 2 << 20);
  EXPECT_TRUE(compress_);
  EXPECT_EQ(OriginOf("max-body"), "APP_MAX_BODY");
}

TEST_F(OptionTableTest, ALaterSourceReplacesListsAndScalars) {
  EXPECT_EQ(File("listen: {http: [':80', ':81']}\nthreads: 4\n"), "fine");
  EXPECT_EQ(Environment({"APP_HTTP=:82"}), "fine");
  EXPECT_THAT(http_, ElementsAre(":82"));
  EXPECT_EQ(threads_, 4);
}

TEST_F(OptionTableTest, UnknownKeysNameLineAndNearestKey) {
  EXPECT_EQ(File("threads: 1\nlimits:\n  max-bodi: 1MiB\n"),
            "option.unknown serve.yaml:3: unknown key \"limits.max-bodi\" (did you mean \"limits.max-body\"?)");
  EXPECT_EQ(File("max-body: 1MiB\n"),
            "option.unknown serve.yaml:1: unknown key \"max-body\" (did you mean \"limits.max-body\"?)");
  EXPECT_EQ(File("tls:\n  tls-cert: x\n"),
            "option.unknown serve.yaml:2: unknown key \"tls.tls-cert\" (did you mean \"tls.cert\"?)");
  EXPECT_EQ(File("thread: 1\n"), "option.unknown serve.yaml:1: unknown key \"thread\" (did you mean \"threads\"?)");
  EXPECT_EQ(File("qqqqqq: 1\n"), "option.unknown serve.yaml:1: unknown key \"qqqqqq\"");
}

TEST_F(OptionTableTest, UnknownVariablesNameTheNearest) {
  EXPECT_THAT(Environment({"APP_MAX_BODI=1"}), HasSubstr("APP_MAX_BODI: there is no such option (did you mean "
                                                         "\"APP_MAX_BODY\"?)"));
}

TEST_F(OptionTableTest, PassesOverWhatKubernetesSetsForAServiceOfThatName) {
  EXPECT_EQ(Environment({"APP_SERVICE_HOST=10.0.0.1", "APP_SERVICE_PORT=80", "APP_SERVICE_PORT_HTTP=80",
                         "APP_PORT=tcp://10.0.0.1:80", "APP_PORT_80_TCP_ADDR=10.0.0.1"}),
            "fine");
  EXPECT_THAT(Environment({"APP_PORTS=80"}), HasSubstr("option.unknown"));
}

TEST_F(OptionTableTest, WrongValuesNameFieldValueRuleAndSource) {
  EXPECT_THAT(File("limits:\n  max-body: lots\n"),
              HasSubstr("option.value serve.yaml:2: limits.max-body: not a size: \"lots\""));
  EXPECT_EQ(File("limits: {max-body: 0B}"),
            "option.value serve.yaml:1: limits.max-body: \"0B\" is too small; at least 1B");
  EXPECT_EQ(Environment({"APP_THREADS=65"}), "option.value APP_THREADS: \"65\" is out of range; from 1 to 64, or auto");
  EXPECT_EQ(Environment({"APP_THREADS=many"}),
            "option.value APP_THREADS: \"many\" is no whole number; write one from 1 to 64, or auto");
  EXPECT_EQ(Environment({"APP_LOG_LEVEL=eror"}),
            "option.value APP_LOG_LEVEL: \"eror\" is not taken; write info or error (did you mean \"error\"?)");
  EXPECT_EQ(Environment({"APP_MEMORY_WARN=85"}),
            "option.value APP_MEMORY_WARN: \"85\" is no share; write a number from 0 to 1, or none");
  EXPECT_EQ(Environment({"APP_COMPRESS=yes"}), "option.value APP_COMPRESS: \"yes\" is neither true nor false");
  EXPECT_THAT(Environment({"APP_BODY_TIMEOUT=10"}), HasSubstr("option.value APP_BODY_TIMEOUT: not a duration: \"10\""));
  EXPECT_THAT(Environment({"APP_BODY_TIMEOUT=0s"}), HasSubstr("must be above zero"));
  EXPECT_EQ(body_, 64 << 20);
}

TEST_F(OptionTableTest, WrongFormsInTheFileAreTold) {
  EXPECT_EQ(File("threads: [1, 2]\n"), "option.value serve.yaml:1: threads: takes one value, not a list");
  EXPECT_EQ(File("threads:\n"),
            "option.value serve.yaml:1: threads takes a text or a number (in quotes if it is neither to YAML), not a "
            "null");
  EXPECT_EQ(File("compress: yes\n"), "option.value serve.yaml:1: compress takes true or false, not a string");
  EXPECT_EQ(File("limits: 5\n"), "option.syntax serve.yaml:1: limits is a map of options, not a integer");
  EXPECT_THAT(File("- threads\n"), HasSubstr("option.syntax serve.yaml:1: a configuration file is a map of options"));
  EXPECT_THAT(File("threads: 1\nthreads: 2\n"), HasSubstr("option.syntax serve.yaml:2:1: duplicate key \"threads\""));
  EXPECT_EQ(File(""), "fine");
  EXPECT_EQ(File("limits:\n"), "fine");
}

TEST_F(OptionTableTest, ShowsValuesExactlyAndSecretsNever) {
  EXPECT_EQ(Shown("max-body"), "64MiB");
  body_ = 1234567;
  EXPECT_EQ(Shown("max-body"), "1234567B");
  EXPECT_EQ(Shown("body-timeout"), "90s");
  EXPECT_EQ(Shown("threads"), "auto");
  EXPECT_EQ(Shown("latency-warn"), "none");
  EXPECT_EQ(Shown("token"), "none");
  EXPECT_EQ(Environment({"APP_TOKEN=tiger"}), "fine");
  EXPECT_EQ(token_, "tiger");
  EXPECT_EQ(Shown("token"), "(hidden)");
}

TEST_F(OptionTableTest, WhatAFileShowsIsWhatItTakes) {
  for (const Option& option : table_.options()) {
    EXPECT_TRUE(option.value.write(option.value.read())) << option.name;
  }
}

}  // namespace
}  // namespace slipway::cli::options

#include "telemetry/otlp/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace slipway::telemetry::otlp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Variables = std::map<std::string, std::string>;

base::Result<std::optional<Options>> Read(const Flags& flags, const Variables& variables = {}) {
  return ReadOptions(flags, "7.8.9", [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Options Known(const Flags& flags, const Variables& variables = {}) {
  auto read = Read(flags, variables);
  EXPECT_TRUE(read && *read) << (read ? "no options" : read.error().Text());
  return read && *read ? **read : Options();
}

TEST(OtlpOptions, NothingIsSentUnlessACollectorIsNamed) {
  EXPECT_EQ(*Read({}), std::nullopt);
  EXPECT_EQ(*Read({}, {{"OTEL_SERVICE_NAME", "x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", " "}}), std::nullopt);
}

TEST(OtlpOptions, AnEndpointIsABaseThatTracesHaveTheirPathUnder) {
  EXPECT_EQ(Known({.endpoint = "http://collector:4318"}).url, "http://collector:4318/v1/traces");
  EXPECT_EQ(Known({.endpoint = "https://x/otlp/"}).url, "https://x/otlp/v1/traces");
  EXPECT_EQ(Known({.endpoint = "https://x/v1/traces"}).url, "https://x/v1/traces");
  EXPECT_EQ(Known({}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"}}).url, "http://all:4318/v1/traces");
}

TEST(OtlpOptions, TheFlagGoesBeforeTheVariableOfTracesAndThatBeforeTheOneOfAll) {
  const Variables both = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"},
                          {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/as/given"}};
  EXPECT_EQ(Known({}, both).url, "http://traces:4318/as/given");
  EXPECT_EQ(Known({.endpoint = "http://flag"}, both).url, "http://flag/v1/traces");
}

TEST(OtlpOptions, TheEnvironmentTurnsTracesOffButNotAgainstTheFlag) {
  const Variables off = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"}, {"OTEL_SDK_DISABLED", "true"}};
  EXPECT_EQ(*Read({}, off), std::nullopt);
  EXPECT_EQ(*Read({}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"}, {"OTEL_TRACES_EXPORTER", "none"}}),
            std::nullopt);
  EXPECT_EQ(Known({.endpoint = "http://flag"}, off).url, "http://flag/v1/traces");
}

TEST(OtlpOptions, HeadersAreDecodedAndThoseOfTracesReplaceThoseOfAll) {
  const Variables variables = {{"OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20abc%3D, x-tenant = a "}};
  EXPECT_THAT(Known({.endpoint = "http://c"}, variables).headers,
              ElementsAre(Pair("Authorization", "Bearer abc="), Pair("x-tenant", "a")));
  Variables more = variables;
  more["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] = "only=this";
  EXPECT_THAT(Known({.endpoint = "http://c"}, more).headers, ElementsAre(Pair("only", "this")));
}

TEST(OtlpOptions, AHeaderThatWouldBreakIntoTwoLinesIsLeftAsideWithAWarning) {
  const Options options = Known({.endpoint = "http://c"}, {{"OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0aHost:%20evil"}});
  EXPECT_THAT(options.headers, IsEmpty());
  EXPECT_THAT(options.warnings, ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_HEADERS")));
}

TEST(OtlpOptions, TheResourceSaysWhatRunsWhere) {
  const Options plain = Known({.endpoint = "http://c"});
  EXPECT_THAT(plain.resource, Contains(Pair("service.name", "slipway")));
  EXPECT_THAT(plain.resource, Contains(Pair("service.version", "7.8.9")));
  EXPECT_THAT(plain.resource, Contains(Pair("host.name", testing::Not(IsEmpty()))));
  const Options named = Known({.endpoint = "http://c"},
                              {{"OTEL_SERVICE_NAME", "scores"},
                               {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=a%2Cb"}});
  EXPECT_THAT(named.resource, Contains(Pair("service.name", "scores")));
  EXPECT_THAT(named.resource, Contains(Pair("deployment.environment.name", "a,b")));
}

TEST(OtlpOptions, SamplingComesFromTheFlagOrTheEnvironment) {
  EXPECT_EQ(Known({.endpoint = "http://c"}).sampling.share, 0.01);
  EXPECT_EQ(Known({.endpoint = "http://c", .sample = 0.5}).sampling.share, 0.5);
  const Variables ratio = {{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.25"}};
  const Options options = Known({.endpoint = "http://c"}, ratio);
  EXPECT_EQ(options.sampling.share, 0.25);
  EXPECT_FALSE(options.sampling.parent_based);
  EXPECT_EQ(Known({.endpoint = "http://c", .sample = 0}, ratio).sampling.share, 0);
  EXPECT_EQ(Known({.endpoint = "http://c"}, {{"OTEL_TRACES_SAMPLER", "parentbased_always_on"}}).sampling.share, 1);
}

TEST(OtlpOptions, WhatIsNotKnownIsLeftAsideWithAWarning) {
  const Options options = Known({.endpoint = "http://c"}, {{"OTEL_TRACES_SAMPLER", "jaeger_remote"},
                                                           {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                                           {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"},
                                                           {"OTEL_RESOURCE_ATTRIBUTES", "no equals sign"}});
  EXPECT_EQ(options.warnings.size(), 4u);
  EXPECT_EQ(options.sampling.share, 0.01);
  EXPECT_EQ(options.timeout, std::chrono::seconds(10));
  EXPECT_EQ(Known({.endpoint = "http://c"}, {{"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"}}).timeout,
            std::chrono::milliseconds(2500));
}

class RefusedEndpoints : public testing::TestWithParam<const char*> {};

TEST_P(RefusedEndpoints, SayWhereAndWhy) {
  const auto read = Read({.endpoint = GetParam()});
  ASSERT_FALSE(read) << GetParam();
  EXPECT_EQ(read.error().reason, "otlp.endpoint");
  EXPECT_EQ(read.error().where, "--otlp-endpoint");
}

INSTANTIATE_TEST_SUITE_P(Otlp, RefusedEndpoints,
                         testing::Values("collector:4318", "grpc://collector:4317", "http://", "http://:4318",
                                         "http://user:password@collector", "http://collector?x=1", "http://a b",
                                         "http://c\r\nx"));

TEST(OtlpOptions, AShareIsFromNoneToAllAndWantsACollector) {
  EXPECT_EQ(Read({.endpoint = "http://c", .sample = 1.5}).error().reason, "otlp.sample");
  EXPECT_EQ(Read({.endpoint = "http://c", .sample = -0.1}).error().where, "--trace-sample");
  EXPECT_THAT(Read({.sample = 0.1}).error().message, HasSubstr("--otlp-endpoint"));
}

}  // namespace
}  // namespace slipway::telemetry::otlp

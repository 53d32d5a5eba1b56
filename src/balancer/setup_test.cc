#include "balancer/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "balancer/template.h"

namespace slipway::balancer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

Setup Two() {
  return {.replicas = {"10.0.0.1:8080", "[fd00::2]:8080"}};
}

std::string Refusal(const Setup& setup) {
  const auto checked = setup.Check();
  return checked ? "" : checked.error().message;
}

bool IsPrediction(const std::string& path) {
  return std::regex_match(path, std::regex(std::string(kPredictionPaths)));
}

TEST(SetupTest, TakesNamesAndAddressesOfBothKinds) {
  EXPECT_EQ(Refusal(Two()), "");
  EXPECT_EQ(Refusal({.replicas = {"model-1.prod.svc:80"}, .listen = "[::]:443", .stats = ""}), "");
}

TEST(SetupTest, RefusesWhatCannotStandInAConfiguration) {
  EXPECT_THAT(Refusal({.replicas = {"a:1\n}"}}), HasSubstr("--replica"));
  EXPECT_THAT(Refusal({.replicas = {"a b:1"}}), HasSubstr("no address"));
  EXPECT_THAT(Refusal({.replicas = {"$host:1"}}), HasSubstr("no address"));
  EXPECT_THAT(Refusal({.replicas = {"a:1"}, .tls_certificate = "x;y.pem"}), HasSubstr("--tls-cert"));
}

TEST(SetupTest, RefusesAReplicaThatIsNamedTwiceInAnotherSpelling) {
  EXPECT_THAT(Refusal({.replicas = {"a:80", "a:080"}}), HasSubstr("named twice"));
}

TEST(SetupTest, ReplicasAreToDrainForLongerThanTheirEndTakesToBeNoticed) {
  auto setup = Two();
  EXPECT_EQ(setup.DrainDelay(), seconds(4));
  setup.check_interval = milliseconds(250);
  EXPECT_EQ(setup.DrainDelay(), seconds(2));
  EXPECT_GT(setup.DrainDelay(), setup.NoticedAfter());
}

TEST(SetupTest, IdleConnectionsGoEarlierThanReplicasLetThemGo) {
  auto setup = Two();
  for (const auto idle : {seconds(1), seconds(10), seconds(75)}) {
    setup.idle_timeout = idle;
    EXPECT_LT(setup.KeptIdle(), setup.idle_timeout);
  }
}

TEST(SetupTest, PredictionsAreKnownByTheirPathsAndNothingElseIs) {
  for (const char* path : {"/predict/a", "/predict/a@1.2", "/invocations", "/v1/models/a:predict",
                           "/v1/models/a/versions/3:classify", "/v2/models/a/infer", "/v2/models/a/versions/1/infer"}) {
    EXPECT_TRUE(IsPrediction(path)) << path;
  }
  for (const char* path : {"/feedback/a", "/v2/repository/models/a/load", "/v2/models/a/trace/setting", "/v2/logging",
                           "/predict/", "/api/deployments", "/invocations/x", "/v1/models/a"}) {
    EXPECT_FALSE(IsPrediction(path)) << path;
  }
}

TEST(SetupTest, NoHoleOfATemplateStaysOpen) {
  for (const auto& text : {HaproxyConfiguration(Two()), NginxConfiguration(Two())}) {
    ASSERT_TRUE(text);
    EXPECT_FALSE(std::regex_search(*text, std::regex("@[a-z_]+@"))) << *text;
    EXPECT_THAT(*text, HasSubstr("10.0.0.1:8080"));
    EXPECT_THAT(*text, HasSubstr("[fd00::2]:8080"));
  }
}

TEST(SetupTest, WithoutStatsNothingTellsOfTheBalancer) {
  auto setup = Two();
  setup.stats.clear();
  EXPECT_THAT(*HaproxyConfiguration(setup), Not(HasSubstr("frontend stats")));
  EXPECT_THAT(*NginxConfiguration(setup), Not(HasSubstr("stub_status")));
}

TEST(SetupTest, AKeyOfItsOwnIsForNginxOnly) {
  auto setup = Two();
  setup.tls_certificate = "both.pem";
  EXPECT_THAT(*NginxConfiguration(setup), HasSubstr("ssl_certificate_key both.pem;"));
  EXPECT_THAT(*HaproxyConfiguration(setup), HasSubstr("ssl crt both.pem"));
  setup.tls_key = "key.pem";
  EXPECT_THAT(*NginxConfiguration(setup), HasSubstr("ssl_certificate_key key.pem;"));
  EXPECT_FALSE(HaproxyConfiguration(setup));
}

}  // namespace
}  // namespace slipway::balancer

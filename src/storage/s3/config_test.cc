#include "storage/s3/config.h"

#include <gtest/gtest.h>

#include <map>

namespace slipway::storage::s3 {
namespace {

using Texts = std::map<std::string, std::string>;

base::Result<Config> Read(Texts variables, Texts files = {}) {
  variables.emplace("HOME", "/of-user");
  return ReadConfig(
      {.variable = [variables](const char* name) { return variables.contains(name) ? variables.at(name) : ""; },
       .file = [files](const std::string& path) -> std::optional<std::string> {
         return files.contains(path) ? std::optional(files.at(path)) : std::nullopt;
       }});
}

const Texts kKeys = {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "secret"}};

Texts With(Texts more) {
  more.insert(kKeys.begin(), kKeys.end());
  return more;
}

std::string FaultOf(const base::Result<Config>& read) {
  return read ? "none" : read.error().reason + ": " + read.error().message;
}

TEST(S3ConfigTest, AsksAmazonInItsStandardRegionUnlessToldOtherwise) {
  const auto config = Read(kKeys);
  EXPECT_EQ(config->origin, "https://s3.us-east-1.amazonaws.com");
  EXPECT_TRUE(config->buckets_are_hosts);
  EXPECT_EQ(config->login.fixed.secret, "secret");
  EXPECT_EQ(Read(With({{"AWS_DEFAULT_REGION", "eu-west-1"}}))->origin, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(Read(With({{"AWS_DEFAULT_REGION", "a"}, {"AWS_REGION", "cn-north-1"}}))->origin,
            "https://s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3ConfigTest, TakesAnotherServerWithItsPath) {
  const auto config =
      Read(With({{"AWS_ENDPOINT_URL", "https://a"}, {"AWS_ENDPOINT_URL_S3", "http://minio:9000/storage/s3/"}}));
  EXPECT_EQ(config->origin, "http://minio:9000");
  EXPECT_EQ(config->path, "/storage/s3");
  EXPECT_FALSE(config->buckets_are_hosts);
}

TEST(S3ConfigTest, RefusesAddressesThatAreNoneAndTellsNoLogin) {
  for (const char* address : {"minio:9000", "ftp://a", "https://", "https://user:hidden@host", "http://a?b"}) {
    const auto fault = FaultOf(Read(With({{"AWS_ENDPOINT_URL", address}})));
    EXPECT_NE(fault.find("storage.config"), std::string::npos) << address;
    EXPECT_EQ(fault.find("hidden"), std::string::npos);
  }
}

TEST(S3ConfigTest, TakesAProfileOfBothFiles) {
  const Texts files = {{"/of-user/.aws/config",
                        "[default]\nregion=no\n[profile a b]\n# note\nregion = eu-1\ns3 =\n  endpoint_url = no\n"
                        "endpoint_url=https://x\nca_bundle = /ca.pem\naws_secret_access_key = older\n"},
                       {"/of-user/.aws/credentials",
                        "[other]\naws_access_key_id=no\n[ a b ]\r\naws_access_key_id = id\r\n"
                        "aws_secret_access_key=se/c=ret\r\naws_session_token=t\n"}};
  const auto config = Read({{"AWS_PROFILE", "a b"}}, files);
  ASSERT_TRUE(config) << FaultOf(config);
  EXPECT_EQ(config->region, "eu-1");
  EXPECT_EQ(config->origin, "https://x");
  EXPECT_EQ(config->ca_file, "/ca.pem");
  EXPECT_EQ(config->login.fixed.secret, "se/c=ret");
  EXPECT_EQ(config->login.fixed.token, "t");
  EXPECT_EQ(config->login.told, "of the profile \"a b\"");
}

TEST(S3ConfigTest, FilesMayLieElsewhere) {
  const auto config =
      Read({{"AWS_SHARED_CREDENTIALS_FILE", "/c"}, {"AWS_CONFIG_FILE", "/d"}},
           {{"/c", "[default]\naws_access_key_id=id\naws_secret_access_key=s"}, {"/d", "[default]\nregion=r"}});
  EXPECT_EQ(config->login.fixed.id, "id");
  EXPECT_EQ(config->region, "r");
}

TEST(S3ConfigTest, TellsWhatItCannotTakeCredentialsFrom) {
  EXPECT_NE(FaultOf(Read({{"AWS_PROFILE", "x"}})).find("names \"x\", which is in neither /of-user/.aws/config"),
            std::string::npos);
  EXPECT_NE(FaultOf(Read({{"AWS_ACCESS_KEY_ID", "id"}})).find("a key id and no secret key"), std::string::npos);
  EXPECT_NE(FaultOf(Read({}, {{"/of-user/.aws/config", "[default]\nsso_session = s\n"}})).find("export-credentials"),
            std::string::npos);
  EXPECT_NE(FaultOf(Read({{"AWS_EC2_METADATA_DISABLED", "true"}})).find("there are no credentials"), std::string::npos);
}

TEST(S3ConfigTest, TakesARoleAContainerOrTheMachine) {
  const auto role = Read({{"AWS_ROLE_ARN", "arn:r"}, {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_REGION", "eu-1"}});
  EXPECT_EQ(role->login.kind, Login::Kind::kWebIdentity);
  EXPECT_EQ(role->login.url, "https://sts.eu-1.amazonaws.com");
  const auto container = Read({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}});
  EXPECT_EQ(container->login.url, "http://169.254.170.2/v2/x");
  EXPECT_EQ(Read({})->login.kind, Login::Kind::kInstance);
}

TEST(S3ConfigTest, BoundsAttemptsAndTime) {
  EXPECT_EQ(Read(With({{"AWS_MAX_ATTEMPTS", "2"}}))->attempts, 2);
  EXPECT_NE(FaultOf(Read(With({{"AWS_MAX_ATTEMPTS", "0"}}))).find("from 1 to 100"), std::string::npos);
  EXPECT_EQ(Read(With({{"SLIPWAY_S3_TIMEOUT", "1.5s"}}))->patience.count(), 1500);
  EXPECT_NE(FaultOf(Read(With({{"SLIPWAY_S3_TIMEOUT", "5"}}))).find("a time such as 30s"), std::string::npos);
}

}  // namespace
}  // namespace slipway::storage::s3

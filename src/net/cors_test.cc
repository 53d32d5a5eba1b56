#include "net/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using testing::HasSubstr;
using testing::Not;

class CorsTest : public ServerFixture {
 protected:
  void StartWith(CorsOptions cors) {
    AddEcho();
    HttpServerOptions options;
    options.conduct.cors = std::move(cors);
    Start(std::move(options));
  }
};

constexpr std::string_view kFromApp = "GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n";
constexpr std::string_view kPreflight =
    "OPTIONS /echo HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
    "Access-Control-Request-Headers: content-type\r\n\r\n";

TEST_F(CorsTest, IsOffUnlessOriginsAreNamed) {
  StartWith({});
  EXPECT_THAT(Connect().Ask(kFromApp).head, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(Connect().Ask(kPreflight).head, Not(HasSubstr("Access-Control")));
}

TEST_F(CorsTest, AnswersNamedOriginsAlone) {
  StartWith({.origins = {"https://app.example"}});
  const auto mine = Connect().Ask(kFromApp);
  EXPECT_EQ(mine.Header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(mine.Header("Vary"), "Origin");
  EXPECT_EQ(mine.Header("Access-Control-Allow-Credentials"), "");
  const auto other = Connect().Ask("GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n\r\n");
  EXPECT_EQ(other.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(other.Header("Vary"), "Origin");
  EXPECT_EQ(Connect().Ask(kHello).Header("Access-Control-Allow-Origin"), "");
}

TEST_F(CorsTest, FaultsCanBeReadToo) {
  StartWith({.origins = {"*"}});
  const auto answer = Connect().Ask("GET /none HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "*");
}

TEST_F(CorsTest, PreflightsAreAnsweredByTheRoutes) {
  StartWith({.origins = {"https://app.example"}, .credentials = true});
  const auto answer = Connect().Ask(kPreflight);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(answer.Header("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(answer.Header("Access-Control-Allow-Headers"), "content-type");
  EXPECT_EQ(answer.Header("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer.Header("Access-Control-Max-Age"), "600");
}

TEST(CorsOptions, CredentialsNeverGoWithAllOrigins) {
  const CorsOptions all{.origins = {"*"}, .credentials = true};
  EXPECT_EQ(all.Check().error().reason, "net.cors");
  const CorsOptions path{.origins = {"https://app.example/"}};
  EXPECT_FALSE(path.Check());
  const CorsOptions bare{.origins = {"app.example"}};
  EXPECT_FALSE(bare.Check());
  const CorsOptions fine{.origins = {"https://app.example:8443"}, .credentials = true};
  EXPECT_TRUE(fine.Check());
}

}  // namespace
}  // namespace slipway::net

#include "net/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::net {
namespace {

using testing::HasSubstr;

Route Get(std::string pattern) {
  return {.method = Method::kGet,
          .pattern = std::move(pattern),
          .permission = "observe",
          .handler = [](const Request&, Response&) {}};
}

class RouteTableTest : public testing::Test {
 protected:
  std::string Found(Method method, std::string_view path) {
    const auto match = table_.Find(method, path, request_);
    return match.route == nullptr ? "" : match.route->pattern;
  }
  RouteTable table_;
  Request request_;
};

TEST_F(RouteTableTest, RoutesWithPermissionsThatAreNotAdmittedAreNotThere) {
  table_.AdmitOnly({"public"});
  Route open = Get("/livez");
  open.permission = "public";
  ASSERT_TRUE(table_.Add(Get("/metrics")));
  ASSERT_TRUE(table_.Add(std::move(open)));
  EXPECT_EQ(Found(Method::kGet, "/metrics"), "");
  EXPECT_EQ(Found(Method::kGet, "/livez"), "/livez");
  EXPECT_EQ(table_.size(), 1);
  EXPECT_FALSE(table_.Add(Get("/no-permission/{")));  // what is wrong is wrong on every listener
}

TEST_F(RouteTableTest, ARouteWithoutAPermissionCannotBeRegistered) {
  Route route = Get("/livez");
  route.permission = "";
  const auto added = table_.Add(route);
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("GET /livez"));
  EXPECT_THAT(added.error().message, HasSubstr("permission"));
}

TEST_F(RouteTableTest, WhatMakesNoSenseIsRefused) {
  EXPECT_FALSE(table_.Add(Get("livez")));
  EXPECT_FALSE(table_.Add(Get("/a/{b")));
  EXPECT_FALSE(table_.Add(Get("/a/{}")));
  EXPECT_FALSE(table_.Add(Get("/{a}{b}")));
  EXPECT_FALSE(table_.Add({.method = Method::kGet, .pattern = "/a", .permission = "public"}));
  ASSERT_TRUE(table_.Add(Get("/a")));
  EXPECT_FALSE(table_.Add(Get("/a")));
}

TEST_F(RouteTableTest, ParametersStandForOneSegment) {
  ASSERT_TRUE(table_.Add(Get("/models/{model}/versions/{version}")));
  EXPECT_EQ(Found(Method::kGet, "/models/iris/versions/1.0.0"), "/models/{model}/versions/{version}");
  EXPECT_EQ(request_.Parameter("model"), "iris");
  EXPECT_EQ(request_.Parameter("version"), "1.0.0");
  EXPECT_EQ(Found(Method::kGet, "/models//versions/1"), "");
  EXPECT_EQ(Found(Method::kGet, "/models/iris/versions"), "");
  EXPECT_EQ(Found(Method::kGet, "/models/iris/versions/1/"), "");
}

TEST_F(RouteTableTest, LiteralTextWinsOverParameters) {
  ASSERT_TRUE(table_.Add(Get("/v2/models/{model}")));
  ASSERT_TRUE(table_.Add(Get("/v2/models/stats")));
  ASSERT_TRUE(table_.Add(Get("/v2/models/{model}:predict")));
  EXPECT_EQ(Found(Method::kGet, "/v2/models/stats"), "/v2/models/stats");
  EXPECT_EQ(Found(Method::kGet, "/v2/models/iris"), "/v2/models/{model}");
  EXPECT_EQ(Found(Method::kGet, "/v2/models/iris:predict"), "/v2/models/{model}:predict");
  EXPECT_EQ(request_.Parameter("model"), "iris");
}

TEST_F(RouteTableTest, ParametersAreDecodedOnce) {
  ASSERT_TRUE(table_.Add(Get("/models/{model}")));
  Found(Method::kGet, "/models/a%20b%2Fc%2525");
  EXPECT_EQ(request_.Parameter("model"), "a b/c%25");
  EXPECT_TRUE(table_.Find(Method::kGet, "/models/a%2", request_).broken_parameter);
  EXPECT_TRUE(table_.Find(Method::kGet, "/models/a%00b", request_).broken_parameter);
  EXPECT_TRUE(table_.Find(Method::kGet, "/models/a%zz", request_).broken_parameter);
}

TEST_F(RouteTableTest, AWrongMethodTellsTheRightOnes) {
  ASSERT_TRUE(table_.Add(Get("/models")));
  Route post = Get("/models");
  post.method = Method::kPost;
  ASSERT_TRUE(table_.Add(post));
  const auto match = table_.Find(Method::kDelete, "/models", request_);
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(table_.Find(Method::kGet, "/none", request_).allow, "");
}

TEST_F(RouteTableTest, HostilePathsMatchNothing) {
  ASSERT_TRUE(table_.Add(Get("/models/{model}")));
  EXPECT_EQ(Found(Method::kGet, ""), "");
  EXPECT_EQ(Found(Method::kGet, "*"), "");
  EXPECT_EQ(Found(Method::kGet, "//"), "");
  EXPECT_EQ(Found(Method::kGet, "/models/../models/x"), "");
  EXPECT_EQ(Found(Method::kGet, std::string(10'000, '/')), "");
}

TEST_F(RouteTableTest, RoutesAreListedInTheirOrder) {
  ASSERT_TRUE(table_.Add(Get("/b")));
  ASSERT_TRUE(table_.Add(Get("/a/long/path")));
  EXPECT_EQ(table_.All()[0]->pattern, "/b");
  EXPECT_EQ(table_.All()[1]->index, 1);
}

}  // namespace
}  // namespace slipway::net

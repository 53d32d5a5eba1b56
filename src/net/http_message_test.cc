#include "net/http_message.h"

#include <gtest/gtest.h>

namespace slipway::net {
namespace {

TEST(HttpMessage, HeadersAreFoundInAnyCase) {
  Request request;
  request.headers = {{"Content-Type", "text/csv"}, {"X", "first"}, {"x", "second"}};
  EXPECT_EQ(request.Header("content-type"), "text/csv");
  EXPECT_EQ(request.Header("X"), "first");
  EXPECT_EQ(request.Header("Accept"), "");
}

TEST(HttpMessage, QueryValuesAreDecoded) {
  Request request;
  request.query = "strict=true&note=a+b%26c&flag&broken=%2";
  EXPECT_EQ(request.QueryValue("strict"), "true");
  EXPECT_EQ(request.QueryValue("note"), "a b&c");
  EXPECT_EQ(request.QueryValue("flag"), "");
  EXPECT_EQ(request.QueryValue("broken"), "%2") << "whoever reads it must be able to refuse it";
  EXPECT_EQ(request.QueryValue("none"), std::nullopt);
}

TEST(HttpMessage, HeaderValuesCannotSplitTheResponse) {
  Response response;
  response.AddHeader("X", "a\r\nSet-Cookie: b");
  EXPECT_EQ(response.header_text(), "X: a??Set-Cookie: b\r\n");
}

TEST(HttpMessage, AClearedResponseKeepsModestMemoryOnly) {
  Response response;
  response.body.assign(1000, 'x');
  response.Clear();
  EXPECT_GE(response.body.capacity(), 1000u);
  response.body.assign(10 << 20, 'x');
  response.Clear();
  EXPECT_LT(response.body.capacity(), 1000u);
}

}  // namespace
}  // namespace slipway::net

// The bounds inside a body hold at every door that decodes one.

#include "serving/decode_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::HasSubstr;

constexpr std::string_view kJsonLines = "Content-Type: application/jsonl\r\n", kCsv = "Content-Type: text/csv\r\n";

class DecodeLimitsTest : public HttpServiceFixture {
 protected:
  void StartWith(const DecodeLimits& limits) {
    HttpServiceOptions options;
    options.decode = limits;
    Start(std::move(options));
  }
  static std::string Text(size_t bytes) { return "\"" + std::string(bytes, 'x') + "\""; }
};

struct Door {
  const char* name;
  std::string_view path, before, after;
};

class EachDoor : public DecodeLimitsTest, public testing::WithParamInterface<Door> {
 protected:
  int StatusOf(const std::string& value) {
    return Post(GetParam().path, std::string(GetParam().before) + value + std::string(GetParam().after)).status;
  }
};

TEST_P(EachDoor, LongStringsAre413) {
  StartWith({.json = {.string_bytes = 64}});
  EXPECT_NE(StatusOf(Text(64)), 413);
  EXPECT_EQ(StatusOf(Text(65)), 413);
}

TEST_P(EachDoor, DeepNestingIs413) {
  StartWith({.json = {.depth = 12}});
  EXPECT_NE(StatusOf(std::string(6, '[') + std::string(6, ']')), 413);
  EXPECT_EQ(StatusOf(std::string(12, '[') + std::string(12, ']')), 413);
}

INSTANTIATE_TEST_SUITE_P(
    Doors, EachDoor,
    testing::Values(Door{"Record", "/predict/sum", R"({"a":1,"b":2,"unknown":)", "}"},
                    Door{"Records", "/predict/sum", R"([{"a":1,"b":2},{"a":)", "}]"},
                    Door{"Oip", "/v2/models/sum/infer",
                         R"({"inputs":[{"name":"a","shape":[1],"datatype":"FP64","data":[1],"parameters":{"x":)",
                         "}}]}"},
                    Door{"TfServing", "/v1/models/sum:predict", R"({"instances":[{"a":1,"b":2}],"unknown":)", "}"},
                    Door{"Mlflow", "/invocations", R"({"dataframe_records":[{"a":1,"b":)", "}]}"}),
    [](const auto& info) { return info.param.name; });

TEST_F(DecodeLimitsTest, ALongStringInALineIsThatRowsViolation) {
  StartWith({.json = {.string_bytes = 64}});
  const auto answer = Post("/predict/sum", "{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2,\"c\":" + Text(65) + "}\n", kJsonLines);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("a string is too long, at most 64 bytes are read"));
}

TEST_F(DecodeLimitsTest, ALineThatDoesNotEndIs413) {
  StartWith({.line_bytes = 100});
  net::RawClient client(service_->port());
  const auto answer = client.Ask("POST /predict/sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" +
                                 std::string(kJsonLines) + "\r\n80\r\n" + std::string(128, ' '));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("json.limit"));
}

TEST_F(DecodeLimitsTest, LongCellsAndRecordsOfCsvAre413) {
  StartWith({.csv = {.cell_bytes = 100, .record_bytes = 150}});
  EXPECT_EQ(Post("/predict/sum", "a,b\n1,2\n", kCsv).status, 200);
  EXPECT_EQ(Post("/predict/sum", "a,b\n1," + std::string(200, '1') + "\n", kCsv).status, 413);
  EXPECT_EQ(Post("/predict/sum", "a,b\n" + std::string(90, '1') + "," + std::string(90, '1') + "\n", kCsv).status, 413);
}

TEST_F(DecodeLimitsTest, ADocumentIsBoundedByTheServersBodyLimitAlone) {
  HttpServiceOptions options;
  options.limits.body_bytes = int64_t{80} << 20;
  Start(std::move(options));
  EXPECT_EQ(Post("/predict/sum", R"({"a":1,"b":2,"kind":"x")" + std::string(size_t{65} << 20, ' ') + "}").status, 200);
}

}  // namespace
}  // namespace slipway::serving

#include "bundle/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Golden, RoundTripsRecordsByBytes) {
  const std::vector<GoldenRecord> records = {
      {R"({"a":"x}\"{","b":[1,{"c":null}]})", R"({"p":0.10000000000000001})", {}},
      {R"({})", "", {"schema.missing", "schema.rule"}}};
  const std::string text = FormatGolden({.cpu = {}, .records = records});
  EXPECT_EQ(text,
            "{\"record\":{\"a\":\"x}\\\"{\",\"b\":[1,{\"c\":null}]},\"prediction\":{\"p\":0.10000000000000001}}\n"
            "{\"record\":{},\"violations\":[\"schema.missing\",\"schema.rule\"]}\n");
  EXPECT_EQ(ParseGolden(text).value().records, records);
  EXPECT_EQ(ParseGolden(text).value().cpu, "");
}

TEST(Golden, RemembersTheKindOfCpu) {
  const GoldenSet golden{.cpu = "x86-64 avx2", .records = {{"{}", R"({"p":1})", {}}}};
  const std::string text = FormatGolden(golden);
  EXPECT_EQ(text, "{\"cpu\":\"x86-64 avx2\"}\n{\"record\":{},\"prediction\":{\"p\":1}}\n");
  EXPECT_EQ(ParseGolden(text).value(), golden);
  EXPECT_EQ(ParseGolden("\n{\"cpu\":\"x\"}\n").value().cpu, "x");
}

TEST(Golden, KeepsTextsAsWrittenInAnyOrderAndSpacing) {
  const auto records = ParseGolden("\n { \"prediction\" : { \"p\" : 1.50 } , \"record\" : {\"x\": \"\\\\\"} } \r\n\n");
  ASSERT_EQ(records.value().records.size(), 1u);
  EXPECT_EQ(records->records[0].prediction, "{ \"p\" : 1.50 }");
  EXPECT_EQ(records->records[0].record, "{\"x\": \"\\\\\"}");
}

TEST(Golden, EmptyTextHasNoRecords) {
  EXPECT_EQ(ParseGolden("").value(), GoldenSet());
}

struct Fault {
  const char* line;
  const char* message;
};
class MalformedGolden : public testing::TestWithParam<Fault> {};
TEST_P(MalformedGolden, NamesTheLine) {
  const auto records = ParseGolden(std::string("{\"record\":{},\"prediction\":{}}\n") + GetParam().line);
  ASSERT_FALSE(records.has_value());
  EXPECT_EQ(records.error().reason, "bundle.golden");
  EXPECT_EQ(records.error().where, "golden.jsonl:2");
  EXPECT_THAT(records.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(All, MalformedGolden,
                         testing::Values(Fault{"{", "malformed"}, Fault{"[]", "no JSON object"},
                                         Fault{"{}", "no record"}, Fault{"{\"cpu\":\"x\"}", "\"cpu\""},
                                         Fault{"{\"record\":{}}", "either"},
                                         Fault{"{\"record\":[],\"prediction\":{}}", "\"record\""},
                                         Fault{"{\"record\":{},\"prediction\":{},\"violations\":[\"a\"]}", "either"},
                                         Fault{"{\"record\":{},\"violations\":[]}", "\"violations\""},
                                         Fault{"{\"record\":{},\"violations\":[1]}", "no text"},
                                         Fault{"{\"record\":{},\"predictions\":{}}", "\"predictions\""},
                                         Fault{"{\"record\":{},\"record\":{},\"prediction\":{}}", "duplicate"},
                                         Fault{"{\"record\":{},\"prediction\":{}} x", "malformed"},
                                         Fault{"{\"record\":{\"\xFF\":1}}", ""}));

}  // namespace
}  // namespace slipway::bundle

#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::HasSubstr;

TestTable C(const TestTable::Cells<std::string>& cells) {
  TestTable table;
  table.Texts("c", cells);
  return table;
}

// XXH64 of "", "a", "abc" with seed 0 (the reference's test values) modulo 1000.
TEST(HashTest, IndexIsXxHash64ModuloBuckets) {
  EXPECT_EQ(FitTransform(C({"", "a", "abc", kNull}), R"({"as": "f", "hash": "c", "buckets": 1000, "output": "index"})"),
            "921 | 955 | 249 | nan");
}

TEST(HashTest, ColumnsCarryAOneInTheBucket) {
  EXPECT_EQ(FitTransform(C({"a", kNull}), R"({"as": "f", "hash": "c", "buckets": 4})"), "0 0 0 1 | 0 0 0 0");
}

TEST(HashTest, SignedSpreadsPlusAndMinus) {
  // The highest bit of the hash: "" 0xef…, "a" 0xd2…, "abc" 0x44….
  EXPECT_EQ(FitTransform(C({"", "a", "abc"}), R"({"as": "f", "hash": "c", "buckets": 1, "signed": true})"),
            "-1 | -1 | 1");
}

TEST(HashTest, NumbersHashAsTheirText) {
  TestTable table;
  table.Integers("i", {12}).Texts("s", {"12"}).Numbers("n", {12.0});
  const std::string i = R"({"as": "f", "hash": "i", "buckets": 1000000, "output": "index"})";
  const std::string s = R"({"as": "f", "hash": "s", "buckets": 1000000, "output": "index"})";
  const std::string n = R"({"as": "f", "hash": "n", "buckets": 1000000, "output": "index"})";
  EXPECT_EQ(FitTransform(table, i), FitTransform(table, s));
  EXPECT_EQ(FitTransform(table, n), FitTransform(table, s));
}

TEST(HashTest, InputsAreToldApart) {
  TestTable table;
  table.Texts("a", {"x"}).Texts("b", {"x"});
  EXPECT_NE(FitTransform(table, R"({"as": "f", "hash": ["a", "b"], "buckets": 1000, "output": "index"})"), "0 0");
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "hash": ["a", "b"], "buckets": 1})"), "2");
}

TEST(HashTest, BucketsAreNeeded) {
  EXPECT_THAT(FitTransform(C({"a"}), R"({"as": "f", "hash": "c"})"), HasSubstr("buckets: 64"));
}

}  // namespace
}  // namespace slipway::features

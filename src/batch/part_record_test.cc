#include "batch/part_record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace slipway::batch {
namespace {

TEST(PartRecord, KeepsTheFilesThatAPartWrote) {
  PartRecord part;
  part.number = 3;
  part.end = {.offset = 7, .row = 7, .line = 9};
  part.files = {{.path = "year=2026/part-000003.csv", .rows = 4, .bytes = 40, .digest = "aa"},
                {.path = "year=2027/part-000003.csv", .rows = 3, .bytes = 30, .digest = "bb"}};
  const auto back = ParsePart(ToLine(part));
  ASSERT_TRUE(back) << back.error().Text();
  ASSERT_EQ(back->files.size(), 2U);
  EXPECT_EQ(back->files[1].path, "year=2027/part-000003.csv");
  EXPECT_EQ(back->files[1].rows, 3);
  EXPECT_EQ(back->files[1].bytes, 30);
  EXPECT_EQ(back->files[1].digest, "bb");
}

TEST(PartRecord, HasNoFilesWhereThereIsOnlyOne) {
  EXPECT_EQ(ToLine({}).find("files"), std::string::npos);
  EXPECT_TRUE(ParsePart(ToLine({}))->files.empty());
}

TEST(PartRecord, ReasonsDoNotGrowWithTheFieldsThatRecordsName) {
  std::map<std::string, int64_t> reasons;
  for (int i = 0; i < 10'000; ++i) CountReason(reasons, fmt::format("field {}", i), "schema.unknown_field", 1);
  CountReason(reasons, "field 7", "schema.unknown_field", 2);
  CountReason(reasons, "", "schema.malformed", 5);
  EXPECT_EQ(reasons.size(), kMostReasons + 2);
  EXPECT_EQ(reasons["field 7 schema.unknown_field"], 3);
  EXPECT_EQ(reasons["schema.malformed"], 5);
  EXPECT_EQ(reasons["(other fields) schema.unknown_field"], 10'000 - static_cast<int64_t>(kMostReasons));
}

TEST(PartRecord, RefusesFilesThatLackAMember) {
  std::string line = ToLine({});
  line.insert(line.find("\"rejects\""), R"("files":[{"path":"a","rows":1,"bytes":2}],)");
  EXPECT_EQ(ParsePart(line).error().reason, "batch.damaged");
}

}  // namespace
}  // namespace slipway::batch

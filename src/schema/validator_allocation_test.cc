// The steady state of Check() allocates nothing: the global operator new counts.

#include <gtest/gtest.h>

#include "base/allocation_count_test.h"
#include "data/json_rows.h"
#include "schema/validator.h"

namespace slipway::schema {
namespace {

constexpr std::string_view kManifest = R"({"inputs": {
  "carrier": {"type": "string", "values": ["AA", "AS", "B6", "DL", "EV", "UA", "US", "WN", "9E", "F9"]},
  "tail": {"type": "string", "pattern": "N[0-9A-Z]{1,6}", "nullable": true},
  "distance": {"type": "number", "min": 10, "max": 6000},
  "flight": {"type": "integer", "min": 1},
  "dep": {"type": "timestamp", "min": "2013-01-01"}, "arr": "timestamp",
  "seats": {"type": "integer", "default": 100},
  "weather": {"type": "number[3]", "min": -100}},
  "rules": ["arr > dep"]})";

constexpr std::string_view kRow =
    R"({"carrier": "WN", "tail": "N725MQ", "distance": 1400, "flight": 15, "dep": "2013-07-04T08:15:00Z",)"
    R"( "arr": "2013-07-04T11:15:00Z", "seats": null, "weather": [1, 2.5, -3]})";

TEST(ValidatorAllocations, AreNoneForGoodRowsInSteadyState) {
  const auto validator = Validator::Create(*ParseSchema(*base::ParseJson(kManifest)));
  ASSERT_TRUE(validator.has_value()) << validator.error().Text();
  data::Decoded rows(validator->layout());
  data::JsonRowDecoder decoder(validator->layout());
  Report report;
  ValidatorWorkspace workspace;
  int64_t steady = 0;
  for (int round = 0; round < 20; ++round) {
    rows.Clear();
    decoder.DecodeLine(kRow, rows);
    const int64_t before = base::AllocationsOfThisThread();
    validator->Check(rows, report, workspace);
    steady = base::AllocationsOfThisThread() - before;
  }
  EXPECT_EQ(report.rejected_rows, 0);
  EXPECT_EQ(steady, 0);
}

}  // namespace
}  // namespace slipway::schema

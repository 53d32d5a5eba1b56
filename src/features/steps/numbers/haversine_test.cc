#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

TestTable Places() {
  TestTable table;  // New York (JFK) to Los Angeles (LAX); a point to itself; the poles; missing
  table.Numbers("a", {40.6413, 1, 90, kNull})
      .Numbers("b", {-73.7781, 2, 0, 0})
      .Numbers("c", {33.9416, 1, -90, 0})
      .Numbers("d", {-118.4085, 2, 0, 0});
  return table;
}

TEST(HaversineTest, IsTheDistanceOnTheGlobe) {
  EXPECT_EQ(FitTransform(Places(), R"({"as": "f", "haversine": ["a", "b", "c", "d"]})"),
            "3974.3416895777727 | 0 | 20015.114442035923 | nan");
}

TEST(HaversineTest, TakesFourInputs) {
  EXPECT_THAT(FitTransform(Places(), R"({"as": "f", "haversine": ["a", "b"]})"), ::testing::HasSubstr("takes 4"));
}

}  // namespace
}  // namespace slipway::features

#include "fitting/wide_distribution.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace slipway::fitting {
namespace {

base::Value Described(WideDistribution& distribution) {
  auto value = base::Value::Map();
  distribution.Describe(value);
  return value;
}

TEST(WideDistribution, SumsUpRowsAndGroupsOfNeighbours) {
  WideDistribution distribution(130, SketchSize{});  // groups of 3, the last of 1
  std::vector<double> row(130, 0.0);
  row[0] = 1;
  row[129] = 4;
  distribution.AddRow(row);
  row[1] = 1;
  distribution.AddRow(row);
  const auto value = Described(distribution);
  EXPECT_EQ(base::ToJson(*value.Find("nonzero")->Find("counts")), "[1,1]");
  EXPECT_EQ(value.Find("sum")->Find("max")->number(), 6);
  const auto& groups = *value.Find("groups");
  EXPECT_EQ(groups.Find("elements")->integer(), 3);
  ASSERT_EQ(groups.Find("mean")->list().size(), 44u);
  EXPECT_EQ(groups.Find("mean")->list()[0].number(), 0.5);
  EXPECT_EQ(groups.Find("std")->list()[0].number(), 0.5);
  EXPECT_EQ(groups.Find("nonzero")->list()[0].integer(), 3);
  EXPECT_EQ(groups.Find("mean")->list()[1].number(), 0);
  EXPECT_EQ(groups.Find("mean")->list()[43].number(), 4);
  EXPECT_EQ(value.Find("length"), nullptr);
}

TEST(WideDistribution, CountsElementsThatAreNotFiniteApart) {
  WideDistribution distribution(65, SketchSize{});
  std::vector<double> row(65, std::numeric_limits<double>::quiet_NaN());
  row[64] = std::numeric_limits<double>::infinity();
  distribution.AddRow(row);
  const auto value = Described(distribution);
  EXPECT_EQ(value.Find("nan")->integer(), 64);
  EXPECT_EQ(value.Find("infinite")->integer(), 1);
  EXPECT_EQ(value.Find("nonzero")->Find("max")->number(), 0);
  EXPECT_TRUE(value.Find("groups")->Find("mean")->list()[0].is_null());
}

TEST(WideDistribution, DescribesTheLengthOfRowsThatVary) {
  WideDistribution distribution(-1, SketchSize{});
  distribution.AddRow({});
  distribution.AddRow(std::vector<double>{0, 2, 3});
  const auto value = Described(distribution);
  EXPECT_EQ(value.Find("length")->Find("max")->number(), 3);
  EXPECT_EQ(value.Find("nonzero")->Find("max")->number(), 2);
  EXPECT_EQ(value.Find("groups"), nullptr);
}

}  // namespace
}  // namespace slipway::fitting

#include "fitting/number_distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace slipway::fitting {
namespace {

base::Value Described(NumberDistribution& distribution) {
  auto value = base::Value::Map();
  distribution.Describe(value);
  return value;
}

std::string DescriptionOf(std::initializer_list<double> values) {
  NumberDistribution distribution(SketchSize{});
  for (const double value : values) distribution.Add(value);
  return base::ToJson(Described(distribution));
}

int64_t Sum(const base::Value& counts) {
  int64_t sum = 0;
  for (const auto& count : counts.list()) sum += count.integer();
  return sum;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(NumberDistribution, GivesFewValuesABinEach) {
  EXPECT_EQ(DescriptionOf({3, 1, 1, 1}),
            R"({"min":1.0,"max":3.0,"mean":1.5,"std":0.8660254037844386,"edges":[1.0],"counts":[3,1]})");
  EXPECT_EQ(DescriptionOf({7}), R"({"min":7.0,"max":7.0,"mean":7.0,"std":0.0,"edges":[],"counts":[1]})");
  EXPECT_EQ(DescriptionOf({0.0, -0.0}), R"({"min":0.0,"max":0.0,"mean":0.0,"std":0.0,"edges":[],"counts":[2]})");
}

TEST(NumberDistribution, CountsWhatIsNotFiniteApart) {
  EXPECT_EQ(DescriptionOf({}), "{}");
  EXPECT_EQ(DescriptionOf({kNan, kNan, -kInfinity}), R"({"nan":2,"infinite":1})");
  EXPECT_EQ(DescriptionOf({kNan, 2}), R"({"nan":1,"min":2.0,"max":2.0,"mean":2.0,"std":0.0,"edges":[],"counts":[1]})");
}

TEST(NumberDistribution, LeavesMomentsOutThatADoubleCannotHold) {
  const double huge = std::numeric_limits<double>::max();
  EXPECT_EQ(DescriptionOf({huge, -huge}).find("std"), std::string::npos);
}

TEST(NumberDistribution, GivesManyValuesBinsOfEqualFrequency) {
  NumberDistribution distribution(SketchSize{});
  for (int i = 0; i < 10'000; ++i) distribution.Add(i * 7919 % 10'000);
  const auto value = Described(distribution);
  ASSERT_EQ(value.Find("counts")->list().size(), 20u);
  EXPECT_EQ(value.Find("edges")->list().size(), 19u);
  for (const auto& count : value.Find("counts")->list()) EXPECT_EQ(count.integer(), 500);
  EXPECT_EQ(value.Find("mean")->number(), 4999.5);
  EXPECT_EQ(value.Find("error"), nullptr);
}

TEST(NumberDistribution, GivesASmallTableOfManyValuesFewBins) {
  NumberDistribution distribution(SketchSize{});
  for (int i = 0; i < 60; ++i) distribution.Add(i);
  EXPECT_EQ(Described(distribution).Find("counts")->list().size(), 20u);
}

TEST(NumberDistribution, PutsATieIntoOneBin) {
  NumberDistribution distribution(SketchSize{});
  for (int i = 0; i < 10'000; ++i) distribution.Add(i % 10 == 0 ? i : 0);
  const auto value = Described(distribution);
  EXPECT_EQ(value.Find("edges")->list()[0].number(), 0);
  EXPECT_EQ(value.Find("counts")->list()[0].integer(), 9001);
  EXPECT_EQ(Sum(*value.Find("counts")), 10'000);
}

TEST(NumberDistribution, PastItsMemoryStatesHowFarCountsMayBeOff) {
  NumberDistribution distribution({.exact = 1024, .level = 256});
  constexpr int64_t kRows = 200'000;
  for (int64_t i = 0; i < kRows; ++i) distribution.Add(static_cast<double>(i));
  const auto value = Described(distribution);
  const int64_t error = value.Find("error")->integer();
  EXPECT_GT(error, 0);
  EXPECT_LT(error, kRows / 20);
  EXPECT_EQ(Sum(*value.Find("counts")), kRows);
  int64_t up_to = 0;
  for (size_t i = 0; i < value.Find("edges")->list().size(); ++i) {
    up_to += value.Find("counts")->list()[i].integer();
    const double exact = std::floor(value.Find("edges")->list()[i].number()) + 1;
    EXPECT_NEAR(static_cast<double>(up_to), exact, static_cast<double>(error));
  }
  EXPECT_EQ(value.Find("mean")->number(), (kRows - 1) / 2.0);
}

TEST(NumberDistribution, KeepsTheFewValuesItHadCountedWhenMoreCome) {
  NumberDistribution distribution(SketchSize{});
  distribution.Add(-1, 1'000'000);
  for (int i = 0; i < 64; ++i) distribution.Add(i);
  const auto value = Described(distribution);
  EXPECT_EQ(value.Find("min")->number(), -1);
  EXPECT_EQ(Sum(*value.Find("counts")), 1'000'064);
  EXPECT_NEAR(static_cast<double>(value.Find("counts")->list()[0].integer()), 1e6, 64);
}

TEST(SketchSize, SharesTheMemoryAmongMany) {
  EXPECT_EQ(SketchSize::For(1).exact, 1 << 16);
  EXPECT_EQ(SketchSize::For(256).exact, 1 << 16);
  EXPECT_EQ(SketchSize::For(20'000).exact, 1 << 10);
  EXPECT_EQ(SketchSize::For(20'000).level, 1 << 8);
}

}  // namespace
}  // namespace slipway::fitting

#include "scoring/near_predictions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace slipway::scoring {
namespace {

/// The field and share of the worst difference when near, else "far".
std::string Compare(const std::string& expected, const std::string& got, const std::vector<std::string>& nudged = {},
                    double tolerance = 1e-5) {
  const std::vector<bundle::GoldenRecord> records = {{"{}", expected, {}}};
  NearPredictions near(records, tolerance);
  if (!near.Near(0, got, nudged)) return "far";
  return near.worst().record < 0 ? "same" : near.worst().field;
}

TEST(NearPredictions, ComparesNumbersByShare) {
  EXPECT_EQ(Compare(R"({"p":1000.0})", R"({"p":1000.009})"), "p");
  EXPECT_EQ(Compare(R"({"p":1000.0})", R"({"p":1000.011})"), "far");
  EXPECT_EQ(Compare(R"({"p":-0.5})", R"({"p":-0.5})"), "same");
  EXPECT_EQ(Compare(R"({"p":0.0})", R"({"p":0.0})"), "same");
  EXPECT_EQ(Compare(R"({"p":0.0})", R"({"p":1e-30})"), "far");
}

TEST(NearPredictions, HoldsNumbersNearZeroToTheFieldsUsualSize) {
  const std::vector<bundle::GoldenRecord> records = {{"{}", R"({"p":1e-9,"q":2.0})", {}},
                                                     {"{}", R"({"p":2.0,"q":2.0})", {}}};
  NearPredictions near(records, 1e-5);
  EXPECT_TRUE(near.Near(0, R"({"p":9e-6,"q":2.0})"));
  EXPECT_NEAR(near.worst().share, 9e-6, 1e-8);
  EXPECT_FALSE(near.Near(0, R"({"p":1.1e-5,"q":2.0})"));
}

TEST(NearPredictions, NamesThePlaceOfTheWorstNumber) {
  EXPECT_EQ(Compare(R"({"a":1.0,"c":{"x":[1.0,1.0]}})", R"({"a":1.000001,"c":{"x":[1.0,1.000002]}})"), "c.x[1]");
}

TEST(NearPredictions, WantsEverythingElseEqual) {
  EXPECT_EQ(Compare(R"({"n":100000000})", R"({"n":100000001})"), "far");
  EXPECT_EQ(Compare(R"({"n":1})", R"({"n":1.0})"), "far");
  EXPECT_EQ(Compare(R"({"t":"a"})", R"({"t":"b"})"), "far");
  EXPECT_EQ(Compare(R"({"b":true})", R"({"b":false})"), "far");
  EXPECT_EQ(Compare(R"({"p":null})", R"({"p":1.0})"), "far");
  EXPECT_EQ(Compare(R"({"p":1.0})", R"({"p":null})"), "far");
  EXPECT_EQ(Compare(R"({"p":1.0})", R"({"q":1.0})"), "far");
  EXPECT_EQ(Compare(R"({"p":1.0})", R"({"p":1.0,"q":1.0})"), "far");
  EXPECT_EQ(Compare(R"({"v":[1.0]})", R"({"v":[1.0,2.0]})"), "far");
  EXPECT_EQ(Compare(R"({"v":[]})", R"({"v":[1.0]})"), "far");
  EXPECT_EQ(Compare(R"({"v":{}})", R"({"v":{"a":1.0}})"), "far");
  EXPECT_EQ(Compare(R"({"v":{"a":1.0}})", R"({"v":{"b":1.0}})"), "far");
  EXPECT_EQ(Compare(R"({"v":[],"w":{}})", R"({"v":[],"w":{}})"), "same");
}

TEST(NearPredictions, TakesAValueThatANudgedPredictionExplains) {
  const std::string got = R"({"p":0.5,"late":true})";
  EXPECT_EQ(
      Compare(R"({"p":0.5,"late":false})", got, {R"({"p":0.50001,"late":true})", R"({"p":0.49999,"late":false})"}),
      "same");
  EXPECT_EQ(Compare(R"({"p":0.5,"late":false})", got, {R"({"p":0.50001,"late":true})", R"({"p":0.49999,"late":true})"}),
            "far");
}

}  // namespace
}  // namespace slipway::scoring

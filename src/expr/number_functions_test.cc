// Expected numbers are Python's and NumPy's.

#include <limits>

#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

std::string At(std::string_view text, double x) {
  return Value(text, {Number("x", x)});
}

TEST(Abs, OfNumbers) {
  EXPECT_EQ(At("abs(x)", -1.5), "1.5");
}
TEST(Abs, OfTheLeastIntegerIsNull) {
  EXPECT_EQ(Value("abs(x)", {Integer("x", kLeast)}), "null");
}
TEST(Abs, OfAnIntegerIsAnInteger) {
  EXPECT_EQ(Value("abs(x)", {Integer("x", -3)}), "3");
}
TEST(MinMax, TakeManyArguments) {
  EXPECT_EQ(At("min(3, x, 4) + max(3, x, 4)", 2), "6.0");
}
TEST(MinMax, NanWins) {
  EXPECT_EQ(At("max(1, x, 2)", kNan), "nan");
}
TEST(MinMax, NullMakesNull) {
  EXPECT_EQ(Value("min(x, 1)", {Null("x", data::ScalarType::kInteger)}), "null");
}
TEST(MinMax, OfIntegersAreExact) {
  EXPECT_EQ(Value("max(x, 9007199254740992)", {Integer("x", 9007199254740993)}), "9007199254740993");
}
TEST(Clip, KeepsWhatIsInside) {
  EXPECT_EQ(At("clip(x, 0, 1)", 0.25), "0.25");
}
TEST(Clip, LiftsToTheLowerBound) {
  EXPECT_EQ(At("clip(x, 0, 1)", -3), "0.0");
}
TEST(Clip, CutsAtTheUpperBound) {
  EXPECT_EQ(At("clip(x, 0, 1)", kInfinity), "1.0");
}
TEST(Clip, KeepsNan) {
  EXPECT_EQ(At("clip(x, 0, 1)", kNan), "nan");
}
TEST(Clip, UpperBoundWinsOverTheLower) {
  EXPECT_EQ(At("clip(x, 2, 1)", 5), "1.0");
}
TEST(Clip, OfIntegersIsAnInteger) {
  EXPECT_EQ(Value("clip(x, 0, 5)", {Integer("x", 9)}), "5");
}
TEST(Rounding, FloorsDown) {
  EXPECT_EQ(At("floor(x)", -1.5), "-2.0");
}
TEST(Rounding, CeilsUp) {
  EXPECT_EQ(At("ceil(x)", 1.2), "2.0");
}
TEST(Rounding, HalvesGoToEven) {
  EXPECT_EQ(At("round(x)", 2.5), "2.0");
}
TEST(Rounding, OddHalvesGoUp) {
  EXPECT_EQ(At("round(x)", 3.5), "4.0");
}
TEST(Rounding, KeepsTheSignOfZero) {
  EXPECT_EQ(At("1 / round(x)", -0.4), "-inf");
}
TEST(Rounding, TakesDigitsAsNumpyDoes) {
  EXPECT_EQ(At("round(x, 2)", 2.675), "2.68");
}
TEST(Rounding, SeesTheBinaryValue) {
  EXPECT_EQ(At("round(x, 2)", 5.015), "5.01");
}
TEST(Rounding, TakesNegativeDigits) {
  EXPECT_EQ(At("round(x, -2)", -1234.5), "-1200.0");
}
TEST(Rounding, NegativeDigitsGoToEven) {
  EXPECT_EQ(At("round(x, -2)", 150), "200.0");
}
TEST(Rounding, KeepsNumbersTooLargeToScale) {
  EXPECT_EQ(At("round(x, 5)", 1e308), "1e+308");
}
TEST(Rounding, KeepsNan) {
  EXPECT_EQ(At("round(x, 2)", kNan), "nan");
}
TEST(Rounding, LeavesIntegersAlone) {
  EXPECT_EQ(Value("round(x)", {Integer("x", 7)}), "7");
}
TEST(Sign, OfNegativeZeroIsZero) {
  EXPECT_EQ(At("1 / sign(x)", -0.0), "inf");
}
TEST(Sign, OfNanIsNan) {
  EXPECT_EQ(At("sign(x)", kNan), "nan");
}
TEST(Roots, OfNegativesAreNan) {
  EXPECT_EQ(At("sqrt(x)", -1), "nan");
}
TEST(Roots, CubesHaveRealOnes) {
  EXPECT_EQ(At("cbrt(x)", -8), "-2.0");
}
TEST(Logarithms, OfTwo) {
  EXPECT_EQ(At("log(x)", 2), "0.6931471805599453");
}
TEST(Logarithms, OfZeroAreMinusInfinity) {
  EXPECT_EQ(At("log(x)", 0), "-inf");
}
TEST(Logarithms, OfNegativesAreNan) {
  EXPECT_EQ(At("log(x)", -1), "nan");
}
TEST(Logarithms, OfOnePlusMinusOne) {
  EXPECT_EQ(At("log1p(x)", -1), "-inf");
}
TEST(Exponentials, OfOneAndAHalf) {
  EXPECT_EQ(At("exp(x)", 1.5), "4.4816890703380645");
}
TEST(Exponentials, Overflow) {
  EXPECT_EQ(At("exp(x)", 710), "inf");
}
TEST(Exponentials, MinusOneIsExactNearZero) {
  EXPECT_EQ(At("expm1(x)", 1e-20), "1e-20");
}
TEST(Powers, OfNegativesWithFractionsAreNan) {
  EXPECT_EQ(At("pow(x, 0.5)", -1), "nan");
}
TEST(Powers, OfZeroExponentAreOne) {
  EXPECT_EQ(At("x ** 0", kNan), "1.0");
}
TEST(Trigonometry, OfInfinityIsNan) {
  EXPECT_EQ(At("sin(x)", kInfinity), "nan");
}
TEST(Trigonometry, InverseOutsideIsNan) {
  EXPECT_EQ(At("asin(x)", 1.5), "nan");
}
TEST(Trigonometry, KnowsTheQuadrant) {
  EXPECT_EQ(At("atan2(x, -1)", 0), "3.141592653589793");
}
TEST(Sigmoid, OfTwoAndAHalf) {
  EXPECT_EQ(At("sigmoid(x)", 2.5), "0.9241418199787566");
}
TEST(Sigmoid, NeverOverflows) {
  EXPECT_EQ(At("sigmoid(x)", -1e308), "0.0");
}
TEST(Logit, OfOneFifth) {
  EXPECT_EQ(At("logit(x)", 0.2), "-1.3862943611198906");
}
TEST(Logit, OfOneIsInfinite) {
  EXPECT_EQ(At("logit(x)", 1), "inf");
}
TEST(Logit, OutsideIsNan) {
  EXPECT_EQ(At("logit(x)", 1.5), "nan");
}
TEST(Finiteness, OfInfinity) {
  EXPECT_EQ(At("is_finite(x)", kInfinity), "false");
}
TEST(Finiteness, OfNan) {
  EXPECT_EQ(At("is_nan(x)", kNan), "true");
}
TEST(Haversine, FromNewYorkToLosAngeles) {
  EXPECT_EQ(At("haversine(40.6413, x, 33.9416, -118.4085)", -73.7781), "3974.3416895777727");
}
TEST(Haversine, OfAntipodesIsHalfTheCircumference) {
  EXPECT_EQ(At("round(haversine(0, x, 0, 180), 3)", 0), "20015.114");
}

TEST(ToNumber, ReadsText) {
  EXPECT_EQ(Value("to_number(x)", {Text("x", "-1.5e3")}), "-1500.0");
}
TEST(ToNumber, OfOtherTextIsNull) {
  EXPECT_EQ(Value("to_number(x)", {Text("x", "12,5")}), "null");
}
TEST(ToNumber, OfEmptyTextIsNull) {
  EXPECT_EQ(Value("to_number(x)", {Text("x", "")}), "null");
}
TEST(ToNumber, OfTrueIsOne) {
  EXPECT_EQ(Value("to_number(x)", {Boolean("x", true)}), "1.0");
}
TEST(ToInteger, CutsTowardsZero) {
  EXPECT_EQ(At("to_integer(x)", -2.9), "-2");
}
TEST(ToInteger, OfNanIsNull) {
  EXPECT_EQ(At("to_integer(x)", kNan), "null");
}
TEST(ToInteger, PastSixtyFourBitsIsNull) {
  EXPECT_EQ(At("to_integer(x)", 9223372036854775808.0), "null");
}
TEST(ToInteger, TakesTheLeast) {
  EXPECT_EQ(At("to_integer(x)", -9223372036854775808.0), "-9223372036854775808");
}
TEST(ToInteger, ReadsTextExactly) {
  EXPECT_EQ(Value("to_integer(x)", {Text("x", "9223372036854775807")}), "9223372036854775807");
}
TEST(ToInteger, OfFractionalTextIsNull) {
  EXPECT_EQ(Value("to_integer(x)", {Text("x", "1.5")}), "null");
}
TEST(ToInteger, OfWholeNumberTextIsThatInteger) {
  EXPECT_EQ(Value("to_integer(x)", {Text("x", "1e3")}), "1000");
}
TEST(ToInteger, OfTrueIsOne) {
  EXPECT_EQ(Value("to_integer(x)", {Boolean("x", true)}), "1");
}

}  // namespace
}  // namespace slipway::expr

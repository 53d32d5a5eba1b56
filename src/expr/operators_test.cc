// Expected numbers are Python's.

#include <limits>

#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

using data::ScalarType;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInfinity = std::numeric_limits<double>::infinity();
const Bound kNoInteger = Null("none", ScalarType::kInteger);
const Bound kNoBoolean = Null("none", ScalarType::kBoolean);

TEST(IntegerArithmetic, Adds) {
  EXPECT_EQ(Value("x + 2", {Integer("x", 40)}), "42");
}
TEST(IntegerArithmetic, SumPastSixtyFourBitsIsNull) {
  EXPECT_EQ(Value("x + 1", {Integer("x", kMost)}), "null");
}
TEST(IntegerArithmetic, DifferencePastSixtyFourBitsIsNull) {
  EXPECT_EQ(Value("x - 1", {Integer("x", kLeast)}), "null");
}
TEST(IntegerArithmetic, ProductPastSixtyFourBitsIsNull) {
  EXPECT_EQ(Value("x * 2", {Integer("x", kMost)}), "null");
}
TEST(IntegerArithmetic, NegatedLeastIsNull) {
  EXPECT_EQ(Value("-x", {Integer("x", kLeast)}), "null");
}
TEST(IntegerArithmetic, OverflowOfConstantsIsNull) {
  EXPECT_EQ(Value("9223372036854775807 + 1"), "null");
}
TEST(IntegerArithmetic, DivisionIsANumber) {
  EXPECT_EQ(Value("x / 2", {Integer("x", 7)}), "3.5");
}
TEST(IntegerArithmetic, DivisionByZeroIsInfinite) {
  EXPECT_EQ(Value("x / 0", {Integer("x", -7)}), "-inf");
}
TEST(IntegerArithmetic, FloorDivisionRoundsDown) {
  EXPECT_EQ(Value("x // 2", {Integer("x", -7)}), "-4");
}
TEST(IntegerArithmetic, FloorDivisionByNegativeRoundsDown) {
  EXPECT_EQ(Value("x // -2", {Integer("x", 7)}), "-4");
}
TEST(IntegerArithmetic, ExactFloorDivisionIsExact) {
  EXPECT_EQ(Value("x // -2", {Integer("x", 8)}), "-4");
}
TEST(IntegerArithmetic, FloorDivisionByZeroIsNull) {
  EXPECT_EQ(Value("x // 0", {Integer("x", 7)}), "null");
}
TEST(IntegerArithmetic, FloorDivisionOfLeastByMinusOneIsNull) {
  EXPECT_EQ(Value("x // -1", {Integer("x", kLeast)}), "null");
}
TEST(IntegerArithmetic, RemainderHasTheDivisorsSign) {
  EXPECT_EQ(Value("x % 3", {Integer("x", -7)}), "2");
}
TEST(IntegerArithmetic, RemainderByNegativeIsNegative) {
  EXPECT_EQ(Value("x % -3", {Integer("x", 7)}), "-2");
}
TEST(IntegerArithmetic, RemainderByZeroIsNull) {
  EXPECT_EQ(Value("x % 0", {Integer("x", 7)}), "null");
}
TEST(IntegerArithmetic, RemainderByMinusOneIsZero) {
  EXPECT_EQ(Value("x % -1", {Integer("x", kLeast)}), "0");
}
TEST(IntegerArithmetic, NullOperandMakesNull) {
  EXPECT_EQ(Value("none + 1", {kNoInteger}), "null");
}
TEST(IntegerArithmetic, PowerIsANumber) {
  EXPECT_EQ(Value("x ** 2", {Integer("x", 3)}), "9.0");
}

TEST(NumberArithmetic, FollowsIeee) {
  EXPECT_EQ(Value("x + 0.2", {Number("x", 0.1)}), "0.30000000000000004");
}
TEST(NumberArithmetic, ProductAndSumAreNotFused) {
  EXPECT_EQ(Value("x * x - 1.0000000000000004", {Number("x", 1.0000000000000002)}), "0.0");
}
TEST(NumberArithmetic, ZeroByZeroIsNan) {
  EXPECT_EQ(Value("x / 0", {Number("x", 0)}), "nan");
}
TEST(NumberArithmetic, FloorDivisionRoundsDown) {
  EXPECT_EQ(Value("x // 2", {Number("x", -7.5)}), "-4.0");
}
TEST(NumberArithmetic, FloorDivisionSeesTheExactQuotient) {
  EXPECT_EQ(Value("x // 0.1", {Number("x", 0.3)}), "2.0");
}
TEST(NumberArithmetic, FloorDivisionByZeroIsInfinite) {
  EXPECT_EQ(Value("x // 0.0", {Number("x", 1)}), "inf");
}
TEST(NumberArithmetic, FloorDivisionOfSmallNegativeIsMinusOne) {
  EXPECT_EQ(Value("x // 1", {Number("x", -0.5)}), "-1.0");
}
TEST(NumberArithmetic, RemainderIsExact) {
  EXPECT_EQ(Value("x % 0.1", {Number("x", 1)}), "0.09999999999999995");
}
TEST(NumberArithmetic, RemainderHasTheDivisorsSign) {
  EXPECT_EQ(Value("x % 2", {Number("x", -7.5)}), "0.5");
}
TEST(NumberArithmetic, ZeroRemainderHasTheDivisorsSign) {
  EXPECT_EQ(Value("1 / (x % -2)", {Number("x", 4)}), "-inf");
}
TEST(NumberArithmetic, RemainderByZeroIsNan) {
  EXPECT_EQ(Value("x % 0", {Number("x", 4)}), "nan");
}
TEST(NumberArithmetic, NegationKeepsTheSignOfZero) {
  EXPECT_EQ(Value("1 / -x", {Number("x", 0)}), "-inf");
}
TEST(NumberArithmetic, UnaryPlusChangesNothing) {
  EXPECT_EQ(Value("+x", {Number("x", 1.5)}), "1.5");
}

TEST(Comparison, IntegersCompareExactly) {
  EXPECT_EQ(Value("x < y", {Integer("x", kMost - 1), Integer("y", kMost)}), "true");
}
TEST(Comparison, MixedOperandsCompareAsNumbers) {
  EXPECT_EQ(Value("x >= 2.5", {Integer("x", 3)}), "true");
}
TEST(Comparison, NanEqualsNothing) {
  EXPECT_EQ(Value("x == x", {Number("x", kNan)}), "false");
}
TEST(Comparison, NanDiffersFromItself) {
  EXPECT_EQ(Value("x != x", {Number("x", kNan)}), "true");
}
TEST(Comparison, ZerosAreEqual) {
  EXPECT_EQ(Value("x == 0.0", {Number("x", -0.0)}), "true");
}
TEST(Comparison, TextsCompareByCodePoints) {
  EXPECT_EQ(Value("x < 'é'", {Text("x", "z")}), "true");
}
TEST(Comparison, PrefixesAreSmaller) {
  EXPECT_EQ(Value("'ab' < x", {Text("x", "abc")}), "true");
}
TEST(Comparison, EmptyTextIsNoNull) {
  EXPECT_EQ(Value("x == ''", {Text("x", "")}), "true");
}
TEST(Comparison, BooleansAreEqualOrNot) {
  EXPECT_EQ(Value("x == true", {Boolean("x", false)}), "false");
}
TEST(Comparison, TimesCompareAcrossZones) {
  EXPECT_EQ(Value("x == timestamp('2013-07-04T10:00:00+02:00')", {Time("x", "2013-07-04T08:00:00Z", -300)}), "true");
}
TEST(Comparison, NullComparesToNull) {
  EXPECT_EQ(Value("none == none", {kNoInteger}), "null");
}

TEST(Logic, FalseAndNullIsFalse) {
  EXPECT_EQ(Value("none and false", {kNoBoolean}), "false");
}
TEST(Logic, TrueAndNullIsNull) {
  EXPECT_EQ(Value("true and none", {kNoBoolean}), "null");
}
TEST(Logic, TrueOrNullIsTrue) {
  EXPECT_EQ(Value("none or true", {kNoBoolean}), "true");
}
TEST(Logic, FalseOrNullIsNull) {
  EXPECT_EQ(Value("false or none", {kNoBoolean}), "null");
}
TEST(Logic, LiteralNullTakesPart) {
  EXPECT_EQ(Value("x or null", {Boolean("x", true)}), "true");
}
TEST(Logic, NotNullIsNull) {
  EXPECT_EQ(Value("not none", {kNoBoolean}), "null");
}
TEST(Logic, AndNeedsBoth) {
  EXPECT_EQ(Value("x and y", {Boolean("x", true), Boolean("y", false)}), "false");
}
TEST(Logic, OrNeedsOne) {
  EXPECT_EQ(Value("x or y", {Boolean("x", true), Boolean("y", false)}), "true");
}

TEST(Membership, FindsTexts) {
  EXPECT_EQ(Value("x in ['AA', 'DL']", {Text("x", "DL")}), "true");
}
TEST(Membership, MissesTexts) {
  EXPECT_EQ(Value("x in ['AA', 'DL']", {Text("x", "D")}), "false");
}
TEST(Membership, NotInIsTheOpposite) {
  EXPECT_EQ(Value("x not in ['AA', 'DL']", {Text("x", "D")}), "true");
}
TEST(Membership, PromotesIntegers) {
  EXPECT_EQ(Value("x in [1, 2.5]", {Integer("x", 1)}), "true");
}
TEST(Membership, FindsBooleans) {
  EXPECT_EQ(Value("x in [true]", {Boolean("x", true)}), "true");
}
TEST(Membership, NanIsInNoList) {
  EXPECT_EQ(Value("x in [0.0 / 0.0, 1]", {Number("x", kNan)}), "false");
}
TEST(Membership, OfNullIsNull) {
  EXPECT_EQ(Value("none in [1]", {kNoInteger}), "null");
}
TEST(Membership, TakesComputedItems) {
  EXPECT_EQ(Value("3 in [x, x + 1]", {Integer("x", 2)}), "true");
}
TEST(Membership, NullItemMakesAMissNull) {
  EXPECT_EQ(Value("3 in [none, 4]", {kNoInteger}), "null");
}
TEST(Membership, FindsInLongLists) {
  EXPECT_EQ(Value("x in ['k', 'a', 'b', 'j', 'c', 'd', 'i', 'e', 'f', 'g', 'h']", {Text("x", "g")}), "true");
}
TEST(Membership, MissesInLongLists) {
  EXPECT_EQ(Value("x in [9, 1, 2, 8, 3, 4, 5, 6, 7, 11]", {Integer("x", 10)}), "false");
}
TEST(Membership, FindsTimes) {
  EXPECT_EQ(Value("x in [timestamp('2013-07-04')]", {Time("x", "2013-07-04T00:00:00Z")}), "true");
}

TEST(Joining, AppendsTexts) {
  EXPECT_EQ(Value("x + '-' + x", {Text("x", "a")}), "'a-a'");
}
TEST(Joining, NullMakesNull) {
  EXPECT_EQ(Value("x + none", {Text("x", "a"), Null("none", ScalarType::kString)}), "null");
}

TEST(TimeDifference, IsInSeconds) {
  EXPECT_EQ(Value("x - timestamp('2013-07-04T08:00:00Z')", {Time("x", "2013-07-04T08:00:01.5Z")}), "1.5");
}

TEST(Conditional, TakesTheFirstArm) {
  EXPECT_EQ(Value("x ? 1 : 2", {Boolean("x", true)}), "1");
}
TEST(Conditional, TakesTheSecondArm) {
  EXPECT_EQ(Value("x ? 1 : 2", {Boolean("x", false)}), "2");
}
TEST(Conditional, NullConditionMakesNull) {
  EXPECT_EQ(Value("none ? 1 : 2", {kNoBoolean}), "null");
}
TEST(Conditional, NullOfTheOtherArmDoesNotMatter) {
  EXPECT_EQ(Value("x ? 1 : none", {Boolean("x", true), kNoInteger}), "1");
}
TEST(Conditional, NullOfTheTakenArmDoes) {
  EXPECT_EQ(Value("x ? 1 : none", {Boolean("x", false), kNoInteger}), "null");
}
TEST(Conditional, ArmsArePromoted) {
  EXPECT_EQ(Value("x ? 1 : 2.5", {Boolean("x", true)}), "1.0");
}
TEST(Conditional, ChoosesTexts) {
  EXPECT_EQ(Value("if(x, 'a', 'b')", {Boolean("x", false)}), "'b'");
}
TEST(Coalesce, TakesTheFirstThatIsNotNull) {
  EXPECT_EQ(Value("coalesce(none, x, 3)", {kNoInteger, Integer("x", 2)}), "2");
}
TEST(Coalesce, OfNullsIsNull) {
  EXPECT_EQ(Value("coalesce(none, none)", {kNoInteger}), "null");
}
TEST(Coalesce, KeepsNan) {
  EXPECT_EQ(Value("coalesce(x, 1)", {Number("x", kNan)}), "nan");
}
TEST(Coalesce, KeepsEmptyTexts) {
  EXPECT_EQ(Value("coalesce(x, 'a')", {Text("x", "")}), "''");
}
TEST(IsNull, SeesNull) {
  EXPECT_EQ(Value("is_null(none)", {kNoInteger}), "true");
}
TEST(IsNull, NanIsNoNull) {
  EXPECT_EQ(Value("is_null(x)", {Number("x", kNan)}), "false");
}
TEST(IsNull, InfinityIsNoNull) {
  EXPECT_EQ(Value("is_null(x)", {Number("x", kInfinity)}), "false");
}

}  // namespace
}  // namespace slipway::expr

#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

using data::ScalarType;
using testing::StartsWith;

const std::vector<Bound> kFlight{Number("distance", 1400),
                                 Integer("passengers", 180),
                                 Text("carrier", "AA"),
                                 Boolean("late", true),
                                 Time("dep_time", "2013-07-04T08:15:00Z", -300),
                                 Time("arr_time", "2013-07-04T11:15:00Z", -480),
                                 Vector("probabilities", {0.25, 0.75}, {"on time", "late"}),
                                 Vector("pixels", {1, 2, 3})};

TEST(NameFault, UnknownColumnNamesTheNearest) {
  EXPECT_EQ(Refusal("hour(dep_tme) > 5", kFlight),
            "expr.unknown_name: unknown name \"dep_tme\" (did you mean \"dep_time\"?)\n"
            "  hour(dep_tme) > 5\n       ^~~~~~~");
}
TEST(NameFault, CapitalTrueIsExplained) {
  EXPECT_THAT(Refusal("True"), StartsWith("expr.unknown_name: unknown name \"True\" (did you mean \"true\"?)"));
}
TEST(NameFault, UnknownFunctionNamesTheNearest) {
  EXPECT_EQ(Refusal("huor(dep_time)", kFlight),
            "expr.unknown_name: unknown function \"huor\" (did you mean \"hour\"?)\n  huor(dep_time)\n  ^~~~");
}
TEST(NameFault, FunctionWithoutItsArguments) {
  EXPECT_EQ(Refusal("1 + hour"),
            "expr.unknown_name: \"hour\" is a function, not a column; call it: hour(…)\n  1 + hour\n      ^~~~");
}
TEST(NameFault, CalledColumn) {
  EXPECT_THAT(Refusal("distance(2)", kFlight),
              StartsWith("expr.unknown_name: unknown function \"distance\"; it is a column, which takes no arguments"));
}
TEST(NameFault, UnknownLabelNamesTheNearest) {
  EXPECT_EQ(Refusal("probabilities['lat']", kFlight),
            "expr.unknown_name: \"probabilities\" has no element \"lat\" (did you mean \"late\"?)\n"
            "  probabilities['lat']\n                ^~~~~");
}

TEST(TypeFault, ArgumentOfAnotherType) {
  EXPECT_EQ(Refusal("hour(carrier) > 5", kFlight),
            "expr.type: hour takes (timestamp), not (string)\n  hour(carrier) > 5\n       ^~~~~~~");
}
TEST(TypeFault, OperandsOfDifferentTypes) {
  EXPECT_EQ(Refusal("carrier + 1", kFlight),
            "expr.type: \"+\" takes (integer, integer), (number, number) or (string, string), not (string, integer); "
            "to_string makes text of a value, to_number a number of text\n  carrier + 1\n          ^");
}
TEST(TypeFault, NumberPlusTimestamp) {
  EXPECT_THAT(Refusal("dep_time + 3600", kFlight), testing::HasSubstr("; add_seconds, add_minutes"));
}
TEST(TypeFault, TimestampAgainstText) {
  EXPECT_THAT(Refusal("dep_time > '2013-01-01'", kFlight),
              testing::HasSubstr("; write timestamp(\"2013-07-04T08:15:00Z\")"));
}
TEST(TypeFault, BooleanArithmetic) {
  EXPECT_THAT(Refusal("late + late", kFlight), testing::HasSubstr("; to_integer makes 0 or 1 of a boolean"));
}
TEST(TypeFault, NumberAsCondition) {
  EXPECT_THAT(
      Refusal("distance and late", kFlight),
      StartsWith("expr.type: \"and\" takes (boolean, boolean), not (number, boolean); compare first, e.g. x != 0"));
}
TEST(TypeFault, TextAgainstNumber) {
  EXPECT_THAT(Refusal("carrier < 3", kFlight), testing::HasSubstr("; to_number reads a number from text"));
}
TEST(TypeFault, ArmsOfDifferentTypes) {
  EXPECT_THAT(Refusal("late ? 1 : 'a'", kFlight), testing::HasSubstr("; all choices must have one type"));
}
TEST(TypeFault, ConditionThatIsANumber) {
  EXPECT_THAT(Refusal("if(1, 2, 3)"), testing::HasSubstr("; the condition must be boolean"));
}
TEST(TypeFault, BooleansHaveNoOrder) {
  EXPECT_THAT(Refusal("late < late", kFlight), StartsWith("expr.type: \"<\" takes"));
}
TEST(TypeFault, NegatedText) {
  EXPECT_THAT(Refusal("-carrier", kFlight), StartsWith("expr.type: \"-\" takes (integer) or (number), not (string)"));
}
TEST(TypeFault, TooFewArguments) {
  EXPECT_EQ(Refusal("1 + atan2(1)"), "expr.type: atan2 takes 2 arguments, not 1\n  1 + atan2(1)\n      ^~~~~");
}
TEST(TypeFault, OneOfSeveralCounts) {
  EXPECT_THAT(Refusal("substring('a')"), StartsWith("expr.type: substring takes 2 or 3 arguments, not 1"));
}
TEST(TypeFault, NoArguments) {
  EXPECT_THAT(Refusal("max()"), StartsWith("expr.type: max takes at least 1 argument, not 0"));
}
TEST(TypeFault, PatternThatIsNoConstant) {
  EXPECT_EQ(
      Refusal("matches(carrier, carrier)", kFlight),
      "expr.type: argument 2 of matches must be a constant\n  matches(carrier, carrier)\n                   ^~~~~~~");
}
TEST(TypeFault, MalformedPattern) {
  EXPECT_EQ(
      Refusal("matches(carrier, '(a')", kFlight),
      "expr.type: not a regular expression of RE2: missing ): (a\n  matches(carrier, '(a')\n                   ^~~~");
}
TEST(TypeFault, MalformedTimestamp) {
  EXPECT_EQ(
      Refusal("timestamp('2013-02-29')"),
      "expr.type: \"2013-02-29\" is no timestamp; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS with Z or an offset like "
      "+02:00\n  timestamp('2013-02-29')\n            ^~~~~~~~~~~~");
}
TEST(TypeFault, UnknownUnit) {
  EXPECT_EQ(
      Refusal("date_trunc('mont', dep_time)", kFlight),
      "expr.type: unknown unit \"mont\" (did you mean \"month\"?); known are year, quarter, month, week, day, hour, "
      "minute, second\n  date_trunc('mont', dep_time)\n             ^~~~~~");
}
TEST(TypeFault, TooManyDigits) {
  EXPECT_THAT(Refusal("round(1.5, 16)"), StartsWith("expr.type: round takes -15 to 15 digits, not 16"));
}
TEST(TypeFault, ZoneOutOfRange) {
  EXPECT_THAT(Refusal("in_zone(dep_time, 2000)", kFlight),
              StartsWith("expr.type: a zone lies within 1080 minutes of UTC, not 2000"));
}
TEST(TypeFault, MixedZones) {
  EXPECT_EQ(
      Refusal("max(dep_time, arr_time)", kFlight),
      "expr.type: max mixes timestamps of zones -300 and -480 minutes from UTC; bring them to one with in_zone(t, "
      "minutes)\n  max(dep_time, arr_time)\n                ^~~~~~~~");
}
TEST(TypeFault, ListItemOfAnotherType) {
  EXPECT_EQ(
      Refusal("carrier in ['AA', 1]", kFlight),
      "expr.type: the list holds integer where string is looked for\n  carrier in ['AA', 1]\n                    ^");
}
TEST(TypeFault, NullInAList) {
  EXPECT_EQ(Refusal("1 in [1, null]"),
            "expr.type: null equals nothing; write is_null(x) or x in […]\n  1 in [1, null]\n           ^~~~");
}
TEST(TypeFault, OnlyNull) {
  EXPECT_EQ(Refusal("null"), "expr.type: the expression is always null, so it has no type\n  null\n  ^~~~");
}
TEST(TypeFault, NullWithoutAnythingToTakeItsTypeFrom) {
  EXPECT_EQ(Refusal("abs(null)"),
            "expr.type: null has no type of its own, so abs cannot tell what is meant\n  abs(null)\n  ^~~");
}
TEST(TypeFault, VectorAsAValue) {
  EXPECT_EQ(Refusal("probabilities > 0.5", kFlight),
            "expr.type: \"probabilities\" is a number[2], not a single value; pick an element, e.g. probabilities[\"on "
            "time\"]\n  probabilities > 0.5\n  ^~~~~~~~~~~~~");
}
TEST(TypeFault, ElementOfAScalar) {
  EXPECT_EQ(Refusal("carrier[0]", kFlight),
            "expr.type: \"carrier\" is a string, which has no elements; use substring(text, start, count)\n"
            "  carrier[0]\n  ^~~~~~~");
}
TEST(TypeFault, IndexPastTheEnd) {
  EXPECT_EQ(Refusal("pixels[3]", kFlight),
            "expr.type: index 3 is outside \"pixels\", whose elements count from 0 to 2\n  pixels[3]\n         ^");
}
TEST(TypeFault, NegativeIndex) {
  EXPECT_THAT(Refusal("pixels[-1]", kFlight), StartsWith("expr.type: index -1 is outside"));
}
TEST(TypeFault, TooManyIndices) {
  EXPECT_THAT(Refusal("pixels[0][1]", kFlight), StartsWith("expr.type: \"pixels\" is a number[3]; it takes 1 ind"));
}
TEST(TypeFault, FractionalIndex) {
  EXPECT_THAT(Refusal("pixels[0.5]", kFlight), StartsWith("expr.type: an index is an integer, not number"));
}
TEST(TypeFault, LabelOfAVectorWithoutLabels) {
  EXPECT_THAT(Refusal("pixels['a']", kFlight),
              StartsWith("expr.type: the elements of \"pixels\" have no labels; use an index from 0"));
}

/// A 2 by 3 matrix of 0 to 5.
Bound Grid() {
  const data::DataType type{ScalarType::kNumber, {2, 3}};
  Bound grid{{.name = "grid", .type = type}, data::Column(type)};
  for (int i = 0; i < 6; ++i) grid.column.PushNumber(i);
  grid.column.CloseRow();
  return grid;
}
TEST(TypeFault, ComputedIndexOfATensor) {
  EXPECT_EQ(Refusal("grid[n, 0]", {Grid(), Integer("n", 1)}),
            "expr.type: the indices of a tensor must be constants\n  grid[n, 0]\n       ^");
}
TEST(TypeFault, SecondIndexPastTheEnd) {
  EXPECT_EQ(Refusal("grid[1][3]", {Grid()}),
            "expr.type: index 3 is outside \"grid\", whose elements count from 0 to 2\n  grid[1][3]\n          ^");
}
TEST(TypeFault, TooFewIndices) {
  EXPECT_EQ(Refusal("grid[1]", {Grid()}),
            "expr.type: \"grid\" is a number[2,3]; it takes 2 indices\n  grid[1]\n  ^~~~~~~");
}
TEST(TypeFault, TensorThatVaries) {
  const data::DataType type{ScalarType::kNumber, {-1, 3}};
  EXPECT_THAT(Refusal("grid[0, 0]", {{{.name = "grid", .type = type}, data::Column(type)}}),
              StartsWith("expr.type: \"grid\" is a number[?,3]; only a vector may vary in length"));
}
TEST(Checker, ElementsOfTensorsAreRowMajor) {
  EXPECT_EQ(Value("grid[1, 0] * 10 + grid[1][2]", {Grid()}), "35.0");
}

TEST(Checker, IntegersArePromotedWhereTheyMeetNumbers) {
  EXPECT_EQ(Value("passengers + distance", kFlight), "1580.0");
}
TEST(Checker, IntegersStayIntegers) {
  EXPECT_EQ(Value("passengers + 1", kFlight), "181");
}
TEST(Checker, NullTakesTheTypeOfTheOtherArm) {
  EXPECT_EQ(Value("if(late, carrier, null)", kFlight), "'AA'");
}
TEST(Checker, NullOperandMakesNull) {
  EXPECT_EQ(Value("passengers + null", kFlight), "null");
}
TEST(Checker, ElementsAreTakenByIndex) {
  EXPECT_EQ(Value("pixels[0] + pixels[2]", kFlight), "4.0");
}
TEST(Checker, ElementsAreTakenByLabel) {
  EXPECT_EQ(Value("probabilities['late']", kFlight), "0.75");
}
TEST(Checker, ElementsAreTakenByComputedIndex) {
  EXPECT_EQ(Value("pixels[passengers - 178]", kFlight), "3.0");
}
TEST(Checker, ComputedIndexOutsideIsNull) {
  EXPECT_EQ(Value("pixels[passengers]", kFlight), "null");
}
TEST(Checker, DatePartsAreThoseOfTheColumnsZone) {
  EXPECT_EQ(Value("hour(dep_time)", kFlight), "3");
}
TEST(Checker, ZoneSurvivesTruncation) {
  EXPECT_EQ(Value("hour(date_trunc('day', dep_time))", kFlight), "0");
}
TEST(Checker, ConstantTimesTakeTheZoneOfTheirSurroundings) {
  EXPECT_EQ(Value("hour(max(dep_time, timestamp('2013-07-05T05:00:00Z')))", kFlight), "0");
}
TEST(Checker, ZonesMayMixInDifferences) {
  EXPECT_EQ(Value("arr_time - dep_time", kFlight), "10800.0");
}

TEST(Program, TellsItsType) {
  const auto program = Program::Compile("1 / 2", {});
  EXPECT_EQ(program->type(), ScalarType::kNumber);
}
TEST(Program, ListsTheSymbolsItUsesOnceAndAscending) {
  const std::vector<Symbol> symbols{{"a", {}}, {"b", {}}, {"c", {}}};
  const auto program = Program::Compile("c + a * c", symbols);
  EXPECT_EQ(program->inputs(), (std::vector<int>{0, 2}));
}
TEST(Program, KeepsItsText) {
  EXPECT_EQ(Program::Compile("1 + 1", {})->text(), "1 + 1");
}

}  // namespace
}  // namespace slipway::expr

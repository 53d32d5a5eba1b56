#include "schema/validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "data/json_rows.h"

namespace slipway::schema {
namespace {

using data::ViolationCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

base::Result<Validator> MakeValidator(std::string_view manifest, const base::Value& fitted = {}) {
  auto schema = ParseSchema(*base::ParseJson(manifest));
  if (!schema) return std::unexpected(schema.error());
  return Validator::Create(std::move(*schema), fitted);
}

/// One column "x" of the given body, and the rows of a JSON list checked against it.
class Checked {
 public:
  Checked(const std::string& inputs, std::string_view rows, const std::string& more = "", CheckOptions options = {})
      : validator_(*MakeValidator("{\"inputs\": {" + inputs + "}" + more + "}")), rows_(validator_.layout()) {
    data::JsonRowDecoder decoder(validator_.layout());
    const auto form = decoder.DecodeDocument(rows, rows_);
    EXPECT_TRUE(form.has_value()) << form.error().Text();
    validator_.Check(rows_, report_, workspace_, options);
  }

  const Report& report() const { return report_; }
  const data::Column& column(size_t index = 0) const { return rows_.table.columns[index]; }
  std::vector<ViolationCode> codes() const {
    std::vector<ViolationCode> codes;
    for (const auto& violation : report_.violations) codes.push_back(violation.code);
    return codes;
  }
  const data::Violation& only() const {
    static const data::Violation none;
    EXPECT_EQ(report_.violations.size(), 1u);
    return report_.violations.empty() ? none : report_.violations[0];
  }
  const data::Violation& warning() const {
    static const data::Violation none;
    EXPECT_EQ(report_.warnings.size(), 1u);
    EXPECT_THAT(report_.violations, IsEmpty());
    return report_.warnings.empty() ? none : report_.warnings[0];
  }
  double number(int64_t row = 0) const { return column().view().numbers()[row]; }

 private:
  Validator validator_;
  data::Decoded rows_;
  Report report_;
  ValidatorWorkspace workspace_;
};

TEST(Validator, TakesRowsThatKeepEveryRule) {
  const Checked checked(R"("carrier": {"type": "string", "values": ["AA", "B6"]},
                           "distance": {"type": "number", "min": 10, "max": 6000})",
                        R"([{"carrier": "AA", "distance": 1400}, {"carrier": "B6", "distance": 10}])");
  EXPECT_THAT(checked.report().violations, IsEmpty());
  EXPECT_THAT(checked.report().rejected, ElementsAre(0, 0));
}

TEST(Validator, ShowsValueRuleAndWayOutOfARange) {
  const Checked checked(R"("distance": {"type": "number", "unit": "mi", "min": 10, "max": 6000})",
                        R"([{"distance": -5}])");
  const auto& violation = checked.only();
  EXPECT_EQ(violation.code, ViolationCode::kOutOfRange);
  EXPECT_EQ(violation.path, "distance");
  EXPECT_EQ(violation.value, base::Value(-5.0));
  EXPECT_EQ(violation.rule, "min 10");
  EXPECT_EQ(violation.message, "distance is -5, below the minimum 10 mi; send a value from 10 to 6000");
}

TEST(Validator, NamesTheNearestAllowedValue) {
  const Checked checked(R"("c": {"type": "string", "values": ["winter", "spring", "summer"]})", R"([{"c": "sumer"}])");
  EXPECT_EQ(checked.only().rule, "one of winter, spring, summer");
  EXPECT_THAT(checked.only().message, HasSubstr("(did you mean \"summer\"?)"));
}

TEST(Validator, ShortensLongSets) {
  const Checked checked(R"("c": {"type": "integer", "values": [1,2,3,4,5,6,7,8,9,10,11,12]})", R"([{"c": 0}])");
  EXPECT_EQ(checked.only().rule, "one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … (12 values)");
}

TEST(Validator, TellsAbsentFromNull) {
  const Checked checked(R"("x": "number")", R"([{}, {"x": null}])");
  EXPECT_THAT(checked.codes(), ElementsAre(ViolationCode::kMissing, ViolationCode::kNull));
  EXPECT_EQ(checked.report().violations[0].message, "x is missing; send a number");
  EXPECT_EQ(checked.report().violations[1].message, "x is null; send a number");
}

TEST(Validator, LetsNullsPassWhereDeclared) {
  const Checked checked(R"("x": {"type": "number", "nullable": true})", R"([{}, {"x": null}])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
  EXPECT_FALSE(checked.column().IsValid(0));
}

TEST(Validator, OptionalMayStillRejectNulls) {
  const Checked checked(R"("x": {"type": "number", "optional": true, "missing": "reject"})", R"([{}, {"x": null}])");
  EXPECT_EQ(checked.only().row, 1);
}

TEST(Validator, NullableMayHaveToBePresent) {
  const Checked checked(R"("x": {"type": "number", "nullable": true, "optional": false})", R"([{}, {"x": null}])");
  EXPECT_EQ(checked.only().row, 0);
  EXPECT_EQ(checked.only().message, "x is missing; send a number, or null");
}

TEST(Validator, ReportsEveryViolationInOrder) {
  const Checked checked(
      R"("a": {"type": "number", "min": 1}, "b": "integer", "c": {"type": "string", "pattern": "[a-z]+",
                           "max_length": 2})",
      R"([{"a": 1, "b": 1, "c": "a"}, {"a": 0, "b": "x", "c": "ABC", "d": 1}])");
  EXPECT_THAT(checked.codes(), ElementsAre(ViolationCode::kUnknownField, ViolationCode::kOutOfRange,
                                           ViolationCode::kWrongType, ViolationCode::kPattern, ViolationCode::kLength));
  EXPECT_THAT(checked.report().rejected, ElementsAre(0, 1));
  EXPECT_EQ(checked.report().rejected_rows, 1);
}

TEST(Validator, ComparesIntegersExactly) {
  const Checked checked(R"("x": {"type": "integer", "max": 9007199254740992})",
                        R"([{"x": 9007199254740992}, {"x": 9007199254740993}])");
  EXPECT_EQ(checked.only().row, 1);
  EXPECT_EQ(checked.only().value, base::Value(int64_t{9007199254740993}));
}

TEST(Validator, TakesNegativeZeroAsZero) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "values": [0, 1]})", R"([{"x": -0.0}])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
}

TEST(Validator, ChecksTimestampsAndWritesThemAsTimes) {
  const Checked checked(R"("t": {"type": "timestamp", "min": "2013-01-01"})",
                        R"([{"t": "2012-12-31T23:59:59.999999Z"}])");
  EXPECT_EQ(checked.only().rule, "min 2013-01-01T00:00:00Z");
  EXPECT_EQ(checked.only().value, base::Value("2012-12-31T23:59:59.999999Z"));
}

TEST(Validator, ChecksBooleansAgainstASet) {
  const Checked checked(R"("x": {"type": "boolean", "values": [true]})", R"([{"x": true}, {"x": false}])");
  EXPECT_EQ(checked.only().rule, "one of true");
}

TEST(Validator, CountsLengthInCodePoints) {
  const Checked checked(R"("x": {"type": "string", "min_length": 2, "max_length": 3})",
                        R"([{"x": "äöü"}, {"x": "ä"}, {"x": "abcd"}, {"x": "日本語"}])");
  EXPECT_THAT(checked.codes(), ElementsAre(ViolationCode::kLength, ViolationCode::kLength));
  EXPECT_EQ(checked.report().violations[0].message, "x is \"ä\", 1 character long, too short; send 2 to 3 characters");
  EXPECT_EQ(checked.report().violations[1].rule, "length 2..3");
}

TEST(Validator, MatchesPatternsOnTheWholeText) {
  const Checked checked(R"("x": {"type": "string", "pattern": "N[0-9]+"})",
                        R"([{"x": "N12"}, {"x": "N12A"}, {"x": ""}])");
  EXPECT_THAT(checked.report().rejected, ElementsAre(0, 1, 1));
  EXPECT_EQ(checked.report().violations[0].rule, "pattern N[0-9]+");
}

TEST(Validator, FindsMembersOfLargeSets) {
  std::string values = "\"v0\"";
  for (int i = 1; i < 1000; ++i) values += ",\"v" + std::to_string(i) + "\"";
  const Checked checked(R"("x": {"type": "string", "values": [)" + values + "]}",
                        R"([{"x": "v0"}, {"x": "v999"}, {"x": "v1000"}, {"x": ""}])");
  EXPECT_THAT(checked.report().rejected, ElementsAre(0, 0, 1, 1));
}

TEST(Validator, NeverShowsPersonalValues) {
  const Checked checked(R"("mail": {"type": "string", "pattern": "[^@]+@[^@]+", "max_length": 8, "personal": true})",
                        R"([{"mail": "secret-secret"}])");
  EXPECT_THAT(checked.codes(), ElementsAre(ViolationCode::kPattern, ViolationCode::kLength));
  for (const auto& violation : checked.report().violations) {
    EXPECT_THAT(violation.message, Not(HasSubstr("secret")));
    EXPECT_TRUE(violation.value.is_null());
  }
}

TEST(Validator, ShortensValues) {
  const Checked checked(R"("x": {"type": "string", "max_length": 3})", "[{\"x\": \"" + std::string(5000, 'a') + "\"}]");
  EXPECT_LT(checked.only().value.string().size(), 100u);
  EXPECT_LT(checked.only().message.size(), 200u);
}

TEST(Validator, ClampsIntoTheRangeWithAWarning) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "max": 1, "on_violation": "clamp"})",
                        R"([{"x": -3}, {"x": 0.5}, {"x": 7}])");
  EXPECT_EQ(checked.number(0), 0.0);
  EXPECT_EQ(checked.number(1), 0.5);
  EXPECT_EQ(checked.number(2), 1.0);
  EXPECT_EQ(checked.report().warnings[0].message, "x is -3, below the minimum 0; raised to the minimum");
  EXPECT_EQ(checked.report().rejected_rows, 0);
}

TEST(Validator, ClampingRejectsWhatHasNoOrder) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "on_violation": "clamp"})", R"([{"x": "a"}])");
  EXPECT_EQ(checked.only().code, ViolationCode::kWrongType);
}

TEST(Validator, ImputesWhatIsMissingWithoutAWarning) {
  const Checked checked(R"("x": {"type": "number", "default": 7})", R"([{}, {"x": null}, {"x": 1}])");
  EXPECT_EQ(checked.number(0), 7.0);
  EXPECT_EQ(checked.number(1), 7.0);
  EXPECT_TRUE(checked.column().IsValid(0));
  EXPECT_THAT(checked.report().warnings, IsEmpty());
}

TEST(Validator, ImputesWhatFitLearned) {
  const auto validator = MakeValidator(R"({"inputs": {"x": {"type": "string", "missing": "impute"}}})",
                                       *base::ParseJson(R"({"x": "most"})"));
  ASSERT_TRUE(validator.has_value()) << validator.error().Text();
  data::Decoded rows(validator->layout());
  data::JsonRowDecoder(validator->layout())
      .DecodeDocument("[{}, {\"x\": \"a\"}, {}, {}, {\"x\": \"b\"}]", rows)
      .value();
  Report report;
  ValidatorWorkspace workspace;
  validator->Check(rows, report, workspace);
  std::vector<std::string> texts;
  for (int64_t row = 0; row < 5; ++row) texts.emplace_back(rows.table.columns[0].string(row));
  EXPECT_THAT(texts, ElementsAre("most", "a", "most", "most", "b"));
}

TEST(Validator, ImputingNeedsDefaultOrFit) {
  const auto validator = MakeValidator(R"({"inputs": {"x": {"type": "number", "missing": "impute"}}})");
  EXPECT_EQ(validator.error().reason, "schema.not_fitted");
  EXPECT_THAT(validator.error().message, HasSubstr("slipway fit"));
}

TEST(Validator, ImputesViolationsAndWrongTypes) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "on_violation": "impute", "default": 2})",
                        R"([{"x": -1}, {"x": "a"}, {}])");
  EXPECT_EQ(checked.number(0), 2.0);
  EXPECT_EQ(checked.number(1), 2.0);
  EXPECT_THAT(checked.report().rejected, ElementsAre(0, 0, 1));
  EXPECT_EQ(checked.report().warnings.size(), 2u);
}

TEST(Validator, NullsViolationsEvenWhereNullsAreRefused) {
  const Checked checked(R"("x": {"type": "integer", "min": 0, "on_violation": "null"})", R"([{"x": -1}, {"x": "a"}])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
  EXPECT_FALSE(checked.column().IsValid(0));
  EXPECT_FALSE(checked.column().IsValid(1));
}

TEST(Validator, WarnsAndKeepsTheValue) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "on_violation": "warn"})", R"([{"x": -1}])");
  EXPECT_EQ(checked.warning().code, ViolationCode::kOutOfRange);
  EXPECT_EQ(checked.number(), -1.0);
}

TEST(Validator, WarnsAndNullsWhatHasNoUsableForm) {
  const Checked checked(R"("x": {"type": "number", "on_violation": "warn"})", R"([{"x": "a"}])");
  EXPECT_THAT(checked.warning().message, HasSubstr("taken as null"));
  EXPECT_FALSE(checked.column().IsValid(0));
}

TEST(Validator, WarningsOfRejectedRowsAreDropped) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "on_violation": "warn"}, "y": "number")",
                        R"([{"x": -1}])");
  EXPECT_EQ(checked.only().path, "y");
  EXPECT_THAT(checked.report().warnings, IsEmpty());
}

TEST(Validator, RepairsWithoutWarningsWhenAsked) {
  const Checked checked(R"("x": {"type": "number", "min": 0, "on_violation": "clamp"})", R"([{"x": -1}])", "",
                        {.collect_warnings = false});
  EXPECT_EQ(checked.number(), 0.0);
  EXPECT_THAT(checked.report().warnings, IsEmpty());
}

TEST(Validator, TurnsUnknownValuesIntoOther) {
  const Checked checked(R"("x": {"type": "string", "values": ["a"], "unknown": "other"})",
                        R"([{"x": "b"}, {"x": "a"}, {"x": ""}, {"x": "ccc"}])");
  EXPECT_EQ(checked.column().string(0), "other");
  EXPECT_EQ(checked.column().string(1), "a");
  EXPECT_EQ(checked.column().string(2), "other");
  EXPECT_EQ(checked.column().string(3), "other");
  EXPECT_EQ(checked.report().warnings.size(), 3u);
}

TEST(Validator, TurnsUnknownValuesIntoNull) {
  const Checked checked(R"("x": {"type": "integer", "values": [1], "unknown": "null"})", R"([{"x": 2}])");
  EXPECT_FALSE(checked.column().IsValid(0));
}

TEST(Validator, RefusesFieldsGivenTwiceWhateverThePolicy) {
  const Checked checked(R"("x": {"type": "number", "on_violation": "null"})", R"([{"x": 1, "x": 2}])");
  EXPECT_EQ(checked.only().code, ViolationCode::kDuplicateField);
}

TEST(Validator, ChecksElementsOfTensors) {
  const Checked checked(R"("p": {"type": "number[2,2]", "min": 0})", R"([{"p": [[1, 2], [-3, 4]]}])");
  EXPECT_EQ(checked.only().path, "p[1][0]");
  EXPECT_EQ(checked.only().message, "p[1][0] is -3, below the minimum 0; send a value 0 or more");
}

TEST(Validator, DescribesOnlyTheFirstElements) {
  std::string elements = "-1";
  for (int i = 1; i < 50; ++i) elements += ",-1";
  const Checked checked(R"("p": {"type": "integer[?]", "min": 0})", "[{\"p\": [" + elements + "]}]");
  EXPECT_EQ(checked.report().violations.size(), static_cast<size_t>(kMaxDescribedElements));
  EXPECT_EQ(checked.report().violations[9].path, "p[9]");
}

TEST(Validator, ClampsElementsOfTensors) {
  const Checked checked(R"("p": {"type": "number[?]", "max": 1, "on_violation": "clamp"})",
                        R"([{"p": []}, {"p": [0, 5]}])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
  EXPECT_EQ(checked.number(0), 0.0);
  EXPECT_EQ(checked.number(1), 1.0);
}

TEST(Validator, NullsTensorsAsAWhole) {
  const Checked checked(R"("p": {"type": "integer[?]", "max": 1, "on_violation": "null"})",
                        R"([{"p": [0]}, {"p": [5, 0]}, {"p": [1, 1]}])");
  EXPECT_TRUE(checked.column().IsValid(0));
  EXPECT_FALSE(checked.column().IsValid(1));
  EXPECT_TRUE(checked.column().IsValid(2));
  EXPECT_EQ(checked.column().view().integers()[1], 1);
}

TEST(Validator, ImputesManyNumbersAmongMany) {
  std::string rows = "{\"x\": 1}";
  for (int i = 1; i < 200; ++i) rows += i % 3 ? ",{\"x\": 1}" : ",{}";
  const Checked checked(R"("x": {"type": "integer", "min": 1, "default": 9})", "[" + rows + "]");
  EXPECT_EQ(checked.report().rejected_rows, 0);
  EXPECT_EQ(checked.column().view().integers()[3], 9);
  EXPECT_EQ(checked.column().view().integers()[4], 1);
  EXPECT_EQ(checked.column().view().integers()[198], 9);
}

/// Rows made by hand, for what JSON cannot say.
class NonFinite : public ::testing::Test {
 protected:
  Report Check(const std::string& body, double value) {
    const auto validator = *MakeValidator("{\"inputs\": {\"x\": " + body + "}}");
    data::Decoded rows(validator.layout());
    data::RowBuilder builder(validator.layout(), rows);
    builder.BeginRow();
    builder.SetNumber(0, value);
    builder.EndRow();
    Report report;
    ValidatorWorkspace workspace;
    validator.Check(rows, report, workspace);
    return report;
  }
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
};

TEST_F(NonFinite, IsRefusedByDefault) {
  EXPECT_EQ(Check(R"({"type": "number"})", kNan).violations.at(0).code, ViolationCode::kNotFinite);
  EXPECT_EQ(Check(R"({"type": "number", "max": 1})", -kInfinity).violations.at(0).code, ViolationCode::kNotFinite);
  EXPECT_EQ(Check(R"({"type": "number"})", kNan).violations.at(0).message,
            "x is NaN, not finite; send a finite number");
}

TEST_F(NonFinite, PassesWhereAllowed) {
  EXPECT_EQ(Check(R"({"type": "number", "allow_non_finite": true, "min": 0})", kNan).rejected_rows, 0);
  EXPECT_EQ(Check(R"({"type": "number", "allow_non_finite": true})", -kInfinity).rejected_rows, 0);
  EXPECT_EQ(Check(R"({"type": "number", "allow_non_finite": true, "max": 5})", kInfinity).violations.at(0).code,
            ViolationCode::kOutOfRange);
}

TEST(Validator, JudgesRulesAcrossFields) {
  const Checked checked(R"("dep": "timestamp", "arr": "timestamp")",
                        R"([{"dep": "2013-01-02", "arr": "2013-01-01"}, {"dep": "2013-01-01", "arr": "2013-01-02"}])",
                        R"(, "rules": [{"check": "arr > dep", "message": "a flight lands after it starts"}])");
  EXPECT_EQ(checked.only().code, ViolationCode::kRule);
  EXPECT_EQ(checked.only().rule, "arr > dep");
  EXPECT_EQ(checked.only().message, "a flight lands after it starts");
  EXPECT_THAT(checked.report().rejected, ElementsAre(1, 0));
}

TEST(Validator, SkipsRulesOverViolatedColumns) {
  const Checked checked(R"("a": {"type": "number", "min": 0}, "b": "number", "c": "number")",
                        R"([{"a": -1, "b": 5, "c": 6}])", R"(, "rules": ["a > b", "b > c"])");
  EXPECT_THAT(checked.codes(), ElementsAre(ViolationCode::kRule, ViolationCode::kOutOfRange));
  EXPECT_EQ(checked.report().violations[0].rule, "b > c");
}

TEST(Validator, RulesHoldOnNulls) {
  const Checked checked(R"("a": {"type": "number", "nullable": true})", R"([{"a": null}])", R"(, "rules": ["a > 0"])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
}

TEST(Validator, RulesSeeRepairedValues) {
  const Checked checked(R"("a": {"type": "number", "min": 0, "on_violation": "clamp"})", R"([{"a": -1}])",
                        R"(, "rules": ["a >= 0"])");
  EXPECT_EQ(checked.report().rejected_rows, 0);
}

TEST(Validator, RefusesRulesThatAreNoCondition) {
  const auto validator = MakeValidator(R"({"inputs": {"a": "number"}, "rules": ["a + 1"]})");
  EXPECT_EQ(validator.error().reason, "expr.type");
}

TEST(Validator, PointsAtTheRuleThatDoesNotCompile) {
  const auto validator = MakeValidator("{\"inputs\": {\"a\": \"number\"},\n \"rules\": [\"b > 1\"]}");
  EXPECT_EQ(validator.error().reason, "expr.unknown_name");
  EXPECT_THAT(validator.error().where, ::testing::StartsWith("2:"));
}

TEST(Validator, JudgesARowTheSameAloneAndInABatch) {
  const std::string inputs = R"("x": {"type": "string", "values": ["a"], "unknown": "other", "max_length": 3})";
  const Checked batch(inputs, R"([{"x": "a"}, {"x": "bbbb"}, {"x": "cc"}, {"x": "d"}])");
  const Checked alone(inputs, R"([{"x": "bbbb"}])");
  EXPECT_EQ(batch.column().string(1), alone.column().string(0));
  EXPECT_EQ(batch.report().warnings[0].message, alone.report().warnings[0].message);
}

TEST(Validator, BoundsWhatItDescribes) {
  std::string rows = "[{}";
  for (int i = 1; i < 40000; ++i) rows += ",{}";
  const Checked checked(R"("a": "number", "b": "number", "c": "number")", rows + "]");
  EXPECT_EQ(checked.report().rejected_rows, 40000);
  EXPECT_EQ(checked.report().violations.size(), kMaxDescribed);
  EXPECT_EQ(checked.report().left_out, 3 * 40000 - static_cast<int64_t>(kMaxDescribed));
}

TEST(Validator, ChecksSchemasMadeByPrograms) {
  Schema schema;
  schema.columns.resize(2);
  schema.columns[0].field.name = "x";
  schema.columns[1].field.name = "x";
  EXPECT_THAT(Validator::Create(schema).error().message, HasSubstr("two columns named \"x\""));
}

}  // namespace
}  // namespace slipway::schema

#include "monitor/table_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace slipway::monitor {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const base::Value& Baseline() {
  static const base::Value baseline = *base::ParseJson(R"({"columns": {
    "x": {"type": "number", "rows": 400, "nulls": 0, "mean": 2.5, "std": 1.1, "edges": [1, 2, 3], "counts": [100, 100, 100, 100]},
    "c": {"type": "string", "rows": 100, "nulls": 0, "values": {"a": 50, "b": 40}, "other": 10}}})");
  return baseline;
}

data::Field FieldOf(std::string name, data::ScalarType type) {
  data::Field field;
  field.name = std::move(name);
  field.type.scalar = type;
  return field;
}

class TableTallyTest : public testing::Test {
 protected:
  /// Rows of x and c, answered by x times ten.
  void Add(TableTally& tally, const std::vector<double>& numbers, const std::string& text) {
    auto rows = data::Table::Make(inputs_);
    auto answers = data::Table::Make(answers_);
    std::vector<int64_t> all(numbers.size());
    std::iota(all.begin(), all.end(), 0);
    for (const double number : numbers) {
      rows.columns[0].AppendNumber(number);
      rows.columns[1].AppendString(text);
      answers.columns[0].AppendNumber(number * 10);
    }
    rows.rows = answers.rows = static_cast<int64_t>(numbers.size());
    tally.NoteMissing(rows);
    tally.Add(rows, answers, all);
  }
  double Figure(const TableTally& tally, std::string_view side, std::string_view column, std::string_view key) {
    const auto described = tally.Describe();
    const auto* value = described.Find(side)->Find(column)->Find(key);
    return value == nullptr ? -1 : value->is_integer() ? static_cast<double>(value->integer()) : value->number();
  }

  std::vector<data::Field> inputs_{FieldOf("x", data::ScalarType::kNumber), FieldOf("c", data::ScalarType::kString)};
  std::vector<data::Field> answers_{FieldOf("y", data::ScalarType::kNumber)};
  TallyPlan plan_{inputs_, answers_, Baseline()};
};

TEST_F(TableTallyTest, FindsNoShiftInTheTrainingTableItself) {
  TableTally tally(plan_);
  for (int i = 0; i < 200; ++i) Add(tally, {1, 2, 3, 4}, i < 100 ? "a" : i < 180 ? "b" : "z");
  EXPECT_NEAR(Figure(tally, "inputs", "x", "psi"), 0, 1e-12);
  EXPECT_NEAR(Figure(tally, "inputs", "c", "psi"), 0, 1e-12);
  EXPECT_THAT(tally.Shifts(0.1, 0.05), IsEmpty());
}

TEST_F(TableTallyTest, WeighsAShiftAsTheFormulaSays) {
  TableTally tally(plan_);
  for (int i = 0; i < 300; ++i) Add(tally, {1, 1, 2, 3}, i < 150 ? "a" : i < 270 ? "b" : "z");
  // x: shares 0.5, 0.25, 0.25, 0 (counted as 0.0001) beside 0.25 each.
  const double expected = 0.25 * std::log(2.0) + (0.0001 - 0.25) * std::log(0.0001 / 0.25);
  EXPECT_GT(expected, 1);
  EXPECT_NEAR(Figure(tally, "inputs", "x", "psi"), expected, 1e-9);
  const auto shifts = tally.Shifts(0.1, 0.05);
  ASSERT_EQ(shifts.size(), 1U);
  EXPECT_EQ(shifts[0].name, "x");
  EXPECT_THAT(*shifts[0].mean, DoubleNear(1.75, 1e-12));
}

TEST_F(TableTallyTest, CountsWhatWasMissingAsNullThoughARepairFilledIt) {
  TableTally tally(plan_);
  auto came = data::Table::Make(inputs_);
  came.columns[0].AppendNull();
  came.columns[1].AppendString("a");
  came.rows = 1;
  tally.NoteMissing(came);
  came.columns[0].SetNumber(0, 3);
  auto answers = data::Table::Make(answers_);
  answers.columns[0].AppendNumber(1);
  answers.rows = 1;
  const std::vector<int64_t> rows{0};
  tally.Add(came, answers, rows);
  EXPECT_EQ(Figure(tally, "inputs", "x", "null_share"), 1);
}

TEST_F(TableTallyTest, LeavesOutRowsThatAreNotNamed) {
  TableTally tally(plan_);
  auto came = data::Table::Make(inputs_);
  auto answers = data::Table::Make(answers_);
  for (const double number : {1.0, 100.0}) {
    came.columns[0].AppendNumber(number);
    came.columns[1].AppendString("a");
    answers.columns[0].AppendNumber(number);
  }
  came.rows = answers.rows = 2;
  tally.NoteMissing(came);
  const std::vector<int64_t> rows{0};
  tally.Add(came, answers, rows);
  EXPECT_EQ(Figure(tally, "inputs", "x", "max"), 1);
  EXPECT_EQ(Figure(tally, "predictions", "y", "rows"), 1);
}

TEST_F(TableTallyTest, GivesTheSameInPartsThatWereKeptAsInOne) {
  TableTally whole(plan_), first(plan_), second(plan_), read(plan_), sum(plan_);
  Add(whole, {1, 2.5, 4, 7, -3}, "a");
  Add(first, {1, 2.5}, "a");
  Add(second, {4, 7, -3}, "a");
  ASSERT_TRUE(read.Read(*base::ParseJson(base::ToJson(second.ToValue()))));
  sum.Add(first);
  sum.Add(read);
  for (const auto* key : {"rows", "mean", "std", "min", "max", "psi"}) {
    EXPECT_NEAR(Figure(sum, "inputs", "x", key), Figure(whole, "inputs", "x", key), 1e-12) << key;
  }
  EXPECT_EQ(base::ToJson(*sum.Describe().Find("predictions")->Find("y")->Find("quantiles")),
            base::ToJson(*whole.Describe().Find("predictions")->Find("y")->Find("quantiles")));
}

TEST_F(TableTallyTest, ReadsNothingThatIsOfAnotherPlan) {
  const std::vector<data::Field> others{FieldOf("x", data::ScalarType::kNumber)};
  const TallyPlan other(others, answers_, Baseline());
  TableTally mine(plan_), theirs(other);
  EXPECT_FALSE(mine.Read(theirs.ToValue()));
  EXPECT_FALSE(mine.Read(base::Value("text")));
  EXPECT_FALSE(mine.Read(*base::ParseJson(R"({"inputs": [{"n": 1, "bins": [1]}, {"n": 1}], "answers": [{}]})")));
}

TEST_F(TableTallyTest, TellsQuantilesOfAnswersWithinAFewPercent) {
  TableTally tally(plan_);
  std::vector<double> numbers(10'001);
  std::iota(numbers.begin(), numbers.end(), 0);
  Add(tally, numbers, "a");
  const auto described = tally.Describe();
  const auto& quantiles = *described.Find("predictions")->Find("y")->Find("quantiles");
  EXPECT_NEAR(quantiles.Find("p50")->number(), 50'000, 2'500);
  EXPECT_NEAR(quantiles.Find("p95")->number(), 95'000, 4'750);
}

TEST_F(TableTallyTest, CountsLabelsOfAnswersAndNoTextsOfInputsWithoutAReference) {
  const std::vector<data::Field> texts{FieldOf("name", data::ScalarType::kString)};
  const TallyPlan plan(texts, texts, base::Value());
  TableTally tally(plan);
  auto rows = data::Table::Make(texts);
  rows.columns[0].AppendString("ann");
  rows.rows = 1;
  const std::vector<int64_t> all{0};
  tally.NoteMissing(rows);
  tally.Add(rows, rows, all);
  const auto described = tally.Describe();
  EXPECT_EQ(described.Find("inputs")->Find("name")->Find("values"), nullptr);
  EXPECT_EQ(described.Find("predictions")->Find("name")->Find("values")->Find("ann")->integer(), 1);
}

TEST(ReferenceTest, TakesNothingFromADistributionThatItCannotRead) {
  for (const auto* text : {"3", "{}", R"({"edges": [1], "counts": [1]})", R"({"edges": [2, 1], "counts": [1, 1, 1]})",
                           R"({"edges": ["a"], "counts": [1, 1]})", R"({"elements": {}})"}) {
    EXPECT_EQ(Reference(*base::ParseJson(text)).kind(), Reference::Kind::kNone) << text;
  }
}

TEST(ReferenceTest, PutsANumberOnAnEdgeIntoTheBinBelowIt) {
  const Reference reference(*base::ParseJson(R"({"edges": [1, 2], "counts": [1, 1, 1]})"));
  EXPECT_THAT((std::vector{reference.BinOf(1.0), reference.BinOf(1.5), reference.BinOf(2.5)}), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace slipway::monitor

// Batches, nulls in columns, reuse of workspaces, memory.

#include <fmt/format.h>

#include "base/allocation_count_test.h"
#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

using data::Column;
using data::ColumnView;
using data::ScalarType;

constexpr int64_t kRows = 1500;

/// x: number, null in every 7th row; n: integer, null in every 5th; s: text, null in every 3rd; t: timestamp;
/// v: a vector of varying length.
struct Batch {
  std::vector<Symbol> symbols{{"x", {ScalarType::kNumber, {}}},
                              {"n", {ScalarType::kInteger, {}}},
                              {"s", {ScalarType::kString, {}}},
                              {"t", {ScalarType::kTimestamp, {}}, 60},
                              {"v", {ScalarType::kNumber, {-1}}}};
  std::vector<Column> columns;

  explicit Batch(int64_t first = 0, int64_t rows = kRows) {
    for (const Symbol& symbol : symbols) columns.emplace_back(symbol.type);
    for (int64_t row = first; row < first + rows; ++row) Append(row);
  }
  void Append(int64_t row) {
    row % 7 == 0 ? columns[0].AppendNull() : columns[0].AppendNumber(static_cast<double>(row) / 3);
    row % 5 == 0 ? columns[1].AppendNull() : columns[1].AppendInteger(row - 700);
    row % 3 == 0 ? columns[2].AppendNull() : columns[2].AppendString("Text " + std::to_string(row));
    columns[3].AppendInteger(row * 3'600'000'000);
    for (int64_t i = 0; i < row % 3; ++i) columns[4].PushNumber(static_cast<double>(row + i));
    const int64_t shape = row % 3;
    columns[4].CloseRow(&shape);
  }
  std::vector<ColumnView> views() const {
    std::vector<ColumnView> views;
    for (const Column& column : columns) views.push_back(column.view());
    return views;
  }
};

/// All rows at once, then each alone; the first row that differs.
std::string FirstDifference(std::string_view text) {
  const Batch batch;
  const auto program = Program::Compile(text, batch.symbols);
  if (!program) return program.error().message;
  Workspace many, alone;
  const ColumnView all = program->Evaluate(batch.views(), kRows, many);
  for (int64_t row = 0; row < kRows; ++row) {
    const Batch one(row, 1);
    const std::string single = Shown(program->Evaluate(one.views(), 1, alone), 0);
    if (Shown(all, row) != single) return std::to_string(row) + ": " + Shown(all, row) + " and alone " + single;
  }
  return "none";
}

int64_t AllocationsOfAWarmRun(std::string_view text) {
  const Batch batch;
  const Program program = Program::Compile(text, batch.symbols).value();
  const std::vector<ColumnView> views = batch.views();
  Workspace workspace;
  for (int i = 0; i < 3; ++i) program.Evaluate(views, kRows, workspace);
  const int64_t before = base::AllocationsOfThisThread();
  program.Evaluate(views, kRows, workspace);
  program.Evaluate(views, 1, workspace);
  return base::AllocationsOfThisThread() - before;
}

std::string Rows(std::string_view text, int64_t rows) {
  const Batch batch;
  Workspace workspace;
  const ColumnView view = Program::Compile(text, batch.symbols).value().Evaluate(batch.views(), rows, workspace);
  std::string out;
  for (int64_t row = 0; row < view.rows; ++row) out += (row > 0 ? " " : "") + Shown(view, row);
  return out;
}

TEST(Evaluation, NumbersHaveTheSameBitsAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("exp(sin(x)) / log1p(x) ** 0.3"), "none");
}
TEST(Evaluation, IntegersAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("(n * n - 3) // (n % 4)"), "none");
}
TEST(Evaluation, TextsAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("upper(s) + '/' + to_string(n)"), "none");
}
TEST(Evaluation, BooleansAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("x > 100 and n < 0 or s == 'Text 4'"), "none");
}
TEST(Evaluation, TimesAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("add_days(date_trunc('week', t), n)"), "none");
}
TEST(Evaluation, ChoicesAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("is_null(x) ? n : coalesce(n, x, 0)"), "none");
}
TEST(Evaluation, ElementsAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("v[1] + v[0]"), "none");
}
TEST(Evaluation, PlainColumnsAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("s"), "none");
}
TEST(Evaluation, ConstantsAreTheSameAloneAndInABatch) {
  EXPECT_EQ(FirstDifference("'a' + 'b'"), "none");
}

TEST(Evaluation, NullsOfBothOperandsCount) {
  EXPECT_EQ(Rows("n + n * 0 + x * 0", 8), "null -699.0 -698.0 -697.0 -696.0 null -694.0 null");
}
TEST(Evaluation, ElementsPastTheEndAreNull) {
  EXPECT_EQ(Rows("v[0]", 4), "null 1.0 2.0 null");
}
TEST(Evaluation, TextsKeepTheirNulls) {
  EXPECT_EQ(Rows("lower(s)", 3), "null 'text 1' 'text 2'");
}
TEST(Evaluation, OfNoRowsIsEmpty) {
  EXPECT_EQ(Rows("x + 1", 0), "");
}
TEST(Evaluation, OfNoRowsOfTextIsEmpty) {
  EXPECT_EQ(Rows("s + 'a'", 0), "");
}
TEST(Evaluation, OfAConstantNullIsNull) {
  EXPECT_EQ(Rows("1 % 0", 2), "null null");
}

TEST(Evaluation, OfConstantsThatGrowIsBounded) {
  std::string grow = "'aaaaaaaaaa'";
  for (int i = 0; i < 40; ++i) grow = fmt::format("replace({}, 'a', 'aaaaaaaaaa')", grow);
  EXPECT_EQ(Rows(grow, 1), "null");
}

TEST(Evaluation, HoldsZeroWhereTheResultIsNull) {
  const Batch batch;
  Workspace workspace;
  const ColumnView view = Program::Compile("n + 1", batch.symbols).value().Evaluate(batch.views(), 6, workspace);
  EXPECT_EQ(view.integers()[5], 0);
}

TEST(Evaluation, ResultWithoutNullsHasNoValidity) {
  const Batch batch;
  Workspace workspace;
  const ColumnView view =
      Program::Compile("coalesce(n, 0) + 1", batch.symbols).value().Evaluate(batch.views(), kRows, workspace);
  EXPECT_EQ(view.validity, nullptr);
}

TEST(Workspace, ServesOneProgramAfterAnother) {
  const Batch batch;
  Workspace workspace;
  const Program first = Program::Compile("x * 2", batch.symbols).value();
  const Program second = Program::Compile("s + '!'", batch.symbols).value();
  first.Evaluate(batch.views(), kRows, workspace);
  EXPECT_EQ(Shown(second.Evaluate(batch.views(), kRows, workspace), 1), "'Text 1!'");
  EXPECT_EQ(Shown(first.Evaluate(batch.views(), 2, workspace), 1), "0.6666666666666666");
}

TEST(Workspace, GrowsWithTheBatch) {
  const Batch batch;
  Workspace workspace;
  const Program program = Program::Compile("x + n", batch.symbols).value();
  program.Evaluate(batch.views(), 2, workspace);
  EXPECT_EQ(Shown(program.Evaluate(batch.views(), kRows, workspace), kRows - 1), "1298.6666666666667");
}

TEST(Workspace, AllocatesNothingForNumbersOnceWarm) {
  EXPECT_EQ(AllocationsOfAWarmRun("clip(exp(x), 0, 1) + n // 2"), 0);
}
TEST(Workspace, AllocatesNothingForTextsOnceWarm) {
  EXPECT_EQ(AllocationsOfAWarmRun("replace(upper(s), 'E', 'ee') + to_string(x)"), 0);
}
TEST(Workspace, AllocatesNothingForPatternsOnceWarm) {
  EXPECT_EQ(AllocationsOfAWarmRun("matches(s, '.*[0-9]+')"), 0);
}
TEST(Workspace, AllocatesNothingForTimesOnceWarm) {
  EXPECT_EQ(AllocationsOfAWarmRun("is_weekend(t) or hour(t) in [7, 8, 9]"), 0);
}
TEST(Workspace, AllocatesNothingForElementsOnceWarm) {
  EXPECT_EQ(AllocationsOfAWarmRun("coalesce(v[1], v[0], 0)"), 0);
}

}  // namespace
}  // namespace slipway::expr

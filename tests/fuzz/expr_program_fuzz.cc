// Any bytes as an expression: refused with a reason and a caret, or compiled; then every row of a batch has the same
// bits as the row alone, and compiling the text again gives the same type and inputs.

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "expr/program.h"

namespace {

using namespace slipway;
using data::ScalarType;

constexpr int64_t kRows = 70;  // more than one block of a program that makes text

struct Batch {
  std::vector<data::Column> columns;
  std::vector<data::ColumnView> views;
};

const std::vector<expr::Symbol>& Symbols() {
  static const std::vector<expr::Symbol> symbols{
      {"x", {ScalarType::kNumber, {}}},        {"n", {ScalarType::kInteger, {}}},
      {"s", {ScalarType::kString, {}}},        {"b", {ScalarType::kBoolean, {}}},
      {"t", {ScalarType::kTimestamp, {}}, 60}, {"p", {ScalarType::kNumber, {2}}, 0, {"no", "yes"}},
      {"v", {ScalarType::kString, {-1}}},
  };
  return symbols;
}

void Append(Batch& batch, int64_t row) {
  static const double kNumbers[] = {0.0, -0.0, 1.5, -2, 1e308, std::nan(""), std::numeric_limits<double>::infinity()};
  static const int64_t kIntegers[] = {
      0, 1, -1, 7, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  static const char* const kTexts[] = {"", "AA", "\xC3\xA9t\xC3\xA9", "2013-07-04T08:15:00Z", "12.5", "\xFF"};
  const auto null = [&](int64_t every) { return row % every == every - 1; };
  auto& columns = batch.columns;
  null(5) ? columns[0].AppendNull() : columns[0].AppendNumber(kNumbers[row % 7]);
  null(7) ? columns[1].AppendNull() : columns[1].AppendInteger(kIntegers[row % 6]);
  null(4) ? columns[2].AppendNull() : columns[2].AppendString(kTexts[row % 6]);
  null(3) ? columns[3].AppendNull() : columns[3].AppendBoolean(row % 2 == 0);
  null(6) ? columns[4].AppendNull()
          : columns[4].AppendInteger(row % 2 == 0 ? kIntegers[row % 6] : row * 86'399'999'999);
  columns[5].PushNumber(0.25);
  columns[5].PushNumber(static_cast<double>(row));
  columns[5].CloseRow();
  const int64_t shape = row % 3;
  for (int64_t i = 0; i < shape; ++i) columns[6].PushString(kTexts[(row + i) % 6]);
  columns[6].CloseRow(&shape);
}

Batch MakeBatch(int64_t first, int64_t rows) {
  Batch batch;
  for (const expr::Symbol& symbol : Symbols()) batch.columns.emplace_back(symbol.type);
  for (int64_t row = first; row < first + rows; ++row) Append(batch, row);
  for (const data::Column& column : batch.columns) batch.views.push_back(column.view());
  return batch;
}

bool SameRow(const data::ColumnView& a, int64_t row_a, const data::ColumnView& b, int64_t row_b) {
  if (a.IsValid(row_a) != b.IsValid(row_b)) return false;
  if (!a.IsValid(row_a)) return true;
  if (a.type == ScalarType::kString) return a.string(row_a) == b.string(row_b);
  if (a.type == ScalarType::kBoolean) return a.booleans()[row_a] == b.booleans()[row_b] && a.booleans()[row_a] <= 1;
  return std::memcmp(a.integers() + row_a, b.integers() + row_b, 8) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const Batch all = MakeBatch(0, kRows);
  static const std::vector<Batch> single = [] {
    std::vector<Batch> batches;
    for (int64_t row = 0; row < kRows; ++row) batches.push_back(MakeBatch(row, 1));
    return batches;
  }();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto program = expr::Program::Compile(text, Symbols());
  if (!program) {
    const base::Error& error = program.error();
    if (!error.reason.starts_with("expr.") || error.message.find('^') == std::string::npos) std::abort();
    return 0;
  }
  const auto again = expr::Program::Compile(text, Symbols());
  if (!again || again->type() != program->type() || again->inputs() != program->inputs()) std::abort();
  expr::Workspace many, alone;
  const data::ColumnView result = program->Evaluate(all.views, kRows, many);
  for (int64_t row = 0; row < kRows; row += 3) {
    const data::ColumnView one = again->Evaluate(single[static_cast<size_t>(row)].views, 1, alone);
    if (!SameRow(result, row, one, 0)) std::abort();
  }
  return 0;
}

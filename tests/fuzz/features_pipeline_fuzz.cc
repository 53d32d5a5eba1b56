// Any JSON as steps and as what was fitted: refused with a reason, or compiled; then the rows of a batch have the same
// bits as the rows alone, and what Fitter learns compiles.

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/value.h"
#include "features/fit.h"
#include "features/pipeline.h"

namespace {

using namespace slipway;
using data::ScalarType;

constexpr int64_t kRows = 12;
constexpr int64_t kMaxCells = 1 << 16;  // a step may yield 65,536 columns: fine for a model, slow for a fuzzer

struct Batch {
  std::vector<data::Column> columns;
  std::vector<data::ColumnView> views;
};

const std::vector<data::Field>& Fields() {
  static const std::vector<data::Field> fields{
      {.name = "x", .type = {ScalarType::kNumber, {}}},    {.name = "n", .type = {ScalarType::kInteger, {}}},
      {.name = "s", .type = {ScalarType::kString, {}}},    {.name = "b", .type = {ScalarType::kBoolean, {}}},
      {.name = "t", .type = {ScalarType::kTimestamp, {}}}, {.name = "v", .type = {ScalarType::kNumber, {2}}},
      {.name = "w", .type = {ScalarType::kNumber, {-1}}},  {.name = "h", .type = {ScalarType::kNumber, {}}},
  };
  return fields;
}

void Append(Batch& batch, int64_t row) {
  static const double kNumbers[] = {0.0, -0.0, 1.5, -2, 40, std::nan(""), std::numeric_limits<double>::infinity()};
  // Apart from the others, because most steps cannot learn from numbers whose squares overflow.
  static const double kHuge[] = {1e308, -1e308, 5e-324, 1e200, 0};
  static const int64_t kIntegers[] = {
      0, 1, -1, 7, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  static const char* const kTexts[] = {"", "AA", "\xC3\xA9t\xC3\xA9 AA", "a b", "12.5", "\xFF", "\xCE\xA3"};
  const auto null = [&](int64_t every) { return row % every == every - 1; };
  auto& columns = batch.columns;
  null(5) ? columns[0].AppendNull() : columns[0].AppendNumber(kNumbers[row % 7]);
  null(7) ? columns[1].AppendNull() : columns[1].AppendInteger(kIntegers[row % 6]);
  null(4) ? columns[2].AppendNull() : columns[2].AppendString(kTexts[row % 7]);
  null(3) ? columns[3].AppendNull() : columns[3].AppendBoolean(row % 2 == 0);
  null(6) ? columns[4].AppendNull()
          : columns[4].AppendInteger(row % 2 == 0 ? kIntegers[row % 6] : row * 86'399'999'999);
  columns[5].PushNumber(0.25);
  columns[5].PushNumber(static_cast<double>(row));
  columns[5].CloseRow();
  const int64_t shape = row % 3;
  for (int64_t i = 0; i < shape; ++i) columns[6].PushNumber(1);
  columns[6].CloseRow(&shape);
  null(8) ? columns[7].AppendNull() : columns[7].AppendNumber(kHuge[row % 5]);
}

Batch MakeBatch(int64_t first, int64_t rows) {
  Batch batch;
  for (const data::Field& field : Fields()) batch.columns.emplace_back(field.type);
  for (int64_t row = first; row < first + rows; ++row) Append(batch, row);
  for (const data::Column& column : batch.columns) batch.views.push_back(column.view());
  return batch;
}

const Batch& All() {
  static const Batch all = MakeBatch(0, kRows);
  return all;
}

const std::vector<Batch>& Single() {
  static const std::vector<Batch> single = [] {
    std::vector<Batch> batches;
    for (int64_t row = 0; row < kRows; ++row) batches.push_back(MakeBatch(row, 1));
    return batches;
  }();
  return single;
}

void CheckError(const base::Error& error) {
  if (error.message.empty() || !(error.reason.starts_with("features.") || error.reason.starts_with("expr.")))
    std::abort();
}

void CheckPipeline(const features::Pipeline& pipeline) {
  std::vector<int> numbers;
  int64_t width = 0;
  for (size_t i = 0; i < pipeline.features().size(); ++i) {
    const features::Feature& feature = pipeline.features()[i];
    if (static_cast<int64_t>(feature.columns.size()) != feature.width) std::abort();
    if (feature.type != ScalarType::kString) {
      numbers.push_back(static_cast<int>(i));
      width += feature.width;
    }
  }
  if (width * kRows > kMaxCells) return;
  features::PipelineWorkspace many, alone;
  std::vector<double> batch(static_cast<size_t>(kRows * width)), row(static_cast<size_t>(width));
  pipeline.Run(All().views, kRows, many);
  pipeline.WriteMatrix(numbers, kRows, many, batch.data());
  for (int64_t r = 0; r < kRows; ++r) {
    pipeline.Run(Single()[static_cast<size_t>(r)].views, 1, alone);
    pipeline.WriteMatrix(numbers, 1, alone, row.data());
    for (int64_t i = 0; i < width; ++i) {
      const double a = batch[static_cast<size_t>(r * width + i)], b = row[static_cast<size_t>(i)];
      if (std::memcmp(&a, &b, sizeof a) != 0 && !(std::isnan(a) && std::isnan(b))) std::abort();
    }
  }
  pipeline.RunOnTrainingRows(All().views, kRows, 3, many);
}

base::Result<base::Value> Fit(std::span<const features::StepSpec> steps) {
  SLIPWAY_ASSIGN(auto fitter, features::Fitter::Create(Fields(), steps, {.exact_values = 8, .max_vocabulary = 8}));
  for (bool more = true; more;) {
    SLIPWAY_TRY(fitter.Add(All().views, kRows, &All().views[3]));
    SLIPWAY_ASSIGN(more, fitter.EndPass());
  }
  return fitter.Learned();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto document = base::ParseJson({reinterpret_cast<const char*>(bytes), size}, {.bytes = 1 << 16, .depth = 16});
  if (!document) return 0;
  const base::Value* list = document->is_list() ? &*document : document->Find("features");
  if (list == nullptr || !list->is_list() || list->list().size() > 64) return 0;
  std::vector<features::StepSpec> steps;
  for (const base::Value& step : list->list()) steps.push_back({step});

  const base::Value* fitted = document->Find("fitted");
  if (fitted != nullptr) {
    const auto pipeline = features::Pipeline::Compile(Fields(), steps, *fitted);
    if (pipeline) CheckPipeline(*pipeline);
    if (!pipeline) CheckError(pipeline.error());
  }
  const auto learned = Fit(steps);
  if (!learned) {
    CheckError(learned.error());
    return 0;
  }
  const auto pipeline = features::Pipeline::Compile(Fields(), steps, *learned);
  if (pipeline) CheckPipeline(*pipeline);
  if (!pipeline) CheckError(pipeline.error());
  return 0;
}

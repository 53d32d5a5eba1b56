#include "features/pipeline.h"

#include <algorithm>
#include <limits>

#include "features/outline.h"
#include "features/plan.h"

namespace slipway::features {

struct PipelineWorkspace::State {
  RunMemory memory;
};

PipelineWorkspace::PipelineWorkspace() : state_(std::make_unique<State>()) {}
PipelineWorkspace::~PipelineWorkspace() = default;
PipelineWorkspace::PipelineWorkspace(PipelineWorkspace&&) noexcept = default;

struct Pipeline::Plan {
  CompiledPlan compiled;
};

Pipeline::Pipeline(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;
Pipeline::~Pipeline() = default;

base::Result<Pipeline> Pipeline::Compile(std::span<const data::Field> columns, std::span<const StepSpec> steps,
                                         const base::Value& fitted) {
  SLIPWAY_ASSIGN(const Outline outline, ReadOutline(columns, steps));
  SLIPWAY_ASSIGN(CompiledPlan compiled, BuildPlan(outline, fitted));
  return Pipeline(std::make_unique<const Plan>(std::move(compiled)));
}

const std::vector<Feature>& Pipeline::features() const {
  return plan_->compiled.features;
}

int Pipeline::Find(std::string_view name) const {
  const auto found = std::ranges::find(features(), name, &Feature::name);
  return found == features().end() ? -1 : static_cast<int>(found - features().begin());
}

bool Pipeline::has_training_path() const {
  return plan_->compiled.has_training_path;
}

void Pipeline::Run(std::span<const data::ColumnView> columns, int64_t rows, PipelineWorkspace& workspace) const {
  plan_->compiled.Run(columns, rows, 0, false, workspace.state_->memory);
}

void Pipeline::RunOnTrainingRows(std::span<const data::ColumnView> columns, int64_t rows, int64_t first_row,
                                 PipelineWorkspace& workspace) const {
  plan_->compiled.Run(columns, rows, first_row, true, workspace.state_->memory);
}

data::ColumnView Pipeline::Result(int feature, const PipelineWorkspace& workspace) const {
  const int slot = plan_->compiled.feature_slots[static_cast<size_t>(feature)];
  return workspace.state_->memory.views[static_cast<size_t>(slot)];
}

namespace {

template <typename From, typename To>
void Copy(const data::ColumnView& view, const From* values, int64_t begin, int64_t end, int64_t stride, To* out) {
  const int64_t width = view.width;
  for (int64_t r = begin; r < end; ++r, out += stride) {
    if (!view.IsValid(r)) {
      std::fill_n(out, width, std::numeric_limits<To>::quiet_NaN());
      continue;
    }
    const From* row = values + r * width;
    for (int64_t i = 0; i < width; ++i) out[i] = static_cast<To>(row[i]);
  }
}

template <typename To>
void CopyRows(const data::ColumnView& view, int64_t begin, int64_t end, int64_t stride, To* out) {
  switch (view.type) {
    case data::ScalarType::kNumber:
      return Copy(view, view.numbers(), begin, end, stride, out);
    case data::ScalarType::kBoolean:
      return Copy(view, view.booleans(), begin, end, stride, out);
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      return Copy(view, view.integers(), begin, end, stride, out);
    case data::ScalarType::kString:
      break;
  }
  for (int64_t r = begin; r < end; ++r, out += stride)
    std::fill_n(out, view.width, std::numeric_limits<To>::quiet_NaN());
}

// Rows go in blocks, so that the lines of the matrix being filled stay in the nearest cache.
template <typename To>
void WriteBlocks(const CompiledPlan& plan, std::span<const int> features, int64_t rows, const RunMemory& memory,
                 To* out) {
  constexpr int64_t kBlock = 64;
  int64_t stride = 0;
  for (const int feature : features) stride += plan.features[static_cast<size_t>(feature)].width;
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, rows);
    To* cell = out + begin * stride;
    for (const int feature : features) {
      const auto index = static_cast<size_t>(feature);
      CopyRows(memory.views[static_cast<size_t>(plan.feature_slots[index])], begin, end, stride, cell);
      cell += plan.features[index].width;
    }
  }
}

}  // namespace

void Pipeline::WriteMatrix(std::span<const int> features, int64_t rows, const PipelineWorkspace& workspace,
                           float* out) const {
  WriteBlocks(plan_->compiled, features, rows, workspace.state_->memory, out);
}

void Pipeline::WriteMatrix(std::span<const int> features, int64_t rows, const PipelineWorkspace& workspace,
                           double* out) const {
  WriteBlocks(plan_->compiled, features, rows, workspace.state_->memory, out);
}

}  // namespace slipway::features

#include "features/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "features/outline.h"
#include "features/plan.h"

namespace slipway::features {

struct Fitter::State {
  Outline outline;
  FitOptions options;
  base::Value learned = base::Value::Map();
  int pass = 0;
  int64_t row = 0;  // of the current pass
  bool needs_target = false;
  CompiledPlan plan;
  std::vector<StepLearner> learners;
  RunMemory memory;
  std::vector<double> target;

  base::Result<void> BeginPass() {
    learners.clear();
    row = 0;
    SLIPWAY_ASSIGN(plan, BuildFitPlan(outline, learned, pass, options, learners));
    return {};
  }

  // Numbers, NaN where the row has no usable target.
  base::Result<const double*> ReadTarget(const data::ColumnView* view, int64_t rows) {
    if (!needs_target) return nullptr;
    if (view == nullptr) {
      return base::Fail(base::Code::kInvalidArgument, "features.no_target",
                        "target_encode learns from the target, and none was named; name the target column of the data");
    }
    target.assign(static_cast<size_t>(rows), std::numeric_limits<double>::quiet_NaN());
    for (int64_t r = 0; r < rows; ++r) {
      if (!view->IsValid(r)) continue;
      double value = 0;
      switch (view->type) {
        case data::ScalarType::kBoolean:
          value = view->booleans()[r];
          break;
        case data::ScalarType::kInteger:
          value = static_cast<double>(view->integers()[r]);
          break;
        case data::ScalarType::kNumber:
          value = view->numbers()[r];
          break;
        default:
          return base::Fail(base::Code::kInvalidArgument, "features.bad_target",
                            fmt::format("the target is {}; target_encode learns from numbers or booleans",
                                        data::ScalarTypeName(view->type)));
      }
      if (std::isfinite(value)) target[static_cast<size_t>(r)] = value;
    }
    return target.data();
  }
};

Fitter::Fitter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Fitter::Fitter(Fitter&&) noexcept = default;
Fitter::~Fitter() = default;

base::Result<Fitter> Fitter::Create(std::span<const data::Field> columns, std::span<const StepSpec> steps,
                                    FitOptions options) {
  auto state = std::make_unique<State>();
  SLIPWAY_ASSIGN(state->outline, ReadOutline(columns, steps));
  state->options = options;
  state->needs_target =
      std::ranges::any_of(state->outline.steps, [](const OutlineStep& s) { return s.step->needs_target(); });
  SLIPWAY_TRY(state->BeginPass());
  return Fitter(std::move(state));
}

int Fitter::passes() const {
  return state_->outline.passes;
}
bool Fitter::needs_target() const {
  return state_->needs_target;
}

base::Result<void> Fitter::Add(std::span<const data::ColumnView> columns, int64_t rows,
                               const data::ColumnView* target) {
  State& state = *state_;
  if (state.learners.empty() || rows == 0) return {};
  SLIPWAY_ASSIGN(const double* targets, state.ReadTarget(target, rows));
  const Frame frame = state.plan.Run(columns, rows, state.row, true, state.memory);
  for (const StepLearner& entry : state.learners) {
    auto added = entry.learner->Add(frame, targets);
    if (added) continue;
    base::Error error = std::move(added).error();
    const OutlineStep& step = state.outline.steps[entry.step];
    error.message = fmt::format("feature \"{}\": {}", step.as, error.message);
    if (error.where.empty()) error.where = step.where;
    return std::unexpected(std::move(error));
  }
  state.row += rows;
  return {};
}

base::Result<bool> Fitter::EndPass() {
  State& state = *state_;
  for (const StepLearner& entry : state.learners) {
    const OutlineStep& step = state.outline.steps[entry.step];
    auto parameters = entry.learner->Finish();
    if (!parameters) {
      base::Error error = std::move(parameters).error();
      error.message = fmt::format("feature \"{}\": {}", step.as, error.message);
      if (error.where.empty()) error.where = step.where;
      return std::unexpected(std::move(error));
    }
    base::Value learned = base::Value::Map();
    learned.Set("step", step.kind);
    learned.Set("spec", step.digest);
    for (auto& [key, value] : parameters->map()) learned.Set(key, std::move(value));
    state.learned.Set(step.as, std::move(learned));
  }
  ++state.pass;
  if (state.pass >= state.outline.passes) {
    state.learners.clear();
    SLIPWAY_TRY(BuildPlan(state.outline, state.learned));
    return false;
  }
  SLIPWAY_TRY(state.BeginPass());
  return true;
}

base::Value Fitter::Learned() const {
  // In the order of the manifest, whatever the pass that learned a step.
  base::Value ordered = base::Value::Map();
  for (const OutlineStep& step : state_->outline.steps) {
    if (const base::Value* entry = state_->learned.Find(step.as)) ordered.Set(step.as, *entry);
  }
  return ordered;
}

}  // namespace slipway::features

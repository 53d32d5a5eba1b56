#include "features/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "features/step_reader.h"

namespace slipway::features {
namespace {

constexpr int64_t kMaxTotalWidth = 1 << 20;

// Turns one element of a slot into contiguous numbers, NaN where it is null. A plain column of numbers is used in
// place.
class LoadKernel final : public Kernel {
 public:
  LoadKernel(int slot, int64_t element, int64_t width, int stream)
      : slot_(slot), element_(element), width_(width), stream_(stream) {}

  void Run(Frame& frame) const override {
    const data::ColumnView& view = frame.view(slot_);
    if (view.type == data::ScalarType::kNumber && width_ == 1 && view.validity == nullptr) {
      frame.streams[stream_] = view.numbers();
      return;
    }
    double* out = frame.scratch[stream_];
    frame.streams[stream_] = out;
    switch (view.type) {
      case data::ScalarType::kBoolean:
        return Convert(view.booleans(), view, frame.rows, out);
      case data::ScalarType::kInteger:
      case data::ScalarType::kTimestamp:
        return Convert(view.integers(), view, frame.rows, out);
      case data::ScalarType::kNumber:
        return Convert(view.numbers(), view, frame.rows, out);
      case data::ScalarType::kString:  // for missing_indicator: a text is 0
        for (int64_t r = 0; r < frame.rows; ++r)
          out[r] = view.IsValid(r) ? 0 : std::numeric_limits<double>::quiet_NaN();
    }
  }

 private:
  template <typename T>
  void Convert(const T* values, const data::ColumnView& view, int64_t rows, double* out) const {
    for (int64_t r = 0; r < rows; ++r) {
      out[r] = view.IsValid(r) ? static_cast<double>(values[r * width_ + element_])
                               : std::numeric_limits<double>::quiet_NaN();
    }
  }

  int slot_;
  int64_t element_, width_;
  int stream_;
};

// A view of a block of numbers where NaN is null.
class NullableKernel final : public Kernel {
 public:
  NullableKernel(int from, int to, int mask) : from_(from), to_(to), mask_(mask) {}

  void Run(Frame& frame) const override {
    data::ColumnView view = frame.view(from_);
    const double* values = view.numbers();
    uint64_t* words = frame.masks[mask_];
    bool any = false;
    for (int64_t begin = 0; begin < frame.rows; begin += 64) {
      const int64_t end = std::min(begin + 64, frame.rows);
      uint64_t word = 0;
      for (int64_t r = begin; r < end; ++r) word |= uint64_t{!std::isnan(values[r])} << (r - begin);
      any |= std::popcount(word) != end - begin;
      words[begin >> 6] = word;
    }
    view.validity = any ? words : nullptr;
    frame.views[to_] = view;
  }

 private:
  int from_, to_, mask_;
};

// Two columns of one name would not survive a Parquet file.
void MakeUnique(std::vector<std::string>& names, std::unordered_set<std::string>& seen) {
  for (std::string& name : names) {
    const std::string base = name;
    for (int copy = 2; !seen.insert(name).second; ++copy) name = fmt::format("{}#{}", base, copy);
  }
}

}  // namespace

// ---- building
// --------------------------------------------------------------------------------------------------------

class PlanBuilder final : public StepPlan {
 public:
  PlanBuilder(const Outline& outline, const base::Value& fitted) : fitted_(fitted) {
    for (const data::Field& field : outline.columns) {
      Input input = ColumnInput(field);
      input.slot = AddView();
      visible_by_name_[input.name] = static_cast<int>(symbols_.size());
      symbols_.push_back(std::move(input));
    }
    plan_.columns_ = outline.columns.size();
  }

  base::Result<void> Compile(const OutlineStep& step) {
    SLIPWAY_TRY(Enter(step));
    SLIPWAY_TRY(CheckStep());
    if (step.step->learns()) SLIPWAY_TRY(FindLearned(step));
    feature_ =
        Feature{.name = step.as, .type = data::ScalarType::kNumber, .hidden = step.hidden, .personal = step.personal};
    if (auto compiled = step.step->Compile(*this); !compiled) {
      base::Error error = std::move(compiled).error();
      if (error.where.empty()) error.where = step.where;
      return std::unexpected(std::move(error));
    }
    if (learned_) SLIPWAY_TRY(learned_->Finish());
    total_width_ += feature_.width;
    if (feature_.width > kMaxWidth || total_width_ > kMaxTotalWidth) {
      return std::unexpected(
          Fault("features.limit", fmt::format("feature \"{}\" has {} columns; a step may yield {} and all together "
                                              "{}",
                                              step.as, feature_.width, kMaxWidth, kMaxTotalWidth)));
    }
    Publish();
    return {};
  }

  base::Result<std::unique_ptr<Learner>> MakeLearner(const OutlineStep& step, const FitOptions& options) {
    SLIPWAY_TRY(Enter(step));
    SLIPWAY_TRY(CheckStep());
    return step.step->Learn(*this, options);
  }

  /// Keeps symbols in step with the outline for a step that is not compiled.
  void Skip() { symbols_.push_back({.name = {}, .slot = -1}); }

  CompiledPlan Take() && { return std::move(plan_); }

  // StepPlan
  const std::string& as() const override { return step_->as; }
  std::span<const Input> inputs() const override { return inputs_; }
  const InReach& visible() const override { return visible_; }
  LearnedReader& learned() override { return *learned_; }
  base::Error Fault(std::string reason, std::string message) const override {
    return {base::Code::kInvalidArgument, std::move(reason), std::move(message), step_->where};
  }

  const std::vector<Stream>& streams() override {
    if (!step_streams_.empty()) return step_streams_;
    for (const Input& input : inputs_) {
      for (int64_t e = 0; e < input.width; ++e) {
        const bool whole = input.width == 1 && input.columns.empty();
        step_streams_.push_back({StreamOf(input, e), whole ? input.name : input.columns[static_cast<size_t>(e)]});
      }
    }
    return step_streams_;
  }

  int NullableSlot(int slot) override {
    if (!block_of_slot_.contains(slot) || plan_.blocks_[block_of_slot_[slot]].width != 1) return slot;
    const auto found = nullable_.find(slot);
    if (found != nullable_.end()) return found->second;
    const int view = AddView();
    AddKernel(std::make_unique<NullableKernel>(slot, view, static_cast<int>(plan_.masks_++)));
    return nullable_[slot] = view;
  }

  int AddBlock(int64_t width) override {
    const int slot = AddView();
    block_of_slot_[slot] = plan_.blocks_.size();
    plan_.blocks_.push_back({slot, width, -1});
    plan_.arena_width_ += width;
    return slot;
  }
  int AddView() override { return static_cast<int>(plan_.slots_++); }
  int AddColumn(data::ScalarType type) override {
    plan_.kept_columns_.push_back(type);
    return static_cast<int>(plan_.kept_columns_.size() - 1);
  }
  int AddProgram(size_t inputs) override {
    plan_.programs_.push_back(inputs);
    return static_cast<int>(plan_.programs_.size() - 1);
  }
  int AddTextMemory() override { return static_cast<int>(plan_.text_memories_++); }
  void AddKernel(std::unique_ptr<Kernel> kernel) override { plan_.kernels_.push_back(std::move(kernel)); }
  void HasTrainingPath() override { plan_.has_training_path = true; }

  void Yield(int slot, data::ScalarType type, std::vector<std::string> suffixes) override {
    feature_slot_ = slot;
    feature_.type = type;
    feature_.width = suffixes.empty() ? 1 : static_cast<int64_t>(suffixes.size());
    feature_.columns.clear();
    if (suffixes.empty()) feature_.columns.push_back(feature_.name);
    feature_elements_.clear();
    for (const std::string& suffix : suffixes) {
      feature_.columns.push_back(feature_.name + suffix);
      feature_elements_.push_back(suffix.substr(suffix.empty() ? 0 : 1));
    }
    MakeUnique(feature_.columns, column_names_);
    std::unordered_set<std::string> elements;
    MakeUnique(feature_elements_, elements);
  }

 private:
  base::Result<void> Enter(const OutlineStep& step) {
    step_ = &step;
    step_streams_.clear();
    learned_.reset();
    inputs_.clear();
    for (const int symbol : step.reads) inputs_.push_back(symbols_[static_cast<size_t>(symbol)]);
    return {};
  }

  // Types again, now that all widths are known.
  base::Result<void> CheckStep() {
    auto shape = step_->step->Check(inputs_, visible_);
    if (shape) {
      zone_minutes_ = shape->zone_minutes;
      return {};
    }
    base::Error error = std::move(shape).error();
    error.message = fmt::format("feature \"{}\": {}", step_->as, error.message);
    error.where = step_->where;
    return std::unexpected(std::move(error));
  }

  base::Result<void> FindLearned(const OutlineStep& step) {
    const base::Value* entry = fitted_.Find(step.as);
    if (entry == nullptr) {
      return base::Fail(
          base::Code::kFailedPrecondition, "features.not_fitted",
          fmt::format("step {} ({}) learns from data and was not fitted yet; run slipway fit", step.as, step.kind),
          step.where);
    }
    const base::Value* kind = entry->Find("step");
    const base::Value* spec = entry->Find("spec");
    const bool same = kind != nullptr && spec != nullptr && kind->is_string() && spec->is_string() &&
                      kind->string() == step.kind && spec->string() == step.digest;
    if (!same) {
      return base::Fail(
          base::Code::kFailedPrecondition, "features.stale_fit",
          fmt::format("step {} was fitted with other parameters or inputs than the manifest has now; run slipway fit "
                      "again",
                      step.as),
          step.where);
    }
    learned_.emplace(*entry, step.as);
    return {};
  }

  void Publish() {
    Input input{.name = feature_.name,
                .type = feature_.type,
                .width = feature_.width,
                .zone_minutes = zone_minutes_,
                .slot = feature_slot_,
                .is_feature = true};
    if (feature_.width > 1) input.elements = feature_elements_;
    if (feature_.width > 1) input.columns = feature_.columns;
    visible_by_name_[input.name] = static_cast<int>(symbols_.size());
    symbols_.push_back(std::move(input));
    plan_.features.push_back(std::move(feature_));
    plan_.feature_slots.push_back(feature_slot_);
    feature_ = {};
  }

  int StreamOf(const Input& input, int64_t element) {
    const auto [found, added] = streams_.try_emplace({input.slot, element}, static_cast<int>(plan_.streams_));
    if (!added) return found->second;
    const int id = static_cast<int>(plan_.streams_++);
    const auto block = block_of_slot_.find(input.slot);
    if (block != block_of_slot_.end() && plan_.blocks_[block->second].width == 1) {
      plan_.blocks_[block->second].stream = id;
      return id;
    }
    plan_.scratch_streams_.push_back(id);
    plan_.arena_width_ += 1;
    AddKernel(std::make_unique<LoadKernel>(input.slot, element, input.width, id));
    return id;
  }

  const base::Value& fitted_;
  CompiledPlan plan_;
  std::vector<Input> symbols_;
  std::unordered_map<std::string, int> visible_by_name_;
  std::map<std::pair<int, int64_t>, int> streams_;
  std::unordered_map<int, size_t> block_of_slot_;
  std::unordered_map<int, int> nullable_;
  std::unordered_set<std::string> column_names_;
  int64_t total_width_ = 0;

  // The step at hand.
  const OutlineStep* step_ = nullptr;
  std::vector<Input> inputs_;
  InReach visible_ = [this] {
    std::vector<Input> visible;
    for (const auto& entry : visible_by_name_) visible.push_back(symbols_[static_cast<size_t>(entry.second)]);
    std::ranges::sort(visible, {}, &Input::name);
    return visible;
  };
  std::vector<Stream> step_streams_;
  std::optional<LearnedReader> learned_;
  Feature feature_;
  std::vector<std::string> feature_elements_;
  int feature_slot_ = -1;
  int zone_minutes_ = 0;
};

base::Result<CompiledPlan> BuildPlan(const Outline& outline, const base::Value& fitted) {
  PlanBuilder builder(outline, fitted);
  for (const OutlineStep& step : outline.steps) SLIPWAY_TRY(builder.Compile(step));
  return std::move(builder).Take();
}

base::Result<CompiledPlan> BuildFitPlan(const Outline& outline, const base::Value& fitted, int pass,
                                        const FitOptions& options, std::vector<StepLearner>& learners) {
  const size_t columns = outline.columns.size();
  std::vector<bool> learns(outline.steps.size()), needed(outline.steps.size());
  for (size_t i = outline.steps.size(); i-- > 0;) {
    const OutlineStep& step = outline.steps[i];
    learns[i] = step.step->learns() && step.reads_pass == pass;
    if (!learns[i] && !needed[i]) continue;
    for (const int symbol : step.reads) {
      if (static_cast<size_t>(symbol) >= columns) needed[static_cast<size_t>(symbol) - columns] = true;
    }
  }
  PlanBuilder builder(outline, fitted);
  for (size_t i = 0; i < outline.steps.size(); ++i) {
    const OutlineStep& step = outline.steps[i];
    if (learns[i]) {
      SLIPWAY_ASSIGN(auto learner, builder.MakeLearner(step, options));
      learners.push_back({i, std::move(learner)});
      builder.Skip();
    } else if (needed[i]) {
      SLIPWAY_TRY(builder.Compile(step));
    } else {
      builder.Skip();
    }
  }
  return std::move(builder).Take();
}

}  // namespace slipway::features

// impute: fills what is missing. Twin: SimpleImputer.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "data/timestamp.h"
#include "features/learn/category_index.h"
#include "features/learn/moments.h"
#include "features/learn/quantiles.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;
using data::ScalarType;

// Counts distinct numbers; the most frequent one, the smallest of several.
class Mode {
 public:
  explicit Mode(int64_t limit) : limit_(limit), index_(ScalarType::kNumber) {}
  void Add(double x) {
    ++count_;
    const data::ColumnView one{.type = ScalarType::kNumber, .rows = 1, .values = &x};
    if (index_.size() >= limit_ && index_.Find(one, 0) < 0) {
      full_ = true;
      return;
    }
    const auto id = static_cast<size_t>(index_.FindOrAdd(one, 0));
    if (id == counts_.size()) counts_.push_back(0);
    ++counts_[id];
  }
  int64_t count() const { return count_; }
  bool full() const { return full_; }
  double Value() const {
    int64_t best = -1;
    for (const int64_t id : index_.Sorted()) {
      if (best < 0 || counts_[static_cast<size_t>(id)] > counts_[static_cast<size_t>(best)]) best = id;
    }
    return index_.Key(best).number();
  }

 private:
  int64_t limit_;
  CategoryIndex index_;
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  bool full_ = false;
};

std::unexpected<base::Error> TooManyValues(std::string_view name, int64_t limit) {
  return base::Fail(
      base::Code::kResourceExhausted, "features.vocabulary_limit",
      fmt::format("\"{}\" has more than {} distinct values; most_frequent is for columns with few: use median", name,
                  limit));
}

struct Fill {
  double value;
  double operator()(double x) const { return std::isnan(x) ? value : x; }
};

// Values filled, then one 0/1 column an input that says where.
class FillAndTellKernel final : public Kernel {
 public:
  FillAndTellKernel(const std::vector<Stream>& in, int out, std::vector<double> fills)
      : out_(out), fills_(std::move(fills)) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }
  void Run(Frame& frame) const override {
    const size_t n = in_.size();
    for (size_t i = 0; i < n; ++i) {
      const double* in = frame.numbers(in_[i]);
      double* out = frame.block(out_) + i;
      for (int64_t r = 0; r < frame.rows; ++r, out += 2 * n) {
        const bool missing = std::isnan(in[r]);
        out[0] = missing ? fills_[i] : in[r];
        out[n] = missing ? 1 : 0;
      }
    }
  }

 private:
  std::vector<int> in_;
  int out_;
  std::vector<double> fills_;
};

// A text column with nulls replaced.
class FillTextKernel final : public Kernel {
 public:
  FillTextKernel(int in, int text, int out, std::string fill)
      : in_(in), text_(text), out_(out), fill_(std::move(fill)) {}
  void Run(Frame& frame) const override {
    const data::ColumnView in = frame.view(in_);
    data::Column& out = frame.columns[text_];
    out.Clear();
    for (int64_t r = 0; r < frame.rows; ++r) out.AppendString(in.IsValid(r) ? in.string(r) : std::string_view(fill_));
    frame.views[out_] = out.view();
  }

 private:
  int in_, text_, out_;
  std::string fill_;
};

// A column of timestamps with nulls replaced.
class FillTimeKernel final : public Kernel {
 public:
  FillTimeKernel(int in, int column, int out, int64_t fill) : in_(in), column_(column), out_(out), fill_(fill) {}
  void Run(Frame& frame) const override {
    const data::ColumnView in = frame.view(in_);
    data::Column& out = frame.columns[column_];
    out.Clear();
    for (int64_t r = 0; r < frame.rows; ++r) out.AppendInteger(in.IsValid(r) ? in.integers()[r] : fill_);
    frame.views[out_] = out.view();
  }

 private:
  int in_, column_, out_;
  int64_t fill_;
};

class TextModeLearner final : public Learner {
 public:
  TextModeLearner(const Input& input, int64_t limit)
      : name_(input.name), slot_(input.slot), limit_(limit), index_(ScalarType::kString) {}
  Result<void> Add(const Frame& frame, const double*) override {
    const data::ColumnView& view = frame.view(slot_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      const int64_t id = index_.FindOrAdd(view, r);
      if (id < 0) continue;
      if (id == static_cast<int64_t>(counts_.size())) counts_.push_back(0);
      ++counts_[static_cast<size_t>(id)];
      if (index_.size() > limit_) return TooManyValues(name_, limit_);
    }
    return {};
  }
  Result<Value> Finish() override {
    if (counts_.empty()) return NothingLearned(name_, "value");
    int64_t best = -1;
    for (const int64_t id : index_.Sorted()) {
      if (best < 0 || counts_[static_cast<size_t>(id)] > counts_[static_cast<size_t>(best)]) best = id;
    }
    return Value::Map().Set("fill", Value::List().Add(index_.Key(best)));
  }

 private:
  std::string name_;
  int slot_;
  int64_t limit_;
  CategoryIndex index_;
  std::vector<int64_t> counts_;
};

class Impute final : public Step {
 public:
  explicit Impute(StepReader& reader)
      : inputs_(reader.Inputs()),
        strategy_(reader.Choice("strategy", {"mean", "median", "most_frequent", "constant"})),
        indicator_(reader.Boolean("indicator", false)) {
    const Value* value = reader.Find("value");
    if (strategy_ == "constant") {
      if (value == nullptr || !(value->is_number() || value->is_string() || value->is_boolean())) {
        reader.Reject("value", "impute: strategy constant needs `value`, a number or a text");
        return;
      }
      if (value->is_number() && !std::isfinite(value->number()))
        reader.Reject("value", "impute: `value` is not finite; write a number, or leave the step out to keep NaN");
      constant_ = value->is_boolean() ? Value(value->boolean() ? 1.0 : 0.0) : *value;
    } else if (value != nullptr) {
      reader.Reject("value", "impute: `value` goes with strategy: constant only");
    }
  }

  bool learns() const override { return strategy_ != "constant"; }
  const std::vector<std::string>& inputs() const override { return inputs_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    if (inputs.size() == 1 && inputs[0].type == ScalarType::kString && inputs[0].width == 1)
      return CheckText(inputs[0]);
    if (inputs.size() == 1 && inputs[0].type == ScalarType::kTimestamp && inputs[0].width == 1)
      return CheckTime(inputs[0]);
    int64_t width = 0;
    for (const Input& input : inputs) {
      if (input.type == ScalarType::kString || input.type == ScalarType::kTimestamp ||
          (input.width < 0 && !input.is_feature)) {
        return WrongInput(input, "numbers, or one single column of texts or timestamps");
      }
      width = width < 0 || input.width < 0 ? -1 : width + input.width;
    }
    if (constant_.is_string()) return WrongConstant("numbers", "a number");
    return Shape{ScalarType::kNumber, width < 0 ? -1 : indicator_ ? 2 * width : width};
  }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    if (plan.inputs()[0].type == ScalarType::kString) {
      return std::make_unique<TextModeLearner>(plan.inputs()[0], options.max_vocabulary);
    }
    if (strategy_ == "mean") return LearnStreams(plan, Moments(), FinishMean);
    if (strategy_ == "median") {
      return LearnStreams(plan, Quantiles(ExactValuesPerStream(plan, options)), FinishMedian);
    }
    return LearnStreams(plan, Mode(options.max_vocabulary),
                        [limit = options.max_vocabulary](std::vector<Mode>& modes,
                                                         const std::vector<Stream>& streams) -> Result<Value> {
                          Value fill = Value::List();
                          for (size_t i = 0; i < modes.size(); ++i) {
                            if (modes[i].full()) return TooManyValues(streams[i].name, limit);
                            fill.Add(modes[i].Value());
                          }
                          return Value::Map().Set("fill", std::move(fill));
                        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    if (plan.inputs()[0].type == ScalarType::kString) return CompileText(plan);
    if (plan.inputs()[0].type == ScalarType::kTimestamp) return CompileTime(plan);
    const std::vector<Stream>& streams = plan.streams();
    std::vector<double> fills(streams.size(), constant_.is_number() ? constant_.number() : 0);
    if (learns()) {
      fills = plan.learned().Numbers("fill", static_cast<int64_t>(streams.size()));
      SLIPWAY_TRY(plan.learned().Finish());
    }
    if (!indicator_) {
      std::vector<Fill> ops;
      for (const double fill : fills) ops.push_back({fill});
      YieldMap(plan, std::move(ops));
      return {};
    }
    const int slot = plan.AddBlock(2 * static_cast<int64_t>(streams.size()));
    plan.AddKernel(std::make_unique<FillAndTellKernel>(streams, slot, std::move(fills)));
    std::vector<std::string> suffixes;
    for (const std::string_view kind : {".value", ".missing"}) {
      for (const Stream& stream : streams)
        suffixes.push_back((streams.size() == 1 ? "" : "." + stream.name) + std::string(kind));
    }
    plan.Yield(slot, ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  static Result<Value> FinishMean(std::vector<Moments>& moments, const std::vector<Stream>& streams) {
    std::vector<double> fill;
    for (size_t i = 0; i < moments.size(); ++i) {
      fill.push_back(moments[i].Mean());
      if (!std::isfinite(fill.back())) return NotFinite(streams[i].name);
    }
    return Value::Map().Set("fill", LearnedList(fill));
  }
  static Result<Value> FinishMedian(std::vector<Quantiles>& quantiles, const std::vector<Stream>&) {
    std::vector<double> fill;
    for (Quantiles& column : quantiles) fill.push_back(column.Median());
    return Value::Map().Set("fill", LearnedList(fill));
  }

  static std::unexpected<base::Error> WrongConstant(std::string_view reads, std::string_view wanted) {
    return base::Fail(base::Code::kInvalidArgument, "features.bad_parameter",
                      fmt::format("it fills {}, so `value` must be {}", reads, wanted));
  }

  Result<Shape> CheckText(const Input& input) const {
    if (indicator_) {
      return base::Fail(base::Code::kInvalidArgument, "features.bad_parameter",
                        "a text cannot carry an indicator column; use a missing_indicator step beside it");
    }
    if (strategy_ == "mean" || strategy_ == "median") {
      return base::Fail(base::Code::kInvalidArgument, "features.wrong_type",
                        fmt::format("\"{}\" is text, which has no {}; write strategy: most_frequent or constant",
                                    input.name, strategy_));
    }
    if (strategy_ == "constant" && !constant_.is_string()) return WrongConstant("text", "a text");
    return Shape{ScalarType::kString, 1};
  }

  Result<Shape> CheckTime(const Input& input) const {
    if (indicator_) {
      return base::Fail(base::Code::kInvalidArgument, "features.bad_parameter",
                        "a timestamp cannot carry an indicator column; use a missing_indicator step beside it");
    }
    const bool constant = strategy_ == "constant";
    if (constant && !(constant_.is_string() && data::ParseTimestamp(constant_.string()))) {
      return WrongConstant("timestamps", "a text such as 2013-07-04T08:15:00Z");
    }
    return Shape{ScalarType::kTimestamp, 1, input.zone_minutes};
  }

  Result<void> CompileTime(StepPlan& plan) const {
    int64_t fill = 0;
    if (learns()) {
      const double learned = plan.learned().Numbers("fill", 1)[0];
      if (!(std::fabs(learned) < 9e18)) plan.learned().Reject("fill", "is no time");
      SLIPWAY_TRY(plan.learned().Finish());
      fill = std::llround(learned);
    } else {
      fill = data::ParseTimestamp(constant_.string()).value_or(0);
    }
    const int column = plan.AddColumn(ScalarType::kTimestamp);
    const int out = plan.AddView();
    plan.AddKernel(std::make_unique<FillTimeKernel>(plan.inputs()[0].slot, column, out, fill));
    plan.Yield(out, ScalarType::kTimestamp);
    return {};
  }

  Result<void> CompileText(StepPlan& plan) const {
    std::string fill = constant_.is_string() ? constant_.string() : "";
    if (learns()) {
      const base::ValueList& list = plan.learned().List("fill", 1);
      if (!list.empty() && list[0].is_string()) fill = list[0].string();
      if (!list.empty() && !list[0].is_string()) plan.learned().Reject("fill", "is not a text");
      SLIPWAY_TRY(plan.learned().Finish());
    }
    const int text = plan.AddColumn(ScalarType::kString);
    const int out = plan.AddView();
    plan.AddKernel(std::make_unique<FillTextKernel>(plan.inputs()[0].slot, text, out, std::move(fill)));
    plan.Yield(out, ScalarType::kString);
    return {};
  }

  std::vector<std::string> inputs_;
  std::string strategy_;
  bool indicator_;
  Value constant_;
};

}  // namespace

ParsedStep ParseImpute(StepReader& reader) {
  return std::make_unique<Impute>(reader);
}

}  // namespace slipway::features

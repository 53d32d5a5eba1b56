#pragma once
// Step is the inner seam of the feature pipeline: one entry of `features:` that can check its inputs, learn from data
// and compile itself to kernels. How to add a kind: docs/features.md, "Adding a step".
//
// Missing values: between steps a missing number is NaN. Columns keep null and NaN apart (their views have validity);
// the moment a numeric step reads a column, null becomes NaN. An expression reads NaN of a numeric step as null.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "data/type.h"
#include "expr/program.h"
#include "features/fit.h"

namespace slipway::features {

class StepReader;
class LearnedReader;

/// Bounds on what a manifest may ask for; exceeding one is the error "features.limit".
inline constexpr int64_t kMaxSteps = 4096;
inline constexpr int64_t kMaxInputs = 4096;
inline constexpr int64_t kMaxWidth = 1 << 16;  ///< columns of the matrix one step may yield

/// What a step may read: a column of the schema or an earlier feature.
struct Input {
  std::string name;
  data::ScalarType type = data::ScalarType::kNumber;
  int64_t width = 1;                  ///< elements a row; -1: varies (a column) or known only after fitting (a feature)
  std::vector<std::string> elements;  ///< labels of the elements when width > 1, for expressions; may be empty
  std::vector<std::string> columns;   ///< full names of the elements when width > 1
  int zone_minutes = 0;               ///< of timestamps
  int slot = -1;                      ///< where the plan keeps it; -1 while only types are checked
  bool is_feature = false;
};

/// Every name in reach, sorted; made only when a message or an expression wants it.
using InReach = std::function<std::vector<Input>()>;

/// Working memory of one expression.
struct ProgramMemory {
  expr::Workspace workspace;
  std::vector<data::ColumnView> inputs;
};

/// Reused texts of one text step: grows to what the longest text needed, then allocates nothing.
struct TextMemory {
  std::string folded;
  std::string gram;
  std::vector<std::pair<uint32_t, uint32_t>> spans;
};

/// One run over `rows` rows: everything is reached by an index fixed at compile time.
struct Frame {
  int64_t rows = 0;
  int64_t first_row = 0;              ///< number of the first row in the data that was fitted on
  bool training = false;              ///< first_row means something: steps may answer out of fold
  data::ColumnView* views = nullptr;  ///< per slot
  const double** streams = nullptr;   ///< per stream: rows numbers, NaN where missing
  double** scratch = nullptr;         ///< per stream: where a converted stream is kept
  uint64_t** masks = nullptr;         ///< per mask: validity words
  data::Column* columns = nullptr;    ///< per column made by StepPlan::AddColumn
  ProgramMemory* programs = nullptr;  ///< per program
  TextMemory* text_memory = nullptr;  ///< per text memory

  const double* numbers(int stream) const { return streams[stream]; }
  const data::ColumnView& view(int slot) const { return views[slot]; }
  /// The values of a slot made by StepPlan::AddBlock, rows x width.
  double* block(int slot) const { return static_cast<double*>(const_cast<void*>(views[slot].values)); }
};

/// One operation of the compiled plan. Immutable; reads and writes only through the frame, row by row the same way
/// whatever the batch, and allocates nothing.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Run(Frame& frame) const = 0;
};

/// Learns one step's parameters from the batches of one pass.
class Learner {
 public:
  virtual ~Learner() = default;
  /// `target`: one number a row, NaN where it is null; nullptr unless the step needs it.
  virtual base::Result<void> Add(const Frame& frame, const double* target) = 0;
  /// The parameters, a map. Errors: "features.nothing_learned", "features.not_finite".
  virtual base::Result<base::Value> Finish() = 0;
};

/// One input flattened to scalar numbers.
struct Stream {
  int id;
  std::string name;
};

/// What a step sees of the plan while it compiles itself or makes its learner.
class StepPlan {
 public:
  virtual ~StepPlan() = default;
  virtual const std::string& as() const = 0;
  virtual std::span<const Input> inputs() const = 0;
  /// Every name in reach, for expressions.
  virtual const InReach& visible() const = 0;
  /// The step's parameters in fitted.json. Precondition: the step learns and is being compiled.
  virtual LearnedReader& learned() = 0;
  virtual base::Error Fault(std::string reason, std::string message) const = 0;

  /// All inputs as numbers; vectors give one stream an element, columns of other types are converted on the way.
  virtual const std::vector<Stream>& streams() = 0;
  /// A slot whose view has null where `slot`, the result of a numeric step, has NaN. Other slots are returned as is.
  virtual int NullableSlot(int slot) = 0;

  virtual int AddBlock(int64_t width) = 0;           ///< a slot of rows x width numbers, for results or as scratch
  virtual int AddView() = 0;                         ///< a slot whose view a kernel sets at every run
  virtual int AddColumn(data::ScalarType type) = 0;  ///< index into Frame::columns
  virtual int AddProgram(size_t inputs) = 0;         ///< index into Frame::programs
  virtual int AddTextMemory() = 0;
  virtual void AddKernel(std::unique_ptr<Kernel> kernel) = 0;
  /// The step's result. `suffixes`: what follows `as` in the names of the columns, e.g. ".sin" or "=AA"; empty when the
  /// result is one scalar.
  virtual void Yield(int slot, data::ScalarType type, std::vector<std::string> suffixes = {}) = 0;
  virtual void HasTrainingPath() = 0;
};

/// What a step yields as far as it is known before fitting.
struct Shape {
  data::ScalarType type = data::ScalarType::kNumber;
  int64_t width = 1;     ///< -1: known only after fitting
  int zone_minutes = 0;  ///< of timestamps
};

/// One entry of `features:`, read and checked. Immutable.
class Step {
 public:
  virtual ~Step() = default;
  virtual bool learns() const { return false; }
  virtual bool needs_target() const { return false; }
  /// Inputs as written. An expression names none here and answers reads_expression().
  virtual const std::vector<std::string>& inputs() const = 0;
  virtual const std::string* expression() const { return nullptr; }

  /// Checks the types. Called before any data is read, with unknown widths, and again when compiling. `visible` as in
  /// StepPlan. Errors carry a message only; the caller adds where.
  virtual base::Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const = 0;
  virtual base::Result<std::unique_ptr<Learner>> Learn(StepPlan&, const FitOptions&) const { return nullptr; }
  virtual base::Result<void> Compile(StepPlan& plan) const = 0;
};

using StepParser = base::Result<std::unique_ptr<Step>> (*)(StepReader&);

struct StepKind {
  std::string_view name;
  StepParser parse;
  std::string_view twins;  ///< scikit-learn's classes that do the same, apart by spaces; may be empty
};

/// The registration table, in the order of the documentation.
std::span<const StepKind> StepKinds();

/// A step whose inputs are all numbers (or booleans): checks that, and names what to do otherwise.
class NumericStep : public Step {
 public:
  const std::vector<std::string>& inputs() const override { return inputs_; }
  base::Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override;

 protected:
  explicit NumericStep(std::vector<std::string> inputs) : inputs_(std::move(inputs)) {}
  /// Columns of the result per input number.
  virtual int64_t columns_per_input() const { return 1; }

 private:
  std::vector<std::string> inputs_;
};

/// A step whose inputs are categories: scalar strings, integers, booleans or numbers.
class CategoryStep : public Step {
 public:
  const std::vector<std::string>& inputs() const override { return inputs_; }
  base::Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override;

 protected:
  explicit CategoryStep(std::vector<std::string> inputs) : inputs_(std::move(inputs)) {}
  virtual bool width_is_learned() const { return false; }

 private:
  std::vector<std::string> inputs_;
};

/// Error without a place, for Check(); the outline adds it.
std::unexpected<base::Error> WrongInput(const Input& input, std::string_view wanted);

/// Suffixes of a step that yields one column per stream (".distance"): none when there is one stream.
std::vector<std::string> StreamSuffixes(const std::vector<Stream>& streams);

/// out[r] = ops[i](in[i][r]), one op a column.
template <typename Op>
class MapKernel final : public Kernel {
 public:
  MapKernel(const std::vector<Stream>& in, int out, std::vector<Op> ops) : out_(out), ops_(std::move(ops)) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }
  void Run(Frame& frame) const override {
    double* out = frame.block(out_);
    const size_t width = ops_.size();
    if (width == 1) {
      const double* in = frame.numbers(in_[0]);
      const Op op = ops_[0];
      for (int64_t r = 0; r < frame.rows; ++r) out[r] = op(in[r]);
      return;
    }
    for (size_t i = 0; i < width; ++i) {
      const double* in = frame.numbers(in_[i]);
      const Op op = ops_[i];
      for (int64_t r = 0; r < frame.rows; ++r)
        out[r * static_cast<int64_t>(width) + static_cast<int64_t>(i)] = op(in[r]);
    }
  }

 private:
  std::vector<int> in_;
  int out_;
  std::vector<Op> ops_;
};

/// Compiles an elementwise step: one op per stream, one column each.
template <typename Op>
void YieldMap(StepPlan& plan, std::vector<Op> ops) {
  const int slot = plan.AddBlock(static_cast<int64_t>(ops.size()));
  plan.AddKernel(std::make_unique<MapKernel<Op>>(plan.streams(), slot, std::move(ops)));
  plan.Yield(slot, data::ScalarType::kNumber, StreamSuffixes(plan.streams()));
}

}  // namespace slipway::features

// expr: an expression over columns and earlier features (docs/expressions.md).

#include <fmt/format.h>

#include <algorithm>

#include "expr/program.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;

class ExpressionKernel final : public Kernel {
 public:
  ExpressionKernel(expr::Program program, std::vector<int> slots, int memory, int out)
      : program_(std::move(program)), slots_(std::move(slots)), memory_(memory), out_(out) {}

  void Run(Frame& frame) const override {
    ProgramMemory& memory = frame.programs[memory_];
    for (size_t i = 0; i < slots_.size(); ++i) memory.inputs[i] = frame.view(slots_[i]);
    frame.views[out_] = program_.Evaluate(memory.inputs, frame.rows, memory.workspace);
  }

 private:
  expr::Program program_;
  std::vector<int> slots_;
  int memory_, out_;
};

expr::Symbol SymbolOf(const Input& input) {
  expr::Symbol symbol{.name = input.name, .type = {input.type, {}}, .zone_minutes = input.zone_minutes};
  if (input.width == 1 && input.columns.empty()) return symbol;
  symbol.type.shape = {input.width};
  symbol.labels = input.elements;
  return symbol;
}

class Expression final : public Step {
 public:
  explicit Expression(StepReader& reader) {
    const base::Value& text = reader.subject();
    if (text.is_string()) {
      text_ = text.string();
    } else if (text.is_number() || text.is_boolean()) {
      text_ = base::ToJson(text);
    } else {
      reader.Reject("expr", "expr: write the expression as a text, e.g. expr: \"hour(sched_dep)\"");
    }
  }
  const std::vector<std::string>& inputs() const override { return none_; }
  const std::string* expression() const override { return &text_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    // Before fitting, some widths are unknown; an expression that reads such a vector is checked when it is compiled.
    const bool open =
        std::ranges::any_of(inputs, [](const Input& input) { return input.is_feature && input.width < 0; });
    if (open) return Shape{data::ScalarType::kNumber, 1};
    const auto compile = [this](std::span<const Input> from) {
      std::vector<expr::Symbol> symbols;
      for (const Input& input : from) {
        if (input.width >= 0) symbols.push_back(SymbolOf(input));
      }
      return expr::Program::Compile(text_, symbols);
    };
    auto program = compile(inputs);
    if (!program) program = compile(visible());  // for a message that knows the names nearby
    if (!program) return std::unexpected(std::move(program).error());
    return Shape{program->type(), 1};
  }

  Result<void> Compile(StepPlan& plan) const override {
    std::vector<expr::Symbol> mentioned;
    std::vector<const Input*> sources;
    for (const Input& input : plan.inputs()) {
      if (input.width < 0) continue;
      mentioned.push_back(SymbolOf(input));
      sources.push_back(&input);
    }
    SLIPWAY_ASSIGN(const expr::Program probe, expr::Program::Compile(text_, mentioned));
    std::vector<expr::Symbol> used;
    std::vector<int> slots;
    for (const int index : probe.inputs()) {
      used.push_back(mentioned[static_cast<size_t>(index)]);
      slots.push_back(plan.NullableSlot(sources[static_cast<size_t>(index)]->slot));
    }
    SLIPWAY_ASSIGN(expr::Program program, expr::Program::Compile(text_, used));
    const data::ScalarType type = program.type();
    const int memory = plan.AddProgram(slots.size());
    const int out = plan.AddView();
    plan.AddKernel(std::make_unique<ExpressionKernel>(std::move(program), std::move(slots), memory, out));
    plan.Yield(out, type);
    return {};
  }

 private:
  std::string text_;
  std::vector<std::string> none_;
};

}  // namespace

ParsedStep ParseExpression(StepReader& reader) {
  return std::make_unique<Expression>(reader);
}

}  // namespace slipway::features

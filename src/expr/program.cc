#include "expr/program.h"

#include <utility>

#include "expr/checker.h"
#include "expr/parser.h"
#include "expr/registers.h"

namespace slipway::expr {

struct Workspace::State {
  Registers registers;
};

Workspace::Workspace() : state_(std::make_unique<State>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

struct Program::Code {
  Plan plan;
};

Program::Program(std::unique_ptr<const Code> code) : code_(std::move(code)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

base::Result<Program> Program::Compile(std::string_view text, std::span<const Symbol> symbols,
                                       const ProgramLimits& limits) {
  const Checked<Tree> tree = Parse(text, limits);
  if (!tree) return std::unexpected(Render(text, tree.error()));
  Checked<Plan> plan = Check(*tree, symbols);
  if (!plan) return std::unexpected(Render(text, plan.error()));
  auto code = std::make_unique<Code>(Code{std::move(*plan)});
  code->plan.text = text;
  Seal(code->plan);
  return Program(std::move(code));
}

data::ScalarType Program::type() const {
  return code_->plan.type;
}
const std::vector<int>& Program::inputs() const {
  return code_->plan.inputs;
}
const std::string& Program::text() const {
  return code_->plan.text;
}

data::ColumnView Program::Evaluate(std::span<const data::ColumnView> columns, int64_t rows,
                                   Workspace& workspace) const {
  return workspace.state_->registers.Run(code_->plan, columns, rows);
}

}  // namespace slipway::expr

#include "schema/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "schema/column_plan.h"
#include "schema/table_check.h"

namespace slipway::schema {

struct Validator::Plan {
  Schema schema;
  data::Layout layout;
  std::vector<ColumnPlan> columns;
  std::vector<RulePlan> rules;
};

struct ValidatorWorkspace::State {
  CheckMemory memory;
};

ValidatorWorkspace::ValidatorWorkspace() : state_(std::make_unique<State>()) {}
ValidatorWorkspace::~ValidatorWorkspace() = default;
ValidatorWorkspace::ValidatorWorkspace(ValidatorWorkspace&&) noexcept = default;
ValidatorWorkspace& ValidatorWorkspace::operator=(ValidatorWorkspace&&) noexcept = default;

void Report::Clear() {
  violations.clear();
  warnings.clear();
  rejected.clear();
  rejected_rows = 0;
  left_out = 0;
}

namespace {

base::Result<void> CheckNames(const Schema& schema) {
  std::vector<std::string_view> names;
  for (const auto& column : schema.columns) names.push_back(column.field.name);
  std::ranges::sort(names);
  const auto repeated = std::ranges::adjacent_find(names);
  if (repeated == names.end()) return {};
  return base::Fail(base::Code::kInvalidArgument, "manifest.contradiction",
                    fmt::format("there are two columns named \"{}\": rename one", base::Shorten(*repeated)));
}

base::Result<ColumnPlan> CompileColumn(const ColumnRules& rules, const base::Value& fitted) {
  const base::Value* learned = fitted.Find(rules.field.name);
  if (learned && learned->is_null()) learned = nullptr;
  const bool imputes = rules.missing == Missing::kImpute || rules.on_violation == Policy::kImpute;
  const auto position_of = [&](std::string_view) { return rules.position; };
  SLIPWAY_ASSIGN(auto plan, ColumnPlan::Compile(rules, position_of, imputes ? learned : nullptr));
  if (imputes && !plan.has_replacement()) {
    return base::Fail(
        base::Code::kFailedPrecondition, "schema.not_fitted",
        fmt::format("{} is imputed, but nothing was learned for it: run slipway fit, or give it a default",
                    rules.field.name),
        Where(rules.position));
  }
  return plan;
}

base::Result<RulePlan> CompileRule(const CrossFieldRule& rule, std::span<const expr::Symbol> symbols) {
  auto program = expr::Program::Compile(rule.check, symbols);
  if (!program) {
    base::Error error = std::move(program).error();
    error.where = Where(rule.position);
    return std::unexpected(std::move(error));
  }
  if (program->type() != data::ScalarType::kBoolean) {
    return base::Fail(base::Code::kInvalidArgument, "expr.type",
                      fmt::format("the rule {} gives a {}, not true or false: write a comparison",
                                  base::Shorten(rule.check, 256), data::ScalarTypeName(program->type())),
                      Where(rule.position));
  }
  return RulePlan{rule, std::move(*program)};
}

}  // namespace

base::Result<Validator> Validator::Create(Schema schema, const base::Value& fitted) {
  if (static_cast<int64_t>(schema.columns.size()) > kMaxColumns ||
      static_cast<int64_t>(schema.rules.size()) > kMaxRules) {
    return base::Fail(base::Code::kInvalidArgument, "manifest.limit",
                      fmt::format("the schema has more than {} columns or {} rules", kMaxColumns, kMaxRules));
  }
  SLIPWAY_TRY(CheckNames(schema));
  auto plan = std::make_unique<Plan>();
  std::vector<expr::Symbol> symbols;
  for (auto& column : schema.columns) {
    column.field.personal = column.field.personal || column.personal != Personal::kNo;
    SLIPWAY_ASSIGN(auto compiled, CompileColumn(column, fitted));
    plan->columns.push_back(std::move(compiled));
    symbols.push_back({column.field.name, column.field.type, column.field.zone_minutes, column.field.labels});
  }
  for (const auto& rule : schema.rules) {
    SLIPWAY_ASSIGN(auto compiled, CompileRule(rule, symbols));
    plan->rules.push_back(std::move(compiled));
  }
  plan->layout = schema.MakeLayout();
  plan->schema = std::move(schema);
  return Validator(std::move(plan));
}

Validator::Validator(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Validator::Validator(Validator&&) noexcept = default;
Validator& Validator::operator=(Validator&&) noexcept = default;
Validator::~Validator() = default;

const Schema& Validator::schema() const {
  return plan_->schema;
}
const data::Layout& Validator::layout() const {
  return plan_->layout;
}

void Validator::Check(data::Decoded& rows, Report& report, ValidatorWorkspace& workspace, CheckOptions options) const {
  TableCheck check(plan_->columns, rows, report, workspace.state_->memory, options);
  check.CheckColumns();
  check.CheckRules(plan_->rules);
  check.Finish();
}

}  // namespace slipway::schema

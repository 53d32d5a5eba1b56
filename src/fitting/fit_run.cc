#include "fitting/fit_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "data/null_words.h"
#include "features/fit.h"
#include "fitting/baseline.h"
#include "schema/validator.h"
#include "scoring/preprocessor.h"

namespace slipway::fitting {
namespace {

using base::Code;
using base::Fail;
using data::ScalarType;

/// The step that learns a column's fill value: the median of numbers, the most frequent of everything else.
features::StepSpec FillStep(const schema::ColumnRules& column) {
  const bool number =
      column.field.type.scalar == ScalarType::kNumber || column.field.type.scalar == ScalarType::kInteger;
  return {base::Value::Map()
              .Set("as", column.field.name + " fill")
              .Set("impute", column.field.name)
              .Set("strategy", number ? "median" : "most_frequent")};
}

/// The learned fill in the column's own type; null when nothing was learned.
base::Value FillOf(const schema::ColumnRules& column, const base::Value& learned) {
  const base::Value* step = learned.Find(column.field.name + " fill");
  const base::Value* list = step ? step->Find("fill") : nullptr;
  if (!list || !list->is_list() || list->list().empty()) return {};
  const auto& fill = list->list()[0];
  if (!fill.is_number()) return fill;
  if (column.field.type.scalar == ScalarType::kInteger) return static_cast<int64_t>(std::llround(fill.number()));
  if (column.field.type.scalar == ScalarType::kBoolean) return fill.number() != 0;
  return fill.number();
}

}  // namespace

data::Layout TrainingLayout(const bundle::Manifest& manifest, const std::vector<std::string>& carried) {
  std::vector<data::Field> fields;
  for (const auto& column : manifest.schema.columns) fields.push_back(column.field);
  auto carry = [&](const std::string& name) {
    if (name.empty() || std::ranges::find(fields, name, &data::Field::name) != fields.end()) return;
    data::Field field;
    field.name = name;
    field.type.scalar = ScalarType::kString;
    field.as_text = true;
    fields.push_back(std::move(field));
  };
  if (manifest.target && !manifest.target->empty()) {
    carry(*manifest.target);
    auto& target = *std::ranges::find(fields, *manifest.target, &data::Field::name);
    target.null_texts.insert(target.null_texts.end(), data::kNullWords.begin(), data::kNullWords.end());
    target.null_texts.emplace_back();  // "" is no class
  }
  for (const auto& name : carried) carry(name);
  return data::Layout(std::move(fields), data::UnknownFields::kIgnore);
}

std::optional<double> TargetValue(const data::Column& column, int64_t row) {
  if (!column.IsValid(row)) return std::nullopt;
  const auto view = column.view();
  switch (view.type) {
    case ScalarType::kNumber:
      return view.numbers()[row];
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      return static_cast<double>(view.integers()[row]);
    case ScalarType::kBoolean:
      return view.booleans()[row];
    case ScalarType::kString:
      break;
  }
  const auto text = base::Trim(view.string(row));
  if (text == "true" || text == "True" || text == "TRUE") return 1;
  if (text == "false" || text == "False" || text == "FALSE") return 0;
  return base::ParseDouble(text);
}

struct FitRun::State {
  bundle::Manifest manifest;
  data::Layout layout;
  int target = -1;  ///< index in the layout
  std::vector<data::Field> fields;
  std::optional<schema::Validator> validator;  ///< of the current pass
  schema::ValidatorWorkspace validation;
  schema::Report report;
  data::Table accepted;
  std::optional<features::Fitter> fills;  ///< first pass
  std::optional<features::Fitter> steps;  ///< later passes
  std::vector<ColumnBaseline> baseline;
  data::Column target_numbers{data::DataType{ScalarType::kNumber, {}}};
  base::Value columns = base::Value::Map();
  FitCounts counts;
  std::string bad_target;
  int pass = 0;
  int passes = 2;
};

FitRun::FitRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
FitRun::FitRun(FitRun&&) noexcept = default;
FitRun::~FitRun() = default;

const data::Layout& FitRun::layout() const {
  return state_->layout;
}
int FitRun::pass() const {
  return state_->pass;
}
int FitRun::passes() const {
  return state_->passes;
}
const FitCounts& FitRun::counts() const {
  return state_->counts;
}

base::Result<FitRun> FitRun::Create(const bundle::Manifest& manifest) {
  if (!manifest.has_inputs) {
    return Fail(Code::kFailedPrecondition, "fit.model_schema",
                "the manifest declares no inputs, so there is nothing to fit: its schema is the model's own tensors",
                "slipway.yaml");
  }
  auto state = std::make_unique<State>();
  state->manifest = manifest;
  state->layout = TrainingLayout(manifest, {});
  if (manifest.target) state->target = state->layout.Find(*manifest.target);
  std::vector<features::StepSpec> fills;
  for (const auto& column : manifest.schema.columns) {
    state->fields.push_back(column.field);
    state->baseline.emplace_back(column.field);
  }
  for (const int column : schema::ColumnsToLearn(manifest.schema)) {
    fills.push_back(FillStep(manifest.schema.columns[static_cast<size_t>(column)]));
  }
  auto validator = schema::Validator::Create(schema::WithoutImputing(manifest.schema));
  if (!validator) return std::unexpected(scoring::InManifest(std::move(validator).error()));
  state->validator.emplace(std::move(*validator));
  SLIPWAY_ASSIGN(auto fill_fitter, features::Fitter::Create(state->fields, fills));
  state->fills.emplace(std::move(fill_fitter));
  auto step_fitter = features::Fitter::Create(state->fields, manifest.features);
  if (!step_fitter) return std::unexpected(scoring::InManifest(std::move(step_fitter).error()));
  state->steps.emplace(std::move(*step_fitter));
  if (state->steps->needs_target() && !manifest.target) {
    return Fail(
        Code::kFailedPrecondition, "fit.no_target",
        "a feature step learns from the target, and the manifest names none: add `target: COLUMN` at its top level",
        "slipway.yaml");
  }
  state->passes = 1 + std::max(1, state->steps->passes());
  return FitRun(std::move(state));
}

base::Result<void> FitRun::Add(data::Decoded& rows) {
  auto& s = *state_;
  s.report.Clear();
  s.validator->Check(rows, s.report, s.validation);
  s.counts.rows += rows.table.rows;
  s.counts.rejected += s.report.rejected_rows;
  for (const auto& violation : s.report.violations) {
    if (s.counts.examples.size() >= 5) break;
    s.counts.examples.push_back(
        fmt::format("row {}: {}", s.counts.rows - rows.table.rows + violation.row, violation.message));
  }
  const data::Table* table = &rows.table;
  if (s.report.rejected_rows > 0) {
    if (s.accepted.columns.empty()) s.accepted = data::Table::Make(s.layout.fields());
    s.accepted.Clear();
    for (int64_t row = 0; row < rows.table.rows; ++row) {
      if (!s.report.rejected[static_cast<size_t>(row)]) s.accepted.AppendRow(rows.table, row);
    }
    table = &s.accepted;
  }
  if (s.target >= 0) {
    s.target_numbers.Clear();
    const auto& column = table->columns[static_cast<size_t>(s.target)];
    for (int64_t row = 0; row < table->rows; ++row) {
      const auto value = TargetValue(column, row);
      if (!value && column.IsValid(row) && s.bad_target.empty() && column.type().scalar == ScalarType::kString) {
        s.bad_target = base::Shorten(column.string(row), 40);
      }
      s.counts.without_target += !column.IsValid(row);
      value ? s.target_numbers.AppendNumber(*value) : s.target_numbers.AppendNull();
    }
  }
  std::vector<data::ColumnView> views(s.fields.size());
  for (size_t i = 0; i < views.size(); ++i) {
    views[i] = table->columns[i].view();
    if (s.pass == 0) s.baseline[i].Explore(views[i], table->rows);
    if (s.pass == 1) s.baseline[i].Count(views[i], table->rows);
  }
  const data::ColumnView target = s.target_numbers.view();
  if (s.pass == 0) {
    return s.fills->passes() > 0 ? s.fills->Add(views, table->rows, nullptr) : base::Result<void>();
  }
  if (s.steps->passes() == 0) return {};
  return s.steps->Add(views, table->rows, s.target >= 0 ? &target : nullptr);
}

base::Result<bool> FitRun::EndPass() {
  auto& s = *state_;
  if (s.counts.rejected == s.counts.rows) {
    return Fail(Code::kInvalidArgument, "fit.no_rows",
                s.counts.rows == 0 ? std::string("the table has no rows")
                                   : fmt::format("all {} rows break the schema, e.g. {}", s.counts.rows,
                                                 s.counts.examples.empty() ? "" : s.counts.examples.front()));
  }
  if (s.steps->needs_target() && !s.bad_target.empty()) {
    return Fail(
        Code::kInvalidArgument, "fit.target",
        fmt::format("the target {:?} holds the text {:?}; a step that learns from it needs numbers or true and false",
                    *s.manifest.target, s.bad_target));
  }
  if (s.pass == 0) {
    if (s.fills->passes() > 0) {
      SLIPWAY_TRY(s.fills->EndPass());
      const auto learned = s.fills->Learned();
      for (const int index : schema::ColumnsToLearn(s.manifest.schema)) {
        const auto& column = s.manifest.schema.columns[static_cast<size_t>(index)];
        s.columns.Set(column.field.name, FillOf(column, learned));
      }
    }
    SLIPWAY_ASSIGN(s.validator, schema::Validator::Create(s.manifest.schema, s.columns));
    for (auto& column : s.baseline) column.EndExploring();
  } else if (s.steps->passes() > 0) {
    SLIPWAY_TRY(s.steps->EndPass());
  }
  ++s.pass;
  const bool more = s.pass < s.passes;
  if (more) s.counts = {};
  return more;
}

base::Value FitRun::Fitted() const {
  return base::Value::Map().Set("format", 1).Set("columns", state_->columns).Set("features", state_->steps->Learned());
}

base::Value FitRun::Baseline() const {
  auto columns = base::Value::Map();
  for (size_t i = 0; i < state_->fields.size(); ++i) columns.Set(state_->fields[i].name, state_->baseline[i].ToValue());
  return base::Value::Map()
      .Set("format", 1)
      .Set("rows", state_->counts.rows - state_->counts.rejected)
      .Set("columns", std::move(columns));
}

}  // namespace slipway::fitting

#include "fitting/fit_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "data/null_words.h"
#include "features/fit.h"
#include "fitting/table_baseline.h"
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
  /// What a pass is for, in their order; the first two are left out when they have nothing to do.
  enum class Kind : uint8_t { kFills, kSteps, kBaseline };

  Kind kind() const {
    if (pass < fill_passes) return Kind::kFills;
    return pass + 1 < passes ? Kind::kSteps : Kind::kBaseline;
  }
  const data::Table& Check(data::Decoded& rows);
  void Count(const data::Decoded& rows);
  void ReadTarget(const data::Table& table);
  void NoteBadTarget(const data::Column& column, int64_t row, std::optional<double> value);
  int64_t RowAsRead(int64_t accepted_row) const;
  void Describe(const data::Decoded& rows, const data::Table& table);
  base::Result<void> EndFills();
  base::Result<void> BeginBaseline();

  bundle::Manifest manifest;
  data::Layout layout;
  int target = -1;  ///< index in the layout
  std::vector<data::Field> fields;
  std::optional<schema::Validator> validator;  ///< of the current pass, but for the last
  schema::ValidatorWorkspace validation;
  schema::Report report;
  data::Table accepted;
  std::optional<features::Fitter> fills;
  std::optional<features::Fitter> steps;
  std::optional<scoring::Preprocessor> preprocessor;  ///< last pass: what serves
  scoring::Preprocessor::Workspace workspace;
  std::optional<TableBaseline> baseline;
  data::Column target_numbers{data::DataType{ScalarType::kNumber, {}}};
  base::Value columns = base::Value::Map();
  FitCounts counts;
  std::string bad_target;  ///< "holds the text … in row 3": what no step can learn from
  int64_t first_row = 0;   ///< of the batch at hand
  int pass = 0;
  int fill_passes = 0;
  int passes = 1;
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
  for (const auto& column : manifest.schema.columns) state->fields.push_back(column.field);
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
  state->fill_passes = state->fills->passes();
  state->passes = state->fill_passes + state->steps->passes() + 1;
  if (state->fill_passes == 0) SLIPWAY_TRY(state->EndFills());
  if (state->passes == 1) SLIPWAY_TRY(state->BeginBaseline());
  return FitRun(std::move(state));
}

const data::Table& FitRun::State::Check(data::Decoded& rows) {
  report.Clear();
  if (kind() == Kind::kBaseline) {
    baseline->NoteMissing(rows.table);
    return preprocessor->Check(rows, report, workspace);
  }
  validator->Check(rows, report, validation);
  return scoring::AcceptedRows(rows.table, report, accepted);
}

void FitRun::State::Count(const data::Decoded& rows) {
  counts.rows += rows.table.rows;
  counts.rejected += report.rejected_rows;
  for (const auto& violation : report.violations) {
    if (counts.examples.size() >= 5) break;
    counts.examples.push_back(
        fmt::format("row {}: {}", counts.rows - rows.table.rows + violation.row, violation.message));
  }
}

void FitRun::State::NoteBadTarget(const data::Column& column, int64_t row, std::optional<double> value) {
  const int64_t place = first_row + RowAsRead(row);
  if (value && std::isinf(*value)) {
    bad_target = fmt::format("is infinite in row {}", place);
  } else if (!value && column.type().scalar == ScalarType::kString) {
    bad_target = fmt::format("holds the text {:?} in row {}", base::Shorten(column.string(row), 40), place);
  }
}

/// Where an accepted row stands among those of the batch.
int64_t FitRun::State::RowAsRead(int64_t accepted_row) const {
  int64_t row = 0;
  for (; row < std::ssize(report.rejected); ++row) {
    if (!report.rejected[static_cast<size_t>(row)] && accepted_row-- == 0) break;
  }
  return row;
}

void FitRun::State::ReadTarget(const data::Table& table) {
  if (target < 0) return;
  target_numbers.Clear();
  const auto& column = table.columns[static_cast<size_t>(target)];
  for (int64_t row = 0; row < table.rows; ++row) {
    const auto value = TargetValue(column, row);
    if (bad_target.empty() && column.IsValid(row)) NoteBadTarget(column, row, value);
    counts.without_target += !column.IsValid(row);
    value ? target_numbers.AppendNumber(*value) : target_numbers.AppendNull();
  }
}

void FitRun::State::Describe(const data::Decoded& rows, const data::Table& table) {
  baseline->AddColumns(rows.table, report.rejected);
  if (target >= 0) baseline->AddTarget(table.columns[static_cast<size_t>(target)], target_numbers);
  if (!preprocessor->has_features()) return;
  constexpr int64_t kBlock = scoring::Preprocessor::kBlockRows;
  for (int64_t first = 0; first < table.rows; first += kBlock) {
    const int64_t count = std::min(kBlock, table.rows - first);
    preprocessor->Features(table, first, count, workspace);  // as requests get them, not out of fold
    baseline->AddFeatures(preprocessor->pipeline(), workspace.features, count);
  }
}

base::Result<void> FitRun::Add(data::Decoded& rows) {
  auto& s = *state_;
  const data::Table& table = s.Check(rows);
  s.Count(rows);
  s.ReadTarget(table);
  if (s.kind() == State::Kind::kBaseline) {
    s.Describe(rows, table);
    return {};
  }
  std::vector<data::ColumnView> views(s.fields.size());
  for (size_t i = 0; i < views.size(); ++i) views[i] = table.columns[i].view();
  if (s.kind() == State::Kind::kFills) return s.fills->Add(views, table.rows, nullptr);
  const data::ColumnView target = s.target_numbers.view();
  auto added = s.steps->Add(views, table.rows, s.target >= 0 ? &target : nullptr);
  if (!added) return std::unexpected(scoring::InManifest(std::move(added).error()));
  return {};
}

base::Result<void> FitRun::State::EndFills() {
  if (fill_passes > 0) {
    const auto learned = fills->Learned();
    for (const int index : schema::ColumnsToLearn(manifest.schema)) {
      const auto& column = manifest.schema.columns[static_cast<size_t>(index)];
      columns.Set(column.field.name, FillOf(column, learned));
    }
  }
  SLIPWAY_ASSIGN(validator, schema::Validator::Create(manifest.schema, columns));
  return {};
}

base::Result<void> FitRun::State::BeginBaseline() {
  const auto fitted = base::Value::Map().Set("columns", columns).Set("features", steps->Learned());
  SLIPWAY_ASSIGN(preprocessor, scoring::Preprocessor::Create(manifest, fitted, manifest.schema));
  baseline.emplace(fields, preprocessor->pipeline().features(), manifest.target);
  return {};
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
    return Fail(Code::kInvalidArgument, "fit.target",
                fmt::format("the target {:?} {}; a step that learns from it needs finite numbers or true and false",
                            *s.manifest.target, s.bad_target));
  }
  if (s.kind() == State::Kind::kBaseline) {
    ++s.pass;
    return false;
  }
  if (s.kind() == State::Kind::kFills) {
    if (auto done = s.fills->EndPass(); !done) return std::unexpected(scoring::InManifest(std::move(done).error()));
    if (s.pass + 1 == s.fill_passes) SLIPWAY_TRY(s.EndFills());
  } else {
    if (auto done = s.steps->EndPass(); !done) return std::unexpected(scoring::InManifest(std::move(done).error()));
  }
  if (s.pass + 2 == s.passes) SLIPWAY_TRY(s.BeginBaseline());
  ++s.pass;
  s.counts = {};
  return true;
}

base::Value FitRun::Fitted() const {
  return base::Value::Map().Set("format", 1).Set("columns", state_->columns).Set("features", state_->steps->Learned());
}

base::Value FitRun::Baseline() const {
  return state_->baseline->ToValue();
}

}  // namespace slipway::fitting

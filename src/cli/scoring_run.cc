#include "cli/scoring_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/machine.h"
#include "base/value.h"
#include "cli/engines.h"
#include "cli/ordered_work.h"
#include "cli/table_options.h"
#include "data/json_rows.h"
#include "scoring/answers.h"
#include "tables/output_file.h"

namespace slipway::cli {
namespace {

/// Where the columns of --keep stand in the layout that is read: the schema's own, then the carried ones.
struct KeptColumns {
  data::Layout layout;
  std::vector<int> columns;
  std::vector<data::Field> fields;
};

/// `stored`: what a typed format says about its columns; a column of it stays what it is, any other is carried as text.
KeptColumns Keep(const scoring::Scorer& scorer, const std::vector<std::string>& names, bool ignore_unknown,
                 const std::vector<tables::StoredColumn>& stored) {
  auto fields = scorer.layout().fields();
  KeptColumns kept;
  auto place_of = [&](const std::string& name) {
    const auto it = std::ranges::find(fields, name, &data::Field::name);
    if (it != fields.end()) return it;
    data::Field field;
    field.name = name;
    field.type.scalar = data::ScalarType::kString;
    field.as_text = true;
    const auto known = std::ranges::find(stored, name, &tables::StoredColumn::name);
    const bool wide =
        known != stored.end() && (known->stored_type == "UBIGINT" || known->stored_type.ends_with("HUGEINT"));
    if (known != stored.end() && known->type && known->type->is_scalar() && !wide) {
      field.type = *known->type;
      field.as_text = false;
    }
    return fields.insert(fields.end(), std::move(field));
  };
  // A table that still has the column to predict is no worse for it.
  if (const auto& target = scorer.manifest().target; target && !target->empty()) place_of(*target);
  for (const auto& name : names) {
    const auto it = place_of(name);
    kept.columns.push_back(static_cast<int>(it - fields.begin()));
    kept.fields.push_back(*it);
  }
  kept.layout =
      data::Layout(std::move(fields), ignore_unknown ? data::UnknownFields::kIgnore : scorer.layout().unknown_fields());
  return kept;
}

/// One batch on its way through.
struct Slot {
  data::Decoded rows;
  data::Table kept;  ///< the kept columns as they came, before repairs
  scoring::Scores scores;
  data::Table table;  ///< for CSV and Parquet
  std::string text;   ///< for JSON lines
  int64_t first_row = 0;
};

/// A table has one column of a name; JSON lines keep what is carried along apart.
base::Result<void> CheckNames(const std::vector<data::Field>& fields, size_t kept) {
  for (size_t i = 0; i < kept; ++i) {
    const auto& name = fields[i].name;
    if (std::ranges::count(fields, name, &data::Field::name) < 2) continue;
    return base::Fail(base::Code::kInvalidArgument, "predict.keep",
                      fmt::format("--keep names {0:?}, and the answer has a column {0:?} of its own; give the model's "
                                  "answer another name under `outputs:`, or write JSON lines",
                                  name));
  }
  return {};
}

/// What the first rejected rows are rejected for, for the hint at the end.
void NoteReasons(const schema::Report& report, ScoringOutcome& outcome) {
  for (const auto& violation : report.violations) {
    if (outcome.unknown.size() >= 8) return;
    if (violation.code == data::ViolationCode::kUnknownField &&
        std::ranges::find(outcome.unknown, violation.path) == outcome.unknown.end()) {
      outcome.unknown.push_back(violation.path);
    }
  }
}

/// Where answers go: lines of text, or a table.
class Answers {
 public:
  static base::Result<Answers> Open(const ScoringOptions& options, const scoring::Scorer& scorer,
                                    const KeptColumns& kept) {
    SLIPWAY_ASSIGN(const auto format, TableFormat(options.output, options.output_format, tables::Format::kJsonLines));
    Answers answers(scorer, kept);
    if (format.format == tables::Format::kJsonLines) {
      SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(options.output));
      answers.lines_.emplace(std::move(file));
      return answers;
    }
    answers.fields_ = kept.fields;
    answers.fields_.insert(answers.fields_.end(), scorer.output_fields().begin(), scorer.output_fields().end());
    data::Field error;
    error.name = "error";
    error.type.scalar = data::ScalarType::kString;
    answers.fields_.push_back(std::move(error));
    SLIPWAY_TRY(CheckNames(answers.fields_, kept.fields.size()));
    SLIPWAY_ASSIGN(answers.sink_, tables::OpenSink(options.output, answers.fields_, format));
    return answers;
  }

  /// On a worker: turns the scores of a slot into text or a table.
  void Encode(Slot& slot) const {
    if (!lines_) return Tabulate(slot);
    slot.text.clear();
    if (kept_->fields.empty()) {
      writer_.AppendLines(slot.scores, slot.first_row, slot.text);
      return;
    }
    writer_.AppendLines(slot.scores, slot.first_row, slot.text, [&](int64_t row, std::string& out) {
      out += ",\"kept\":";
      kept_encoder_.AppendRow(slot.kept, row, out);
    });
  }

  base::Result<void> Write(const Slot& slot) {
    if (!lines_) return sink_->Write(slot.table);
    SLIPWAY_TRY(lines_->Append(slot.text));
    return lines_->is_stream() ? lines_->Flush() : base::Result<void>();
  }

  base::Result<void> Finish() { return lines_ ? lines_->Finish() : sink_->Finish(); }

 private:
  Answers(const scoring::Scorer& scorer, const KeptColumns& kept)
      : kept_(&kept), writer_(scorer), kept_encoder_(kept.fields) {}

  void Tabulate(Slot& slot) const {
    if (slot.table.columns.size() != fields_.size()) slot.table = data::Table::Make(fields_);
    slot.table.Clear();
    size_t c = 0;
    for (const auto* part : {&slot.kept, &slot.scores.predictions}) {
      for (const auto& column : part->columns) {
        for (int64_t row = 0; row < slot.rows.table.rows; ++row) slot.table.columns[c].AppendFrom(column, row);
        ++c;
      }
    }
    size_t at = 0;
    for (int64_t row = 0; row < slot.rows.table.rows; ++row) {
      if (slot.scores.report.rejected[static_cast<size_t>(row)]) {
        slot.table.columns[c].AppendString(
            base::ToJson(scoring::ErrorOf(scoring::ViolationsOf(slot.scores.report.violations, row, at))));
      } else {
        slot.table.columns[c].AppendNull();
      }
    }
    slot.table.rows = slot.rows.table.rows;
  }

  const KeptColumns* kept_;
  scoring::AnswerWriter writer_;
  data::JsonRowEncoder kept_encoder_;
  std::vector<data::Field> fields_;
  std::optional<tables::OutputFile> lines_;
  std::unique_ptr<tables::RowSink> sink_;
};

}  // namespace

base::Result<ScoringOutcome> ScoreTable(const ScoringOptions& options, const Console& console) {
  SLIPWAY_ASSIGN(const auto loaded, LoadBundle(options.bundle));
  const auto& scorer = *loaded.scorer;
  SLIPWAY_ASSIGN(const auto format, TableFormat(options.input, options.format, tables::Format::kJsonLines));
  std::vector<tables::StoredColumn> stored;
  if (format.format == tables::Format::kParquet && !options.keep.empty()) {
    SLIPWAY_ASSIGN(stored, tables::ReadColumns(options.input, format));
  }
  const auto kept = Keep(scorer, options.keep, options.ignore_unknown, stored);
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(options.input, kept.layout, format));
  SLIPWAY_ASSIGN(auto answers, Answers::Open(options, scorer, kept));

  const int threads = options.threads > 0 ? options.threads : base::CpuBudget();
  std::vector<scoring::Workspace> workspaces;
  for (int i = 0; i < threads; ++i) {
    SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
    workspaces.push_back(std::move(workspace));
  }
  const int slot_count = threads * 2;
  std::vector<Slot> slots;
  for (int i = 0; i < slot_count; ++i)
    slots.push_back({.rows = data::Decoded(kept.layout), .kept = data::Table::Make(kept.fields)});
  // A person at a terminal or a pipe wants each answer at once, a file wants throughput.
  const int64_t batch_rows = options.input == "-" && options.output == "-" && console.stdout_is_terminal() ? 1 : 1024;

  ScoringOutcome outcome;
  const auto& inputs = scorer.schema().columns;
  if (!scorer.manifest().has_inputs && inputs.size() == 1 && !inputs[0].field.type.is_scalar()) {
    outcome.tensor = fmt::format("{} ({})", inputs[0].field.name, inputs[0].field.type.ToString());
  }
  const auto total = source->progress().total;
  Progress progress(console, "scoring", total > 0 ? std::optional(total) : std::nullopt);
  OrderedWork::Plan plan{.workers = threads, .slots = slot_count, .fill = {}, .work = {}, .drain = {}};
  int64_t read = 0;
  plan.fill = [&](int index) -> base::Result<bool> {
    auto& slot = slots[static_cast<size_t>(index)];
    SLIPWAY_ASSIGN(const bool more, source->Next(slot.rows, batch_rows));
    slot.first_row = read;
    read += slot.rows.table.rows;
    return more;
  };
  plan.work = [&](int index, int worker) -> base::Result<void> {
    auto& slot = slots[static_cast<size_t>(index)];
    slot.kept.Clear();
    for (size_t c = 0; c < kept.columns.size(); ++c) {
      const auto& from = slot.rows.table.columns[static_cast<size_t>(kept.columns[c])];
      for (int64_t row = 0; row < slot.rows.table.rows; ++row) slot.kept.columns[c].AppendFrom(from, row);
    }
    slot.kept.rows = slot.rows.table.rows;
    SLIPWAY_TRY(scorer.Score(slot.rows, workspaces[static_cast<size_t>(worker)], slot.scores));
    answers.Encode(slot);
    return {};
  };
  plan.drain = [&](int index) -> base::Result<void> {
    auto& slot = slots[static_cast<size_t>(index)];
    outcome.rows += slot.rows.table.rows;
    outcome.rejected += slot.scores.report.rejected_rows;
    if (outcome.example.empty() && !slot.scores.report.violations.empty()) {
      const auto& violation = slot.scores.report.violations.front();
      outcome.example = fmt::format("row {}: {}", slot.first_row + violation.row, violation.message);
      NoteReasons(slot.scores.report, outcome);
    }
    progress.Update(source->progress().done, fmt::format("{} rows", Grouped(outcome.rows)));
    return answers.Write(slot);
  };
  SLIPWAY_TRY(OrderedWork::Run(plan));
  SLIPWAY_TRY(answers.Finish());
  return outcome;
}

}  // namespace slipway::cli

#include "cli/scoring_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/machine.h"
#include "base/ordered_work.h"
#include "batch/answer_form.h"
#include "batch/carried_columns.h"
#include "cli/engines.h"
#include "cli/table_options.h"
#include "tables/output_file.h"

namespace slipway::cli {
namespace {

/// One batch on its way through.
struct Slot {
  batch::ScoredRows batch;
  std::string text;  ///< for JSON lines
};

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
                                    const batch::CarriedColumns& carried) {
    SLIPWAY_ASSIGN(const auto format, TableFormat(options.output, options.output_format, tables::Format::kJsonLines));
    SLIPWAY_ASSIGN(auto form, batch::AnswerForm::Create(scorer, carried, *format.format));
    Answers answers(std::move(form));
    if (format.format == tables::Format::kJsonLines) {
      SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(options.output));
      answers.lines_.emplace(std::move(file));
    } else {
      SLIPWAY_ASSIGN(answers.sink_, tables::OpenSink(options.output, answers.form_.fields(), format));
    }
    return answers;
  }

  /// On a worker: turns the scores of a slot into text or a table.
  void Encode(Slot& slot) const {
    slot.text.clear();
    if (lines_) {
      form_.AppendText(slot.batch, {}, slot.text);
    } else {
      form_.Tabulate(slot.batch);
    }
  }

  base::Result<void> Write(const Slot& slot) {
    if (!lines_) return sink_->Write(slot.batch.table);
    SLIPWAY_TRY(lines_->Append(slot.text));
    return lines_->is_stream() ? lines_->Flush() : base::Result<void>();
  }

  base::Result<void> Finish() { return lines_ ? lines_->Finish() : sink_->Finish(); }

 private:
  explicit Answers(batch::AnswerForm form) : form_(std::move(form)) {}

  batch::AnswerForm form_;
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
  const auto carried = batch::Carry(scorer, options.keep, options.ignore_unknown, stored);
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(options.input, carried.layout, format));
  SLIPWAY_ASSIGN(auto answers, Answers::Open(options, scorer, carried));

  const int threads = options.threads > 0 ? options.threads : base::CpuBudget();
  std::vector<scoring::Workspace> workspaces;
  for (int i = 0; i < threads; ++i) {
    SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
    workspaces.push_back(std::move(workspace));
  }
  const int slot_count = threads * 2;
  std::vector<Slot> slots;
  for (int i = 0; i < slot_count; ++i) slots.push_back({.batch = batch::ScoredRows(carried), .text = {}});
  // A person at a terminal or a pipe wants each answer at once, a file wants throughput.
  const int64_t batch_rows = options.input == "-" && options.output == "-" && console.stdout_is_terminal() ? 1 : 1024;

  ScoringOutcome outcome;
  const auto& inputs = scorer.schema().columns;
  if (!scorer.manifest().has_inputs && inputs.size() == 1 && !inputs[0].field.type.is_scalar()) {
    outcome.tensor = fmt::format("{} ({})", inputs[0].field.name, inputs[0].field.type.ToString());
  }
  const auto total = source->progress().total;
  Progress progress(console, "scoring", total > 0 ? std::optional(total) : std::nullopt);
  base::OrderedWork::Plan plan{.workers = threads, .slots = slot_count, .fill = {}, .work = {}, .drain = {}};
  int64_t read = 0;
  plan.fill = [&](int index) -> base::Result<bool> {
    auto& batch = slots[static_cast<size_t>(index)].batch;
    SLIPWAY_ASSIGN(const bool more, source->Next(batch.rows, batch_rows));
    batch.first_row = read;
    read += batch.rows.table.rows;
    return more;
  };
  plan.work = [&](int index, int worker) -> base::Result<void> {
    auto& slot = slots[static_cast<size_t>(index)];
    SLIPWAY_TRY(batch::Score(scorer, carried, workspaces[static_cast<size_t>(worker)], slot.batch));
    answers.Encode(slot);
    return {};
  };
  plan.drain = [&](int index) -> base::Result<void> {
    auto& slot = slots[static_cast<size_t>(index)];
    const auto& report = slot.batch.scores.report;
    outcome.rows += slot.batch.rows.table.rows;
    outcome.rejected += report.rejected_rows;
    if (outcome.example.empty() && !report.violations.empty()) {
      const auto& violation = report.violations.front();
      outcome.example = fmt::format("row {}: {}", slot.batch.first_row + violation.row, violation.message);
      NoteReasons(report, outcome);
    }
    progress.Update(source->progress().done, fmt::format("{} rows", Grouped(outcome.rows)));
    return answers.Write(slot);
  };
  SLIPWAY_TRY(base::OrderedWork::Run(plan));
  SLIPWAY_TRY(answers.Finish());
  return outcome;
}

}  // namespace slipway::cli

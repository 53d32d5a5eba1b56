#include "batch/part_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "batch/partitions/partitioned_part.h"
#include "tables/output_file.h"

namespace slipway::batch {
namespace {

constexpr int64_t kBatchRows = 1024;
constexpr size_t kFlushBytes = size_t{1} << 18;
constexpr size_t kShownValueBytes = 256;

/// Measures from one call to the next.
class Watch {
 public:
  int64_t Lap() {
    const auto now = std::chrono::steady_clock::now();
    const auto lap = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_).count();
    last_ = now;
    return lap;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

std::string Shown(const base::Value& value) {
  if (value.is_null()) return {};
  std::string text = value.is_string() ? value.string() : base::ToJson(value);
  text.resize(std::min(text.size(), kShownValueBytes));
  return text;
}

}  // namespace

void PhaseTimes::Add(const PhaseTimes& other) {
  read += other.read;
  decode += other.decode;
  validate += other.validate;
  features += other.features;
  infer += other.infer;
  encode += other.encode;
  write += other.write;
  tally += other.tally;
}

/// The output of one part: a text file, a Parquet file, a file for each value, or text in memory.
class PartWriter::Sink {
 public:
  Sink(PartWriter& writer, std::string& stream) : writer_(writer), plan_(*writer.plan_), stream_(stream) {}

  base::Result<void> Open(int64_t number) {
    if (!writer_.folders_) return {};
    path_ = writer_.folders_->parts / plan_.PartFile(number);
    if (plan_.keys) {
      split_.emplace(plan_);
      return {};
    }
    if (!plan_.form->is_text()) {
      SLIPWAY_ASSIGN(table_, writer_.OpenTable(path_));
      return {};
    }
    SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(path_.string()));
    file_.emplace(std::move(file));
    return plan_.job.output_folder ? Append(plan_.form->Header()) : base::Result<void>();
  }

  PartitionedPart* split() { return split_ ? &*split_ : nullptr; }
  bool takes_text() const { return table_ == nullptr && !split_; }
  base::Result<void> Write(const data::Table& rows) { return table_->Write(rows); }
  base::Result<void> Append(std::string_view text) {
    if (!file_) {
      stream_ += text;
      return {};
    }
    bytes_ += static_cast<int64_t>(text.size());
    digest_.Add(text);
    return file_->Append(text);
  }

  base::Result<void> Finish(PartRecord& record) {
    if (split_) {
      return split_->Write(path_.parent_path(), [this](const auto& path) { return writer_.OpenTable(path); }, record);
    }
    if (table_) {
      SLIPWAY_ASSIGN(auto file, FinishTable(*table_, path_));
      record.bytes = file.bytes;
      record.output = std::move(file.digest);
      return {};
    }
    if (file_) SLIPWAY_TRY(file_->Finish());
    record.bytes = bytes_;
    record.output = digest_.Digits();
    return {};
  }

 private:
  PartWriter& writer_;
  const Plan& plan_;
  std::string& stream_;
  std::filesystem::path path_;
  std::optional<PartitionedPart> split_;
  std::unique_ptr<tables::RowSink> table_;
  std::optional<tables::OutputFile> file_;
  base::Xxh3Stream digest_;
  int64_t bytes_ = 0;
};

PartWriter::PartWriter(const Plan& plan, scoring::Workspace workspace, std::optional<Folders> folders)
    : plan_(&plan),
      folders_(std::move(folders)),
      workspace_(std::move(workspace)),
      batch_(std::make_unique<ScoredRows>(plan.carried)) {}

base::Result<PartWriter> PartWriter::Create(const Plan& plan, std::optional<Folders> folders) {
  SLIPWAY_ASSIGN(auto workspace, plan.scorer->NewWorkspace());
  return PartWriter(plan, std::move(workspace), std::move(folders));
}

base::Result<std::unique_ptr<tables::RowSink>> PartWriter::OpenTable(const std::filesystem::path& path) {
  if (!engine_ && tables::NeedsEngine(plan_->form->fields())) {
    SLIPWAY_ASSIGN(engine_, tables::StartEngine(folders_->parts.string(), kSinkMemory));
  }
  tables::TableOptions options;
  options.format = plan_->output;
  options.memory = kSinkMemory;
  options.row_group_rows = plan_->job.row_group_rows;
  options.engine = engine_;
  options.constants = plan_->form->constants();
  return tables::OpenSink(path.string(), plan_->form->fields(), options);
}

/// Every violation of the batch, as a line each.
void PartWriter::NoteRejects(const ScoredRows& batch, const PartText& part, PartRecord& record) {
  const auto& report = batch.scores.report;
  record.rejected += report.rejected_rows;
  for (const auto& violation : report.violations) {
    CountReason(record.reasons, violation.path, data::ViolationCodeName(violation.code), 1);
  }
  if (plan_->job.rejects.empty() || report.violations.empty()) return;
  auto table = data::Table::Make(RejectFields());
  for (const auto& violation : report.violations) {
    auto& columns = table.columns;
    columns[0].AppendString(plan_->files[static_cast<size_t>(part.file)].Name());
    columns[1].AppendInteger(batch.NumberOf(violation.row));
    columns[2].AppendString(violation.path);
    columns[3].AppendString(data::ViolationCodeName(violation.code));
    columns[4].AppendString(Shown(violation.value));
    columns[5].AppendString(violation.rule);
    columns[6].AppendString(violation.message);
    ++table.rows;
  }
  const data::JsonRowEncoder lines(RejectFields());
  for (int64_t row = 0; row < table.rows; ++row) {
    if (plan_->rejects) {
      plan_->rejects->AppendLine(table, row, rejects_);
    } else {
      lines.AppendRow(table, row, rejects_);
      rejects_ += '\n';
    }
  }
}

base::Result<void> PartWriter::WriteRejects(PartRecord& record) const {
  record.reject_bytes = static_cast<int64_t>(rejects_.size());
  if (rejects_.empty() || !folders_) return {};
  record.rejects = base::Xxh3Digits(rejects_);
  SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create((folders_->rejects / PartName(record.number)).string()));
  SLIPWAY_TRY(file.Append(rejects_));
  SLIPWAY_TRY(file.Finish());
  return base::SyncFolder(folders_->rejects);
}

base::Result<void> PartWriter::ScoreBatch() {
  auto& batch = *batch_;
  tally_->NoteMissing(batch.rows.table);
  SLIPWAY_TRY(Score(*plan_->scorer, plan_->carried, workspace_, batch));
  Watch watch;
  tallied_.clear();
  for (int64_t row = 0; row < batch.rows.table.rows; ++row) {
    const bool counts = Plan::IsTallied(batch.NumberOf(row)) && !batch.scores.report.rejected[static_cast<size_t>(row)];
    if (counts) tallied_.push_back(row);
  }
  tally_->Add(batch.rows.table, batch.scores.predictions, tallied_);
  times_.tally += watch.Lap();
  return {};
}

base::Result<void> PartWriter::ScoreRows(const PartText& part, PartRecord& record, Sink& sink) {
  auto& batch = *batch_;
  Watch watch;
  const auto name = plan_->NameOf(part.file);
  batch.first_row = part.piece.begin.row;
  text_.clear();
  while (true) {
    SLIPWAY_ASSIGN(const bool more, rows_->Next(batch.rows, kBatchRows));
    if (!more) break;
    const int64_t read = batch.rows.table.rows;
    plan_->path_columns[static_cast<size_t>(part.file)].Fill(batch.rows);
    if (plan_->filter) {
      record.left_out += plan_->filter->Apply(part.file, batch.first_row, batch.rows, batch.numbers, filter_);
    }
    times_.decode += watch.Lap();
    if (batch.rows.table.rows == 0) {
      batch.first_row += read;
      continue;
    }
    SLIPWAY_TRY(ScoreBatch());
    watch.Lap();
    const auto& timings = batch.scores.timings;
    times_.validate += timings.validate;
    times_.features += timings.features;
    times_.infer += timings.infer;
    times_.encode += timings.decode;
    NoteRejects(batch, part, record);
    if (sink.split() != nullptr) {
      SLIPWAY_TRY(sink.split()->Add(batch, part.file));
    } else if (sink.takes_text()) {
      plan_->form->AppendText(batch, name, text_);
      times_.encode += watch.Lap();
      if (text_.size() >= kFlushBytes) {
        SLIPWAY_TRY(sink.Append(text_));
        text_.clear();
      }
    } else {
      SLIPWAY_TRY(sink.Write(plan_->form->Tabulate(batch)));
    }
    times_.write += watch.Lap();
    batch.first_row += read;
  }
  if (batch.first_row != part.piece.end.row) {
    return base::Fail(base::Code::kInternal, "batch.rows",
                      fmt::format("a part of {} rows gave {} answers; please report this", part.piece.rows(),
                                  batch.first_row - part.piece.begin.row),
                      plan_->files[static_cast<size_t>(part.file)].path);
  }
  return sink.takes_text() ? sink.Append(text_) : base::Result<void>();
}

base::Result<PartRecord> PartWriter::Write(const PartText& part, Yield& yield) {
  PartRecord record;
  record.number = part.number;
  record.file = part.file;
  record.begin = part.piece.begin;
  record.end = part.piece.end;
  record.rows_before = part.rows_before;
  if (!part.piece.text.empty()) record.input = base::Xxh3Digits(part.piece.text);
  rejects_.clear();
  yield.text.clear();
  tally_.emplace(*plan_->tally);
  const auto& head = plan_->heads[static_cast<size_t>(part.file)];
  if (file_ != part.file) {
    rows_ = std::make_unique<tables::PieceRows>(head, plan_->carried.layout, tables::TableOptions{});
    file_ = part.file;
  }
  SLIPWAY_TRY(rows_->Begin(part.piece));
  Sink sink(*this, yield.text);
  SLIPWAY_TRY(sink.Open(part.number));
  SLIPWAY_TRY(ScoreRows(part, record, sink));
  Watch watch;
  SLIPWAY_TRY(sink.Finish(record));
  SLIPWAY_TRY(WriteRejects(record));
  yield.rejects.clear();
  if (!folders_) yield.rejects.swap(rejects_);
  if (folders_) SLIPWAY_TRY(base::SyncFolder(folders_->parts));
  times_.write += watch.Lap();
  yield.tally = base::ToJson(tally_->ToValue());
  return record;
}

}  // namespace slipway::batch

#include "batch/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include "base/machine.h"
#include "base/ordered_work.h"
#include "batch/assembly.h"
#include "batch/part_reader.h"
#include "batch/partitions/partitioned_part.h"
#include "tables/output_file.h"

namespace slipway::batch {
namespace {

using Clock = std::chrono::steady_clock;

/// What the program, a model and the threads' own buffers take, before any part is read.
constexpr int64_t kBaseBytes = int64_t{160} << 20;
/// A part in flight: its text, and what was read behind its end.
constexpr int64_t kSlotBytes = kPartBytes + kPartBytes / 2;

struct Slot {
  PartText part;
  std::optional<PartRecord> record;
  PartWriter::Yield yield;
};

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

PartPlace PlaceBehind(const std::vector<PartRecord>& parts) {
  if (parts.empty()) return {};
  const auto& last = parts.back();
  return {.number = last.number + 1,
          .file = last.file,
          .place = last.end,
          .begun = true,
          .rows = last.rows_before + last.rows()};
}

/// One run over the parts that are left.
class PartRun {
 public:
  PartRun(const Plan& plan, JobFolder* folder, const RunHooks& hooks)
      : plan_(plan),
        folder_(folder),
        hooks_(hooks),
        reader_(plan, folder ? PlaceBehind(folder->parts()) : PartPlace{}, folder ? &folder->parts() : nullptr,
                hooks.stop) {
    for (const auto& file : plan.files) report_.bytes_total += file.size;
    report_.tally.emplace(*plan.tally);
    if (!folder) return;
    for (const auto& tally : folder->Tallies()) AddTally(tally);
    for (const auto& part : folder->parts()) {
      report_.totals.Add(part);
      NotePartitions(part);
    }
    if (!folder->parts().empty()) {
      for (int64_t i = 0; i < folder->parts().back().file; ++i) skipped_ += plan.files[static_cast<size_t>(i)].size;
    }
  }

  base::Result<RunReport> Run() {
    SLIPWAY_TRY(Prepare());
    base::OrderedWork::Plan work{.workers = static_cast<int>(writers_.size()),
                                 .slots = static_cast<int>(slots_.size()),
                                 .fill = [this](int slot) { return Fill(slots_[static_cast<size_t>(slot)]); },
                                 .work = [this](int slot, int worker) { return Work(slot, worker); },
                                 .drain = [this](int slot) { return Drain(slots_[static_cast<size_t>(slot)]); }};
    auto done = base::OrderedWork::Run(work);
    if (out_ && done) done = out_->Finish();
    // Rows that were answered are out, whatever became of the others, and so are those that were not.
    if (rejects_) {
      auto finished = rejects_->Finish();
      if (done) done = std::move(finished);
    }
    SLIPWAY_TRY(done);
    for (const auto& writer : writers_) report_.times.Add(writer.times());
    report_.seconds = SecondsSince(begun_);
    if (stopped_) return base::Fail(base::Code::kAborted, "batch.stopped", "the job was stopped by a signal");
    return report_;
  }

 private:
  base::Result<void> Prepare() {
    const int wanted = plan_.job.threads > 0 ? plan_.job.threads : base::CpuBudget();
    const int64_t fit = std::max<int64_t>(2, (plan_.job.memory.count - kBaseBytes) / kSlotBytes);
    const auto slots = static_cast<size_t>(std::min<int64_t>(wanted + 2, fit));
    const int threads = std::min<int>(wanted, static_cast<int>(slots));
    std::optional<PartWriter::Folders> folders;
    if (folder_) folders = {.parts = folder_->parts_folder(), .rejects = folder_->rejects_folder()};
    for (int i = 0; i < threads; ++i) {
      SLIPWAY_ASSIGN(auto writer, PartWriter::Create(plan_, folders));
      writers_.push_back(std::move(writer));
    }
    slots_.resize(slots);
    if (folder_) return {};
    SLIPWAY_ASSIGN(auto out, tables::OutputFile::Create("-"));
    out_.emplace(std::move(out));
    SLIPWAY_TRY(out_->Append(plan_.form->Header()));
    if (plan_.job.rejects.empty()) return {};
    SLIPWAY_ASSIGN(auto rejects, tables::OutputFile::Create(plan_.job.rejects));
    rejects_.emplace(std::move(rejects));
    return rejects_->Append(plan_.RejectsHeader());
  }

  base::Result<bool> Fill(Slot& slot) {
    stopped_ = stopped_ || (hooks_.stop && hooks_.stop());
    if (stopped_) return false;
    const auto begun = Clock::now();
    auto more = reader_.Next(slot.part);
    if (!more && more.error().reason == "tables.stopped") {
      stopped_ = true;
      more = false;
    }
    report_.times.read += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count();
    return more;
  }

  base::Result<void> Work(int index, int worker) {
    auto& slot = slots_[static_cast<size_t>(index)];
    SLIPWAY_ASSIGN(slot.record, writers_[static_cast<size_t>(worker)].Write(slot.part, slot.yield));
    return {};
  }

  base::Result<void> Drain(Slot& slot) {
    const auto& record = *slot.record;
    if (folder_) {
      folder_->AppendTally(record.number, slot.yield.tally);
      SLIPWAY_TRY(folder_->Append(record));
    }
    AddTally(slot.yield.tally);
    NotePartitions(record);
    SLIPWAY_TRY(CheckPartitions());
    if (out_) {
      SLIPWAY_TRY(out_->Append(slot.yield.text));
      SLIPWAY_TRY(out_->Flush());
    }
    if (rejects_) SLIPWAY_TRY(rejects_->Append(slot.yield.rejects));
    auto& totals = report_.totals;
    totals.Add(record);
    report_.rows_now += record.rows();
    report_.bytes_read = std::max(skipped_, skipped_ + reader_.bytes_read());
    report_.seconds = SecondsSince(begun_);
    if (hooks_.on_part) hooks_.on_part(record, report_);
    if (!plan_.job.max_errors.Exceeded(totals.rejected, totals.rows)) return {};
    return base::Fail(base::Code::kFailedPrecondition, "batch.too_many_errors",
                      fmt::format("{} of {} rows were rejected, more than --max-errors {} allows; most for {}",
                                  totals.rejected, totals.rows, plan_.job.max_errors.Text(), FirstReasons()));
  }

  void NotePartitions(const PartRecord& record) {
    for (const auto& file : record.files) partitions_.emplace(FolderOfFile(file.path));
  }

  base::Result<void> CheckPartitions() const {
    if (static_cast<int64_t>(partitions_.size()) <= plan_.job.max_partitions) return {};
    return TooManyPartitions(plan_.job);
  }

  /// One that cannot be read is left out: it is no part of the answers.
  void AddTally(const std::string& text) {
    monitor::TableTally tally(*plan_.tally);
    if (const auto value = base::ParseJson(text); value && tally.Read(*value)) report_.tally->Add(tally);
  }

  std::string FirstReasons() const {
    std::vector<std::pair<int64_t, std::string>> reasons;
    for (const auto& [reason, count] : report_.totals.reasons) reasons.emplace_back(-count, reason);
    std::ranges::sort(reasons);
    std::vector<std::string> texts;
    for (const auto& [count, reason] : reasons) {
      if (texts.size() < 3) texts.push_back(fmt::format("{} ({})", reason, -count));
    }
    return fmt::format("{}", fmt::join(texts, ", "));
  }

  const Plan& plan_;
  JobFolder* folder_;
  const RunHooks& hooks_;
  PartReader reader_;
  int64_t skipped_ = 0;  ///< bytes of files that an earlier process read
  std::vector<PartWriter> writers_;
  std::vector<Slot> slots_;
  std::optional<tables::OutputFile> out_, rejects_;  ///< of a job that streams
  RunReport report_;
  std::set<std::string> partitions_;  ///< folders that have files
  bool stopped_ = false;
  Clock::time_point begun_ = Clock::now();
};

}  // namespace

void Totals::Add(const PartRecord& part) {
  rows += part.scored();
  left_out += part.left_out;
  rejected += part.rejected;
  ++parts;
  for (const auto& [reason, count] : part.reasons) {
    const size_t space = reason.rfind(' ');
    const bool has_field = space != std::string::npos;
    CountReason(reasons, has_field ? reason.substr(0, space) : "", reason.substr(has_field ? space + 1 : 0), count);
  }
}

void RunReport::AddStaging(std::chrono::nanoseconds taken) {
  times.stage += taken.count();
  seconds += std::chrono::duration<double>(taken).count();
}

base::Result<RunReport> RunJob(const Plan& plan, JobFolder* folder, const RunHooks& hooks) {
  PartRun run(plan, folder, hooks);
  SLIPWAY_ASSIGN(auto report, run.Run());
  if (!folder) return report;
  const auto begun = Clock::now();
  SLIPWAY_ASSIGN(const auto assembled, Assemble(plan, *folder));
  const auto taken = Clock::now() - begun;
  report.times.assemble = std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count();
  report.seconds += std::chrono::duration<double>(taken).count();
  report.output_bytes = assembled.bytes;
  report.digest = assembled.digest;
  return report;
}

}  // namespace slipway::batch

#include "cli/batch_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/quantities.h"
#include "cli/table_options.h"

namespace slipway::cli {
namespace {

using base::Value;

Value ReasonsValue(const batch::Totals& totals) {
  auto value = Value::Map();
  for (const auto& [reason, count] : totals.reasons) value.Set(reason, count);
  return value;
}

double Seconds(int64_t nanoseconds) {
  const int64_t milliseconds = nanoseconds / 1'000'000;
  return static_cast<double>(milliseconds) / 1000;
}

double Rate(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

/// The most frequent reasons, a line each.
std::string ReasonLines(const batch::Totals& totals) {
  std::vector<std::pair<int64_t, std::string>> reasons;
  for (const auto& [reason, count] : totals.reasons) reasons.emplace_back(-count, reason);
  std::ranges::sort(reasons);
  std::string lines;
  for (size_t i = 0; i < reasons.size() && i < 8; ++i) {
    lines += fmt::format("  {:>12}  {}\n", Grouped(-reasons[i].first), reasons[i].second);
  }
  return lines;
}

/// Columns that do not look as in the training table, a line each.
std::string ShiftLines(const batch::RunReport& report) {
  constexpr double kMuchShifted = 0.25, kManyMissing = 0.05;
  if (!report.tally) return {};
  const auto shifts = report.tally->Shifts(kMuchShifted, kManyMissing);
  std::string lines;
  for (size_t i = 0; i < shifts.size() && i < 8; ++i) {
    const auto& shift = shifts[i];
    lines += fmt::format("  {:<24} PSI {:.2f}", shift.name, shift.psi);
    if (shift.mean && shift.mean_before)
      lines += fmt::format(", mean {:.4g} (was {:.4g})", *shift.mean, *shift.mean_before);
    lines += fmt::format(", missing {:.1f} % (was {:.1f} %)\n", shift.null_share * 100, shift.null_share_before * 100);
  }
  return lines;
}

/// As a shell takes it for one word.
std::string ShellWord(const std::string& text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80 || std::strchr("/._-+=:,@%", c); };
  if (!text.empty() && std::ranges::all_of(text, plain)) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string Kept(const batch::JobFolder& folder) {
  batch::Totals totals;
  for (const auto& part : folder.parts()) totals.Add(part);
  const bool from_pipe = folder.record().job.is_piped();
  return fmt::format("{} with {} {} kept; go on with: slipway batch resume {}{}",
                     Counted(totals.parts, "finished part"), Counted(totals.rows, "row"),
                     totals.parts == 1 ? "is" : "are", ShellWord(folder.path().string()),
                     from_pipe ? ", with the same bytes piped in again from their beginning" : "");
}

}  // namespace

bool MayGoOn(const base::Error& error) {
  return error.reason == "batch.stopped" || error.reason == "batch.input_changed" ||
         ExitCodeOf(error) == ExitCode::kEnvironment;
}

BatchReport::BatchReport(const Console& console, const batch::Plan& plan) : console_(console), plan_(&plan) {
  Follow(plan);
}

void BatchReport::Follow(const batch::Plan& plan) {
  plan_ = &plan;
  int64_t bytes = 0;
  for (const auto& file : plan.files) bytes += file.size;
  if (progress_) progress_->Done();
  progress_.emplace(console_, plan.awaits_rows() ? "reading rows" : "scoring",
                    bytes > 0 && !plan.awaits_rows() ? std::optional(bytes) : std::nullopt);
}

void BatchReport::Started(const std::string& folder, bool resumed) const {
  auto event = Value::Map().Set("event", resumed ? "resumed" : "started");
  event.Set("job", folder).Set("files", static_cast<int64_t>(plan_->files.size())).Set("output", plan_->job.output);
  Emit(event);
}

void BatchReport::Staging(const std::string& source, std::optional<double> share, int64_t bytes) {
  const auto percent = share ? fmt::format("{:.0f} %, ", *share * 100) : "";
  progress_->Update(bytes, fmt::format("{}{} staged", percent, base::FormatBytes({bytes})));
  if (!console_.json()) return;
  auto event = Value::Map().Set("event", "staging").Set("source", source).Set("bytes", bytes);
  if (share) event.Set("share", *share);
  Emit(event);
}

void BatchReport::Staged(const batch::InputFile& file, int64_t rows) {
  Emit(Value::Map().Set("event", "staged").Set("source", file.source).Set("rows", rows).Set("bytes", file.size));
}

void BatchReport::Emit(const Value& event) const {
  if (!console_.json()) return;
  const std::string line = base::ToJson(event) + "\n";
  if (plan_->streams()) {
    std::fwrite(line.data(), 1, line.size(), stderr);
  } else {
    console_.Print(line);
  }
}

void BatchReport::Part(const batch::PartRecord& part, const batch::RunReport& report) {
  const auto rate = Rate(report.rows_now, report.seconds);
  progress_->Update(report.bytes_read,
                    fmt::format("{} of {}, {} rows, {} rows/s, {} rejected", base::FormatBytes({report.bytes_read}),
                                base::FormatBytes({report.bytes_total}), Grouped(report.totals.rows),
                                Grouped(static_cast<int64_t>(rate)), Grouped(report.totals.rejected)));
  if (!console_.json()) return;
  auto event = Value::Map().Set("event", "part").Set("part", part.number);
  event.Set("file", plan_->files[static_cast<size_t>(part.file)].Name()).Set("first_row", part.begin.row);
  event.Set("rows", part.scored()).Set("rejected", part.rejected).Set("total_rows", report.totals.rows);
  event.Set("total_rejected", report.totals.rejected).Set("bytes_read", report.bytes_read);
  event.Set("bytes_total", report.bytes_total).Set("rows_per_second", static_cast<int64_t>(rate));
  Emit(event);
}

Value BatchReport::Summary(const batch::RunReport& report) {
  const auto& times = report.times;
  auto phases = Value::Map().Set("read", Seconds(times.read)).Set("decode", Seconds(times.decode));
  phases.Set("validate", Seconds(times.validate)).Set("features", Seconds(times.features));
  phases.Set("infer", Seconds(times.infer)).Set("encode", Seconds(times.encode)).Set("write", Seconds(times.write));
  phases.Set("tally", Seconds(times.tally));
  if (times.stage > 0) phases.Set("stage", Seconds(times.stage));
  phases.Set("assemble", Seconds(times.assemble));
  auto value = Value::Map().Set("rows", report.totals.rows).Set("rejected", report.totals.rejected);
  if (report.totals.left_out > 0) value.Set("left_out", report.totals.left_out);
  value.Set("parts", report.totals.parts).Set("reasons", ReasonsValue(report.totals));
  value.Set("seconds", Seconds(static_cast<int64_t>(report.seconds * 1e9)));
  value.Set("rows_per_second", static_cast<int64_t>(Rate(report.rows_now, report.seconds)));
  value.Set("thread_seconds", std::move(phases)).Set("output_bytes", report.output_bytes);
  value.Set("digest", report.digest);
  if (report.tally) value.Set("distributions", report.tally->Describe());
  return value;
}

ExitCode BatchReport::Finished(const batch::RunReport& report) {
  progress_->Done();
  auto event = Summary(report);
  event.map().insert(event.map().begin(), {{"event", "finished"}, {"output", plan_->job.output}});
  Emit(event);
  const auto& totals = report.totals;
  if (!console_.json() && !plan_->streams()) {
    const auto left_out = totals.left_out > 0 ? fmt::format(" ({} left out)", Grouped(totals.left_out)) : "";
    console_.Print(fmt::format("{} {}: {}{}, {} rejected, {}, {:.1f} s, {} rows/s\n",
                               console_.Paint("wrote", Color::kGreen), plan_->job.output, Counted(totals.rows, "row"),
                               left_out, Grouped(totals.rejected), Counted(totals.parts, "part"), report.seconds,
                               Grouped(static_cast<int64_t>(Rate(report.rows_now, report.seconds)))));
  }
  if (totals.rejected > 0) {
    console_.Warn(fmt::format("{} of {} {} rejected; violations by field and code:\n{}", Grouped(totals.rejected),
                              Counted(totals.rows, "row"), totals.rejected == 1 ? "was" : "were", ReasonLines(totals)));
  }
  if (const auto lines = ShiftLines(report); !lines.empty()) {
    console_.Note(fmt::format("inputs that are far from the training table's, the farthest first:\n{}", lines));
  }
  return totals.rows > 0 && totals.rejected == totals.rows ? ExitCode::kData : ExitCode::kFine;
}

ExitCode BatchReport::Ended(const base::Error& error, const batch::JobFolder* folder) {
  progress_->Done();
  const auto code = folder && MayGoOn(error) ? ExitCode::kStopped : ExitCodeOf(error);
  if (!console_.json()) {
    static_cast<void>(console_.Fail(error));
    if (folder) console_.Note(Kept(*folder));
    return code;
  }
  auto event = Value::Map().Set("event", folder && MayGoOn(error) ? "stopped" : "failed");
  event.Set("code", base::CodeName(error.code)).Set("reason", error.reason).Set("message", error.message);
  if (!error.where.empty()) event.Set("where", error.where);
  if (folder) {
    batch::Totals totals;
    for (const auto& part : folder->parts()) totals.Add(part);
    event.Set("parts", totals.parts).Set("rows", totals.rows).Set("job", folder->path().string());
  }
  Emit(event);
  return code;
}

ExitCode ShowStatus(const std::string& path, Console& console) {
  const auto look = batch::JobFolder::LookAt(path);
  if (!look) return console.Fail(look.error());
  batch::Totals totals;
  for (const auto& part : look->parts) totals.Add(part);
  const auto& record = look->record;
  const bool done = record.state == batch::JobState::kDone;
  for (const auto& [key, count] : {std::pair("rows", &totals.rows), std::pair("rejected", &totals.rejected)}) {
    const Value* counted = done && totals.parts == 0 ? record.summary.Find(key) : nullptr;  // a query has no parts
    if (counted != nullptr && counted->is_integer()) *count = counted->integer();
  }
  const bool died = record.state == batch::JobState::kRunning && !look->busy;
  const std::string state(died ? "interrupted" : batch::StateName(record.state));
  auto parts = Value::Map().Set("done", totals.parts).Set("total", done ? Value(totals.parts) : Value());
  auto value = Value::Map().Set("state", state).Set("rows", totals.rows).Set("rejected", totals.rejected);
  value.Set("parts", std::move(parts));
  const Value* digest = record.summary.Find("digest");
  value.Set("digest", digest ? *digest : Value()).Set("reasons", ReasonsValue(totals));
  value.Set("model", fmt::format("{}@{}", record.maker.name, record.maker.version));
  value.Set("bundle", record.maker.digest).Set("output", record.job.output).Set("started", record.started);
  if (!record.ended.empty()) value.Set("ended", record.ended);
  if (!record.fault.empty()) value.Set("fault", record.fault);
  if (!record.summary.is_null()) value.Set("summary", record.summary);
  console.Result(value);
  if (console.json()) return ExitCode::kFine;
  console.Print(fmt::format("{}  {}, {} rejected, {}  {}@{}  {}\n", console.Paint(state, Color::kBold),
                            Counted(totals.rows, "row"), Grouped(totals.rejected), Counted(totals.parts, "part"),
                            record.maker.name, record.maker.version, record.job.output));
  if (!record.fault.empty()) console.Print(record.fault + "\n");
  if (!done && !look->busy) console.Print(fmt::format("go on with: slipway batch resume {}\n", ShellWord(path)));
  return ExitCode::kFine;
}

}  // namespace slipway::cli

#include "batch/daemon/daemon.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/quantities.h"

namespace slipway::batch {
namespace {

using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using telemetry::LogLevel;

constexpr seconds kLookAgain{1};  ///< at a folder in which another process still works

bool HasEnded(int process) {
  pollfd wait{process, POLLIN, 0};
  return ::poll(&wait, 1, 0) > 0;
}

telemetry::LogLine Line(telemetry::Log& log, LogLevel level, std::string_view event, const Run& run) {
  auto line = log.Line(level, event);
  line.Add("job", run.job).Add("scheduled", FormatUtc(run.scheduled)).Add("attempt", run.attempts);
  return line;
}

void TellEnd(telemetry::Log& log, const Run& run) {
  const bool done = run.state == RunState::kDone;
  auto line = Line(log, done ? LogLevel::kInfo : LogLevel::kError, done ? "run.done" : "run.failed", run);
  if (run.started && run.ended) line.Add("seconds", static_cast<double>((*run.ended - *run.started).count()) / 1000);
  line.Add("rows", run.rows).Add("rejected", run.rejected);
  if (!run.output.empty()) line.Add("output", run.output);
  if (!run.message.empty()) line.Add("message", run.message);
}

}  // namespace

base::Result<std::unique_ptr<Daemon>> Daemon::Create(DaemonOptions options, Board& board, telemetry::Log& log,
                                                     const base::Clock& clock) {
  SLIPWAY_ASSIGN(auto history, History::Open(options.history));
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(options), std::move(history), board, log, clock));
  SLIPWAY_TRY(daemon->Reload());
  return daemon;
}

Millisecond Daemon::Now() const {
  return floor<milliseconds>(clock_.WallNow());
}

void Daemon::Report(const JobFiles::Broken& broken) {
  log_.Line(LogLevel::kError, "job.broken").Add("file", broken.path).Add(broken.error);
}

base::Result<void> Daemon::Load(Slot& slot, const JobFile& file) {
  slot.name = file.periodic.name;
  SLIPWAY_ASSIGN(slot.since, history_.Since(slot.name, file.periodic.schedule->Text(), floor<seconds>(Now())));
  slot.file = &file;
  if (slot.attempt || slot.unsaved) return {};
  SLIPWAY_ASSIGN(slot.last, history_.Last(slot.name));
  SLIPWAY_ASSIGN(slot.open, history_.OpenRun(slot.name));
  SLIPWAY_ASSIGN(slot.last_over, history_.LastOver(slot.name));
  SLIPWAY_ASSIGN(slot.last_done, history_.LastDone(slot.name));
  if (slot.open && slot.open->state == RunState::kRunning) {  // the daemon died, which is not the run's fault
    slot.open->state = RunState::kWaiting;
    slot.open->attempts = std::max<int64_t>(slot.open->attempts - 1, 0);
  }
  return {};
}

base::Result<void> Daemon::Reload() {
  loaded_ = false;
  JobFiles files = JobFiles::Read(options_.paths);
  for (auto& [name, slot] : slots_) slot.file = nullptr;
  files_ = std::move(files);
  for (const auto& file : files_.jobs) SLIPWAY_TRY(Load(slots_[file.periodic.name], file));
  std::erase_if(slots_, [](const auto& entry) { return entry.second.file == nullptr && !entry.second.attempt; });
  for (const auto& broken : files_.broken) Report(broken);
  for (const auto& file : files_.jobs) {
    const auto next = file.periodic.schedule->Next(floor<seconds>(Now()));
    log_.Line(LogLevel::kInfo, "job.scheduled")
        .Add("job", file.periodic.name)
        .Add("schedule", file.periodic.schedule->Text())
        .Add("catch_up", CatchUpName(file.periodic.schedule->catch_up()))
        .Add("next", next ? FormatUtc(*next) : "never");
  }
  loaded_ = true;
  Publish();
  return {};
}

std::vector<int> Daemon::processes() const {
  std::vector<int> processes;
  for (const auto& [name, slot] : slots_) {
    if (slot.attempt) processes.push_back(slot.attempt->process());
  }
  return processes;
}

base::Result<std::optional<Millisecond>> Daemon::Turn() {
  ReapEnded();
  SLIPWAY_TRY(SaveAll());
  if (!loaded_) SLIPWAY_TRY(Reload());  // the history failed while it was at it
  std::optional<Millisecond> wake;
  while (!stopping_) {
    std::vector<JobView> views;
    std::vector<Slot*> slots;
    for (auto& [name, slot] : slots_) {
      slots.push_back(&slot);
      views.push_back({.periodic = slot.file ? &slot.file->periodic : nullptr,
                       .since = slot.since,
                       .last = slot.last,
                       .open = slot.open,
                       .alive = slot.attempt ? std::optional(slot.begun) : std::nullopt,
                       .asked_to_stop = slot.kill_at.has_value()});
    }
    const Actions actions = NextActions(views, Now(), options_.concurrency);
    wake = actions.wake;
    if (actions.now.empty()) break;
    for (const Action& action : actions.now) SLIPWAY_TRY(Act(action, *slots[action.job]));
  }
  KillLate(wake);
  Publish();
  return wake;
}

void Daemon::KillLate(std::optional<Millisecond>& wake) {
  for (auto& [name, slot] : slots_) {
    if (!slot.attempt || !slot.kill_at) continue;
    if (*slot.kill_at <= Now()) {
      Line(log_, LogLevel::kWarning, "run.killed", *slot.open);
      slot.attempt->Kill();
      slot.kill_at = Now() + options_.grace;
    }
    if (!wake || *slot.kill_at < *wake) wake = slot.kill_at;
  }
}

void Daemon::ReapEnded() {
  for (auto& [name, slot] : slots_) {
    if (slot.attempt && HasEnded(slot.attempt->process())) TakeEnd(slot);
  }
  std::erase_if(slots_, [](const auto& entry) {
    return entry.second.file == nullptr && !entry.second.attempt && !entry.second.unsaved;
  });
}

void Daemon::TakeEnd(Slot& slot) {
  Run& run = *slot.open;
  const auto end = slot.attempt->Reap();
  const std::string words = slot.attempt->LastWords();
  slot.attempt.reset();
  switch (Judge(run, &end, words)) {
    case Verdict::kDone:
      return Finish(slot, RunState::kDone);
    case Verdict::kFailed:
      return Finish(slot, RunState::kFailed);
    case Verdict::kTryAgain:
      return TryAgain(slot);
  }
}

void Daemon::TryAgain(Slot& slot) {
  Run& run = *slot.open;
  const bool by_us = slot.kill_at && !slot.timed_out;
  if (slot.timed_out) {
    run.message = fmt::format("stopped after its timeout of {}",
                              slot.file ? base::FormatDuration(*slot.file->periodic.timeout) : "before");
  }
  slot.kill_at.reset();
  slot.timed_out = false;
  slot.unsaved = true;
  run.state = RunState::kWaiting;
  if (by_us) {
    --run.attempts;
    run.next_attempt.reset();
    Line(log_, LogLevel::kInfo, "run.interrupted", run).Add("message", "it goes on when the daemon is back");
    return;
  }
  const Retry retry = slot.file ? slot.file->periodic.retry : Retry();
  if (run.attempts > retry.times) {
    run.message +=
        fmt::format(" (after {} attempts; finished parts are kept: slipway batch resume {})", run.attempts, run.folder);
    return Finish(slot, RunState::kFailed);
  }
  run.next_attempt = Now() + retry.Pause(run.attempts);
  Line(log_, LogLevel::kWarning, "run.retry", run)
      .Add("next", FormatMillisecond(*run.next_attempt))
      .Add("message", run.message);
}

void Daemon::Finish(Slot& slot, RunState state) {
  Run& run = *slot.open;
  run.state = state;
  run.ended = Now();
  run.next_attempt.reset();
  slot.kill_at.reset();
  slot.timed_out = false;
  slot.unsaved = true;
}

base::Result<void> Daemon::SaveAll() {
  for (auto& [name, slot] : slots_) {
    if (slot.unsaved) SLIPWAY_TRY(Save(slot));
  }
  return {};
}

base::Result<void> Daemon::Save(Slot& slot) {
  SLIPWAY_TRY(history_.Save(*slot.open));
  slot.unsaved = false;
  if (slot.open->open()) return {};
  Run run = *std::exchange(slot.open, std::nullopt);
  TellEnd(log_, run);
  board_.Count(run);
  std::error_code ignored;
  // All that is left of a run that is done stands in the history.
  if (run.state == RunState::kDone) std::filesystem::remove_all(run.folder, ignored);
  if (run.state == RunState::kDone) slot.last_done = run;
  slot.last_over = std::move(run);
  SLIPWAY_ASSIGN(const auto forgotten, history_.Prune(slot.name, options_.keep_runs));
  for (const Run& old : forgotten) {
    if (std::filesystem::exists(std::filesystem::path(old.folder) / "job.json", ignored)) {
      std::filesystem::remove_all(old.folder, ignored);
    }
  }
  return {};
}

base::Result<void> Daemon::Act(const Action& action, Slot& slot) {
  switch (action.kind) {
    case Action::Kind::kQueue:
      return Queue(action, slot);
    case Action::Kind::kSkip:
      return Skip(action, slot);
    case Action::Kind::kStart:
      return Start(slot);
    case Action::Kind::kTimeOut:
      slot.timed_out = true;
      AskToStop(slot);
      return {};
  }
  return {};
}

base::Result<void> Daemon::Queue(const Action& action, Slot& slot) {
  Run run{.job = slot.name, .scheduled = action.scheduled, .due = Now()};
  SLIPWAY_TRY(history_.Add(run));
  Line(log_, LogLevel::kInfo, "run.queued", run);
  slot.last = run.scheduled;
  slot.open = std::move(run);
  return {};
}

base::Result<void> Daemon::Skip(const Action& action, Slot& slot) {
  Run run{.job = slot.name, .scheduled = action.scheduled, .state = RunState::kSkipped, .due = Now(), .ended = Now()};
  run.skipped = action.count;
  run.message = fmt::format(
      "{}{} missed and left out (catch_up: {})", action.count == 1 ? "1 time" : fmt::format("{} times", action.count),
      action.count == kMostCounted ? " or more" : "", CatchUpName(slot.file->periodic.schedule->catch_up()));
  SLIPWAY_TRY(history_.Add(run));
  Line(log_, LogLevel::kWarning, "run.skipped", run).Add("count", run.skipped).Add("message", run.message);
  slot.last = run.scheduled;
  board_.Count(run);
  return {};
}

base::Result<void> Daemon::Start(Slot& slot) {
  Run& run = *slot.open;
  if (run.folder.empty()) {
    const auto job = JobAt(*slot.file, run.scheduled);
    if (!job) {
      run.message = job.error().Text();
      Finish(slot, RunState::kFailed);
      return Save(slot);
    }
    run.folder = job->folder;
    run.output = job->output;
  }
  if (IsBusy(run)) {
    run.next_attempt = Now() + kLookAgain;
    return {};
  }
  // It may have been done after the daemon had died.
  if (const auto verdict = Judge(run, nullptr, ""); verdict != Verdict::kTryAgain) {
    Finish(slot, verdict == Verdict::kDone ? RunState::kDone : RunState::kFailed);
    return Save(slot);
  }
  run.state = RunState::kRunning;
  ++run.attempts;
  run.next_attempt.reset();
  if (!run.started) run.started = Now();
  if (auto saved = history_.Save(run); !saved) {  // nothing has begun
    run.state = RunState::kWaiting;
    --run.attempts;
    return saved;
  }
  slot.begun = Now();
  auto attempt = Attempt::Start(slot.file->path, run);
  if (!attempt) {
    run.message = attempt.error().Text();
    TryAgain(slot);
    return Save(slot);
  }
  slot.attempt.emplace(*std::move(attempt));
  Line(log_, LogLevel::kInfo, "run.started", run).Add("pid", slot.attempt->pid()).Add("output", run.output);
  return {};
}

void Daemon::AskToStop(Slot& slot) {
  slot.kill_at = Now() + options_.grace;
  slot.attempt->AskToStop();
}

void Daemon::BeginStop() {
  stopping_ = true;
  for (auto& [name, slot] : slots_) {
    if (slot.attempt && !slot.kill_at) AskToStop(slot);
  }
  Publish();
}

void Daemon::KillAll() {
  for (auto& [name, slot] : slots_) {
    if (slot.attempt) slot.attempt->Kill();
  }
}

void Daemon::Publish() {
  Status status{.started = true, .stopping = stopping_, .jobs = {}, .broken = files_.broken};
  const Instant now = floor<seconds>(Now());
  for (const auto& [name, slot] : slots_) {
    if (slot.file == nullptr) continue;
    const Schedule& schedule = *slot.file->periodic.schedule;
    JobStatus job{.name = name, .schedule = schedule.Text(), .next = schedule.Next(now)};
    job.open = slot.open;
    job.last_over = slot.last_over;
    job.last_done = slot.last_done;
    job.alive = slot.attempt.has_value();
    job.late = slot.open && schedule.Next(slot.open->scheduled).value_or(now + seconds(1)) <= now;
    status.jobs.push_back(std::move(job));
  }
  board_.Publish(std::move(status));
}

}  // namespace slipway::batch

#include "engine/trial/bundle_trial.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/child_process.h"
#include "base/file_descriptor.h"
#include "base/machine.h"
#include "base/text.h"
#include "engine/child/engine_child.h"
#include "engine/child/parcel.h"

namespace slipway::engine {

namespace {

using namespace std::chrono_literals;

constexpr int64_t kBytesPerSecond = 32 << 20;
constexpr size_t kMostReport = 4000;

std::chrono::nanoseconds TimeLimit(const TrialLimits& limits, int64_t bytes) {
  return limits.time ? *limits.time : 60s + std::chrono::seconds(bytes / kBytesPerSecond);
}

std::unexpected<base::Error> Refuse(std::string message, std::string where = {}) {
  return base::Fail(base::Code::kInvalidArgument, "engine.model", std::move(message), std::move(where));
}

/// An error as a child reports it: where it stands, and on the next line what it says.
std::string ReportOf(const base::Error& error) {
  return error.where + "\n" + error.message + "\n";
}

std::unexpected<base::Error> RefuseAsReported(std::string_view report) {
  const size_t line = std::min(report.find('\n'), report.size());
  return Refuse(base::Shorten(base::Trim(report.substr(line)), kMostReport),
                base::Shorten(report.substr(0, line), kMostReport));
}

std::unexpected<base::Error> NotFinished(const TrialTask& task, std::chrono::nanoseconds time) {
  return Refuse(
      fmt::format("this model did not finish in {} when it was tried in a process of its own (because of {}); does one "
                  "of its loops never end, or is it slow? SLIPWAY_TRIAL_TIME=10m gives models longer",
                  base::FormatDuration(time), task.cause));
}

std::unexpected<base::Error> TooMuchMemory(const TrialTask& task, base::Bytes memory) {
  return Refuse(
      fmt::format("this model needed more than {} when it was tried in a process of its own (because of {}): three "
                  "quarters of the memory that is free here, or what SLIPWAY_TRIAL_MEMORY says; make the sizes in the "
                  "model smaller, or give this process more memory",
                  base::FormatBytes(memory), task.cause));
}

std::unexpected<base::Error> Crashed(const TrialTask& task, const std::string& how) {
  return Refuse(
      fmt::format("{} crashed with {} when this model was tried in a process of its own (because of {}); look for "
                  "sizes that do not fit each other, such as a kernel larger than its image, see what the runtime "
                  "makes of it in Python, and export the model again",
                  task.runtime, how, task.cause));
}

base::Result<void> Judge(const TrialTask& task, std::chrono::nanoseconds time, base::Bytes memory,
                         const base::ChildEnd& end) {
  using How = base::ChildEnd::How;
  if (end.how == How::kTimedOut || (end.how == How::kSignalled && end.number == SIGXCPU)) {
    return NotFinished(task, time);
  }
  if (end.how == How::kSignalled && end.number == SIGKILL) return TooMuchMemory(task, memory);  // by the system
  if (end.how == How::kSignalled) return Crashed(task, end.Text());
  switch (end.number) {
    case kChildFine:
      return {};
    case kChildRefused:
      return RefuseAsReported(end.report);
    case kChildOutOfMemory:
      return TooMuchMemory(task, memory);
    case kChildBroken:
      return base::Fail(base::Code::kUnavailable, "engine.trial",
                        "this model is to be tried in another process, which could not begin: " +
                            base::Shorten(base::Trim(end.report), kMostReport));
    default:
      return Crashed(task, end.Text());
  }
}

base::Result<void> TryInChild(const TrialTask& task, const TrialLimits& limits, const std::string& program) {
  SLIPWAY_ASSIGN(const PackedParcel parcel, PackParcel(task.bundle, task.options, task.external_files));
  base::ChildOptions child{.program = program, .arguments = {}, .input = parcel.file.get()};
  child.time_limit = TimeLimit(limits, parcel.bytes);
  const base::Bytes memory = limits.memory ? *limits.memory : ChildMemory();
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(child.time_limit) * base::CpuBudget();
  child.withheld = WithheldFromChildren();
  child.arguments = ChildWords(kTrialCommand, memory, seconds);
  auto end = base::RunChild(child);
  if (!end) {
    return base::Fail(base::Code::kUnavailable, "engine.trial",
                      fmt::format("this model is to be tried in another process first (because of {}): {}; it takes "
                                  "/proc and a free place among the processes of this user and container",
                                  task.cause, end.error().message));
  }
  return Judge(task, child.time_limit, memory, *end);
}

base::Result<void> Try(std::span<char* const> words, const TrialLoad& load) {
  SLIPWAY_TRY(BeginChild(words));
  SLIPWAY_ASSIGN(const Parcel parcel, Parcel::Open(base::kChildInput));
  const auto bundle = bundle::Bundle::OfFiles(parcel.files());
  if (!bundle) return base::Fail(base::Code::kInvalidArgument, "engine.trial", bundle.error().Text());
  const auto loaded = load(*bundle, parcel.options());
  const bool of_the_model =
      !loaded && (loaded.error().reason == "engine.model" || loaded.error().reason == "engine.memory");
  if (of_the_model) return loaded;
  ::_exit(kChildFine);
}

}  // namespace

BundleTrial TrialInChild(TrialLimits limits, std::string program) {
  return [limits, program = std::move(program)](const TrialTask& task) { return TryInChild(task, limits, program); };
}

int RunTrial(std::span<char* const> words, const TrialLoad& load) {
  const base::Error error = Try(words, load).error();
  if (error.code == base::Code::kResourceExhausted) return kChildOutOfMemory;
  base::WriteAll(base::kChildReport, ReportOf(error));
  return error.reason == "engine.model" ? kChildRefused : kChildBroken;
}

}  // namespace slipway::engine

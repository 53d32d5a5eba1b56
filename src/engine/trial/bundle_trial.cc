#include "engine/trial/bundle_trial.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "base/child_process.h"
#include "base/file_descriptor.h"
#include "base/machine.h"
#include "base/text.h"
#include "engine/trial/parcel.h"

namespace slipway::engine {

namespace {

using namespace std::chrono_literals;

// How a trial ends that did not crash. Other numbers are those of shells, linkers and this program's own commands.
constexpr int kFine = 0, kRefused = 41, kOutOfMemory = 42, kBroken = 43;

constexpr int64_t kBytesPerSecond = 32 << 20;
constexpr int64_t kLeastMemory = 64 << 20;
constexpr size_t kMostReport = 4000;

std::chrono::nanoseconds TimeLimit(const TrialLimits& limits, int64_t bytes) {
  return limits.time ? *limits.time : 60s + std::chrono::seconds(bytes / kBytesPerSecond);
}

base::Bytes MemoryLimit(const TrialLimits& limits) {
  if (limits.memory) return *limits.memory;
  return {std::max(base::AvailableMemory().count / 4 * 3, kLeastMemory)};
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

std::string SignalName(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

base::Result<void> Judge(const TrialTask& task, std::chrono::nanoseconds time, base::Bytes memory,
                         const base::ChildEnd& end) {
  using How = base::ChildEnd::How;
  if (end.how == How::kTimedOut || (end.how == How::kSignalled && end.number == SIGXCPU)) {
    return NotFinished(task, time);
  }
  if (end.how == How::kSignalled && end.number == SIGKILL) return TooMuchMemory(task, memory);  // by the system
  if (end.how == How::kSignalled) return Crashed(task, SignalName(end.number));
  switch (end.number) {
    case kFine:
      return {};
    case kRefused:
      return RefuseAsReported(end.report);
    case kOutOfMemory:
      return TooMuchMemory(task, memory);
    case kBroken:
      return base::Fail(base::Code::kUnavailable, "engine.trial",
                        "this model is to be tried in another process, which could not begin: " +
                            base::Shorten(base::Trim(end.report), kMostReport));
    default:
      return Crashed(task, fmt::format("exit code {}", end.number));
  }
}

base::Result<void> TryInChild(const TrialTask& task, const TrialLimits& limits, const std::string& program) {
  SLIPWAY_ASSIGN(const PackedParcel parcel, PackParcel(task));
  base::ChildOptions child{.program = program, .arguments = {}, .input = parcel.file.get()};
  child.time_limit = TimeLimit(limits, parcel.bytes);
  const base::Bytes memory = MemoryLimit(limits);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(child.time_limit) * base::CpuBudget();
  child.arguments = {std::string(kTrialCommand), std::to_string(::getpid()), std::to_string(memory.count),
                     std::to_string(seconds.count())};
  auto end = base::RunChild(child);
  if (!end) {
    return base::Fail(base::Code::kUnavailable, "engine.trial",
                      fmt::format("this model is to be tried in another process first (because of {}): {}; it takes "
                                  "/proc and a free place among the processes of this user and container",
                                  task.cause, end.error().message));
  }
  return Judge(task, child.time_limit, memory, *end);
}

base::Result<base::ChildLimits> ReadLimits(std::span<char* const> words) {
  std::vector<int64_t> numbers;
  for (const char* word : words) numbers.push_back(base::ParseInt64(word).value_or(0));
  if (numbers.size() != 3 || std::ranges::min(numbers) <= 0) {
    return base::Fail(base::Code::kInvalidArgument, "engine.trial", "this command is slipway's own; use inspect");
  }
  return base::ChildLimits{.parent = numbers[0], .memory = {numbers[1]}, .processor = std::chrono::seconds(numbers[2])};
}

[[noreturn]] void EndOutOfMemory() {
  ::_exit(kOutOfMemory);
}

/// Exceptions that nobody catches are those of memory, or a crash.
[[noreturn]] void EndUncaught() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    EndOutOfMemory();
  } catch (...) {
  }
  std::abort();
}

base::Result<void> Try(std::span<char* const> words, const TrialLoad& load) {
  SLIPWAY_ASSIGN(const base::ChildLimits limits, ReadLimits(words));
  SLIPWAY_TRY(base::LimitThisProcess(limits));
  std::set_new_handler(EndOutOfMemory);
  std::set_terminate(EndUncaught);
  SLIPWAY_ASSIGN(const Parcel parcel, Parcel::Open(base::kChildInput));
  const auto bundle = bundle::Bundle::OfFiles(parcel.files());
  if (!bundle) return base::Fail(base::Code::kInvalidArgument, "engine.trial", bundle.error().Text());
  const auto loaded = load(*bundle, parcel.options());
  const bool of_the_model =
      !loaded && (loaded.error().reason == "engine.model" || loaded.error().reason == "engine.memory");
  if (of_the_model) return loaded;
  ::_exit(kFine);
}

}  // namespace

BundleTrial TrialInChild(TrialLimits limits, std::string program) {
  return [limits, program = std::move(program)](const TrialTask& task) { return TryInChild(task, limits, program); };
}

int RunTrial(std::span<char* const> words, const TrialLoad& load) {
  const base::Error error = Try(words, load).error();
  if (error.code == base::Code::kResourceExhausted) return kOutOfMemory;
  base::WriteAll(base::kChildReport, ReportOf(error));
  return error.reason == "engine.model" ? kRefused : kBroken;
}

}  // namespace slipway::engine

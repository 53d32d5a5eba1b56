#include "live/live_controller.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "base/thread_priority.h"
#include "bundle/bundle.h"

namespace slipway::live {

namespace {

constexpr int kLowPriority = 5;  // a quarter of a processor when all are busy
constexpr int kMostDoublings = 20;
/// While calls wait for a version that does not fit.
constexpr std::chrono::milliseconds kLookForRoom{10};

/// Whether the same files may load later.
bool IsOfTheEnvironment(const base::Error& error) {
  return error.code == base::Code::kUnavailable || error.code == base::Code::kResourceExhausted ||
         error.reason == "engine.memory";
}

std::vector<std::string> NamesOf(const std::vector<ModelStatus>& statuses) {
  std::vector<std::string> names;
  for (const ModelStatus& status : statuses) {
    if (!status.name.empty()) names.push_back(status.name);
  }
  return names;
}

constexpr ModelState kStates[] = {ModelState::kWanted, ModelState::kCold,     ModelState::kLoading, ModelState::kReady,
                                  ModelState::kFailed, ModelState::kResident, ModelState::kDraining};

}  // namespace

LiveController::LiveController(LiveSet& live, telemetry::MetricRegistry& metrics, telemetry::Log& log,
                               LiveControllerOptions options)
    : live_(live),
      log_(log),
      options_(options),
      loads_(metrics.AddCounter({"slipway_model_loads_total", "Bundles loaded, by outcome.", {"outcome"}})),
      failures_(metrics.AddCounter(
          {"slipway_model_load_failures_total", "Bundles that could not be loaded, by why.", {"reason"}})),
      evictions_(
          metrics.AddCounter({"slipway_model_evictions_total", "Versions that made room for others.", {}}).With({})) {
  for (const char* outcome : {"ready", "failed"}) loads_.With({outcome});
  for (const ModelState state : kStates) {
    const std::string name = fmt::format("slipway_versions_{}", ModelStateName(state));
    metrics.AddGaugeReader(
        {name, fmt::format("Versions that are {} in this process.", ModelStateName(state)), {}}, [&live, state] {
          return static_cast<double>(std::ranges::count(live.Statuses(), state, &ModelStatus::state));
        });
  }
  metrics.AddGaugeReader({"slipway_loaded_bytes", "Memory that versions that are ready take, about.", {}}, [&live] {
    int64_t bytes = 0;
    for (const ModelStatus& status : live.Statuses()) bytes += status.state == ModelState::kReady ? status.bytes : 0;
    return static_cast<double>(bytes);
  });
}

LiveController::~LiveController() {
  Stop();
}

void LiveController::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void LiveController::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void LiveController::Post(Task task) {
  const std::lock_guard lock(mutex_);
  if (task) tasks_.push_back(std::move(task));
  look_now_ = true;
  woken_.notify_one();
}

void LiveController::LookNow() {
  Post({});
}

void LiveController::Wake() {
  const std::lock_guard lock(mutex_);
  wake_ = true;
  woken_.notify_one();
}

void LiveController::ReadUse(UseReader reader) {
  const std::lock_guard lock(use_mutex_);
  use_ = std::move(reader);
}

/// Or a task is.
bool LiveController::LookIsDue() const {
  if (std::chrono::steady_clock::now() >= next_look_) return true;
  const std::lock_guard lock(mutex_);
  return look_now_ || !tasks_.empty();
}

void LiveController::Run(const std::stop_token& stop) {
  // Loading must not take processors from requests.
  base::LowerThreadPriority(kLowPriority);
  const auto waits = [](const ModelStatus& status) { return status.use.waiting > 0 || status.asked; };
  while (!stop.stop_requested()) {
    RunTasks();
    if (LookIsDue()) {
      {
        const std::lock_guard lock(mutex_);
        look_now_ = false;
      }
      next_look_ = std::chrono::steady_clock::now() + options_.look_every;
      Look();
    }
    TakeSteps([&] { return stop.stop_requested() || LookIsDue(); });
    // Nobody tells when a version may leave.
    const bool soon = options_.lazy && std::ranges::any_of(StatusesInUse(), waits);
    std::unique_lock lock(mutex_);
    woken_.wait_until(lock, stop, soon ? std::chrono::steady_clock::now() + kLookForRoom : next_look_,
                      [this] { return look_now_ || wake_; });
    wake_ = false;
  }
}

void LiveController::RunTasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
}

bool LiveController::Settle() {
  Look();
  return TakeSteps([] { return false; });
}

/// Until none is left, or it is `enough`.
bool LiveController::TakeSteps(const std::function<bool()>& enough) {
  bool done = false;
  for (Step last, next; !enough() && (next = Choose()) != last && Take(next); last = next) done = true;
  if (live_.ForgetDrained()) {
    done = true;
    trim_at_ = std::min(trim_at_, options_.clock->Now() + options_.trim_after);
  }
  if (options_.clock->Now() >= trim_at_) {
    ::malloc_trim(0);
    trim_at_ = base::SteadyTime::max();
  }
  return done;
}

std::vector<ModelStatus> LiveController::StatusesInUse() const {
  auto statuses = live_.Statuses();
  if (!options_.lazy) return statuses;
  const std::lock_guard lock(use_mutex_);
  if (!use_) return statuses;
  for (ModelStatus& status : statuses) {
    if (status.state == ModelState::kCold || status.state == ModelState::kReady) status.use = use_(status);
  }
  return statuses;
}

Step LiveController::Choose() const {
  const base::Bytes loaded{options_.loaded.count > 0 ? options_.loaded.count : INT64_MAX};
  return NextStep(StatusesInUse(), options_.clock->Now(),
                  {.resident = options_.resident, .lazy = options_.lazy, .loaded = loaded});
}

/// What all sources list, path to stamp.
std::map<std::string, std::string> LiveController::AskSources() {
  std::map<std::string, std::string> listed;
  for (Source& source : sources_) {
    auto bundles = source.source->Read();
    if (bundles) {
      source.last = std::move(*bundles);
      source.fault.clear();
    } else if (std::exchange(source.fault, bundles.error().Text()) != bundles.error().Text()) {
      log_.Line(telemetry::LogLevel::kError, "live.source").Add(bundles.error());
    }
    for (const DesiredBundle& bundle : source.last) listed[bundle.path.string()] = bundle.stamp;
  }
  return listed;
}

void LiveController::Look() {
  auto listed = AskSources();
  for (const ModelStatus& status : live_.Statuses()) {
    const auto found = listed.find(status.source);
    const bool wanted = found != listed.end() && found->second == status.stamp;
    const bool off = !status.name.empty() && IsSwitchedOff(status.name);
    if (wanted && off) names_[{status.source, status.stamp}] = status.name;
    // What requests still hold does not come back: the same bundle is taken up anew.
    if (status.state == ModelState::kDraining) continue;
    live_.SetWanted(status.id, wanted && !off);
    if (wanted) listed.erase(found);
  }
  for (const auto& [path, stamp] : listed) {
    const auto name = names_.find({path, stamp});
    if (name == names_.end() || !IsSwitchedOff(name->second)) live_.Admit(path, stamp);
  }
}

bool LiveController::Take(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kNothing:
      return false;
    case Step::Kind::kKnow:
      Know(step.id);
      return true;
    case Step::Kind::kLoad:
      Load(step.id);
      return true;
    case Step::Kind::kEvict:
      live_.Evict(step.id);
      evictions_.Add();
      return true;
    case Step::Kind::kPublish:
      live_.Publish(step.id);
      return true;
    case Step::Kind::kWithdraw:
      live_.Withdraw(step.id);
      return true;
    case Step::Kind::kDrop:
      live_.Drop(step.id);
      return true;
  }
  return false;
}

/// A version of a name that is switched off must not be served even for a moment. True when it is such a one.
bool LiveController::LeaveIfOff(const ModelStatus& status) {
  if (off_.empty()) return false;
  const auto bundle = bundle::Bundle::Open(status.source);
  if (!bundle || !IsSwitchedOff(bundle->manifest().name)) return false;
  names_[{status.source, status.stamp}] = bundle->manifest().name;
  live_.SetWanted(status.id, false);
  return true;
}

void LiveController::Know(int64_t id) {
  const auto statuses = live_.Statuses();
  const auto status = std::ranges::find(statuses, id, &ModelStatus::id);
  if (status == statuses.end() || LeaveIfOff(*status)) return;
  if (const auto known = live_.Know(id); !known) CountFailure(*status, known.error());
}

void LiveController::Load(int64_t id) {
  live_.ForgetDrained();  // what made room for it
  const auto statuses = live_.Statuses();
  const auto status = std::ranges::find(statuses, id, &ModelStatus::id);
  if (status == statuses.end() || LeaveIfOff(*status)) return;
  const auto loaded = live_.Load(id);
  if (!loaded) return CountFailure(*status, loaded.error());
  loads_.With({"ready"}).Add();
  if (options_.lazy && options_.loaded.count > 0) WarnOfSize(id);
}

/// `before`: the version's status before it failed.
void LiveController::CountFailure(const ModelStatus& before, const base::Error& error) {
  loads_.With({"failed"}).Add();
  failures_.With({error.reason}).Add();
  if (!IsOfTheEnvironment(error)) return;
  const auto wait =
      std::min(options_.retry_most, options_.retry_first * (1 << std::min(before.attempts, kMostDoublings)));
  live_.RetryAt(before.id, options_.clock->Now() + wait);
}

void LiveController::WarnOfSize(int64_t id) {
  for (const ModelStatus& status : live_.Statuses()) {
    if (status.id != id || status.bytes <= options_.loaded.count) continue;
    log_.Line(telemetry::LogLevel::kWarning, "model.past_memory")
        .Add("model", status.name)
        .Add("version", status.version)
        .Add("bytes", status.bytes)
        .Add("models_memory", options_.loaded.count)
        .Add("message", "larger than --models-memory by itself: it is loaded alone, and all others leave for it");
  }
}

base::Result<void> LiveController::Outcome(const std::string& name) const {
  bool ready = false;
  const auto statuses = live_.Statuses();
  for (const ModelStatus& status : statuses) {
    if (!status.wanted || status.name != name) continue;
    if (status.state == ModelState::kFailed) return std::unexpected(status.error);
    ready |= status.state == ModelState::kReady;
  }
  if (HasCold(name)) {
    return base::Fail(
        base::Code::kResourceExhausted, "live.memory",
        fmt::format("\"{}\" does not fit into --models-memory now, and of what is loaded nothing may leave; "
                    "it is loaded as soon as there is room",
                    base::Shorten(name)));
  }
  if (ready) return {};
  return base::Fail(base::Code::kNotFound, "live.not_listed",
                    fmt::format("no bundle named \"{}\" is where this server looks for bundles{}", base::Shorten(name),
                                base::DidYouMean(name, NamesOf(statuses))));
}

bool LiveController::IsServed(const std::string& name) const {
  return std::ranges::any_of(live_.Statuses(), [&](const ModelStatus& status) {
    return status.name == name && (status.state == ModelState::kReady || status.state == ModelState::kCold);
  });
}

bool LiveController::HasCold(const std::string& name) const {
  return std::ranges::any_of(live_.Statuses(), [&](const ModelStatus& status) {
    return status.wanted && status.name == name && status.state == ModelState::kCold;
  });
}

void LiveController::SwitchOn(std::string name, Done done) {
  Post([this, name = std::move(name), done = std::move(done)] {
    off_.erase(name);
    std::erase_if(names_, [&](const auto& entry) { return entry.second == name; });
    Look();  // the second look counts what is new, since the caller says that it is complete
    for (const ModelStatus& status : live_.Statuses()) {
      const bool of_name = status.name == name || status.name.empty();
      if (of_name && status.state == ModelState::kFailed) live_.RetryAt(status.id, options_.clock->Now());
    }
    Look();
    const auto none = [&](auto&& pending) { return options_.lazy && std::ranges::none_of(live_.Statuses(), pending); };
    TakeSteps([&] {
      return none([&](const ModelStatus& status) {
        const bool again = status.state == ModelState::kFailed && status.next_try <= options_.clock->Now();
        return status.wanted && (status.state == ModelState::kWanted || again);
      });
    });
    for (const ModelStatus& status : live_.Statuses()) {
      if (status.name == name && status.wanted) live_.Ask(status.id);
    }
    TakeSteps([&] { return options_.lazy && !HasCold(name); });
    done(Outcome(name));
  });
}

void LiveController::SwitchOff(std::string name, Done done) {
  Post([this, name = std::move(name), done = std::move(done)] {
    const auto names = NamesOf(live_.Statuses());
    if (std::ranges::find(names, name) == names.end()) {
      done(std::unexpected(UnknownModel(name, names)));
      return;
    }
    off_.insert(name);
    Look();
    TakeSteps([&] { return options_.lazy && !IsServed(name); });
    done({});
  });
}

}  // namespace slipway::live

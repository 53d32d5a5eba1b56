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

constexpr ModelState kStates[] = {ModelState::kWanted, ModelState::kLoading,  ModelState::kReady,
                                  ModelState::kFailed, ModelState::kResident, ModelState::kDraining};

}  // namespace

LiveController::LiveController(LiveSet& live, telemetry::MetricRegistry& metrics, telemetry::Log& log,
                               LiveControllerOptions options)
    : live_(live),
      log_(log),
      options_(options),
      loads_(metrics.AddCounter({"slipway_model_loads_total", "Bundles loaded, by outcome.", {"outcome"}})) {
  for (const char* outcome : {"ready", "failed"}) loads_.With({outcome});
  for (const ModelState state : kStates) {
    const std::string name = fmt::format("slipway_versions_{}", ModelStateName(state));
    metrics.AddGaugeReader(
        {name, fmt::format("Versions that are {} in this process.", ModelStateName(state)), {}}, [&live, state] {
          return static_cast<double>(std::ranges::count(live.Statuses(), state, &ModelStatus::state));
        });
  }
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

void LiveController::Run(const std::stop_token& stop) {
  // Loading must not take processors from requests.
  base::LowerThreadPriority(kLowPriority);
  while (!stop.stop_requested()) {
    RunTasks();
    Settle();
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, options_.look_every, [this] { return look_now_; });
    look_now_ = false;
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
  bool done = false;
  for (Step last, next; (next = Choose()) != last && Take(next); last = next) done = true;
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

Step LiveController::Choose() const {
  return NextStep(live_.Statuses(), options_.clock->Now(), options_.resident);
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
    case Step::Kind::kLoad:
      Load(step.id);
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

void LiveController::Load(int64_t id) {
  const auto statuses = live_.Statuses();
  const auto status = std::ranges::find(statuses, id, &ModelStatus::id);
  if (status == statuses.end()) return;
  if (!off_.empty()) {  // a version of a name that is switched off must not be served even for a moment
    const auto bundle = bundle::Bundle::Open(status->source);
    if (bundle && IsSwitchedOff(bundle->manifest().name)) {
      names_[{status->source, status->stamp}] = bundle->manifest().name;
      live_.SetWanted(id, false);
      return;
    }
  }
  const auto loaded = live_.Load(id);
  loads_.With({loaded ? "ready" : "failed"}).Add();
  if (loaded || !IsOfTheEnvironment(loaded.error())) return;
  const auto wait =
      std::min(options_.retry_most, options_.retry_first * (1 << std::min(status->attempts, kMostDoublings)));
  live_.RetryAt(id, options_.clock->Now() + wait);
}

base::Result<void> LiveController::Outcome(const std::string& name) const {
  bool ready = false;
  const auto statuses = live_.Statuses();
  for (const ModelStatus& status : statuses) {
    if (!status.wanted || status.name != name) continue;
    if (status.state == ModelState::kFailed) return std::unexpected(status.error);
    ready |= status.state == ModelState::kReady;
  }
  if (ready) return {};
  return base::Fail(base::Code::kNotFound, "live.not_listed",
                    fmt::format("no bundle named \"{}\" is where this server looks for bundles{}", base::Shorten(name),
                                base::DidYouMean(name, NamesOf(statuses))));
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
    Settle();
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
    Settle();
    done({});
  });
}

}  // namespace slipway::live

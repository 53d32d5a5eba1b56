#include "live/live_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::live {

std::string_view ModelStateName(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return "loading";
    case ModelState::kReady:
      return "ready";
    case ModelState::kFailed:
      return "failed";
  }
  return "unknown";
}

LiveSet::LiveSet(const engine::EngineTable& engines, LoadOptions options, telemetry::Log& log)
    : engines_(engines), options_(options), log_(log), snapshot_(std::make_shared<const Snapshot>()) {}

base::Result<void> LiveSet::Load(const std::filesystem::path& path) {
  const std::lock_guard one_at_a_time(loading_);
  size_t place = 0;
  {
    const std::lock_guard lock(mutex_);
    place = statuses_.size();
    statuses_.push_back({.source = path.string(), .name = {}, .version = {}, .error = {}});
  }
  const auto loaded = LoadNew(path);
  Finish(place, loaded);
  if (!loaded) return std::unexpected(loaded.error());
  return {};
}

base::Result<std::shared_ptr<const LoadedModel>> LiveSet::LoadNew(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(auto model, LoadBundle(path, engines_, options_));
  const auto served = Current()->Resolve(model->name + "@" + model->version_text);
  if (!served) return model;
  if ((*served)->digest == model->digest) return *served;
  return base::Fail(base::Code::kAlreadyExists, "live.version_conflict",
                    fmt::format("{} and {} are both {}@{} with different contents; give one another version",
                                model->source, (*served)->source, model->name, model->version_text));
}

void LiveSet::Finish(size_t place, const base::Result<std::shared_ptr<const LoadedModel>>& loaded) {
  if (!loaded) {
    {
      const std::lock_guard lock(mutex_);
      statuses_[place].state = ModelState::kFailed;
      statuses_[place].error = loaded.error();
    }
    log_.Line(telemetry::LogLevel::kError, "model.failed").Add("source", statuses_[place].source).Add(loaded.error());
    return;
  }
  const auto& model = **loaded;
  {
    const std::lock_guard lock(mutex_);
    if (!snapshot_->Contains(model)) {
      snapshot_ = std::make_shared<const Snapshot>(snapshot_->With(*loaded));
      generation_.fetch_add(1, std::memory_order_release);
    }
    statuses_[place].state = ModelState::kReady;
    statuses_[place].name = model.name;
    statuses_[place].version = model.version_text;
  }
  log_.Line(telemetry::LogLevel::kInfo, "model.ready")
      .Add("model", model.name)
      .Add("version", model.version_text)
      .Add("digest", model.digest)
      .Add("source", model.source)
      .Add("golden_records", model.golden.checked)
      .Add("seconds", std::chrono::duration<double>(model.load_time).count());
  if (model.golden.tolerance > 0) LogNearness(model);
}

/// The golden records were made on another kind of CPU: how near they were answered.
void LiveSet::LogNearness(const LoadedModel& model) {
  const auto& golden = model.golden;
  auto line =
      log_.Line(golden.near > 0 ? telemetry::LogLevel::kWarning : telemetry::LogLevel::kInfo, "model.golden_near");
  line.Add("model", model.name).Add("version", model.version_text);
  line.Add("packed_on", golden.packed_on).Add("cpu", golden.checked_on);
  line.Add("tolerance", golden.tolerance).Add("near", golden.near);
  if (golden.worst.record < 0) return;
  line.Add("worst_record", golden.worst.record).Add("worst_field", golden.worst.field);
  line.Add("worst_share", golden.worst.share);
}

std::shared_ptr<const Snapshot> LiveSet::Current() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<ModelStatus> LiveSet::Statuses() const {
  const std::lock_guard lock(mutex_);
  return statuses_;
}

bool LiveSet::Ready() const {
  const std::lock_guard lock(mutex_);
  return !statuses_.empty() &&
         std::ranges::all_of(statuses_, [](const auto& status) { return status.state == ModelState::kReady; });
}

}  // namespace slipway::live

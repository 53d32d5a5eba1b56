#include "live/live_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/machine.h"
#include "bundle/bundle.h"

namespace slipway::live {

namespace {

/// What a version takes at least: memory that was free in the process before does not show as growth.
constexpr int64_t kLeastBytes = 1 << 20;

}  // namespace

LiveSet::LiveSet(const engine::EngineTable& engines, LoadOptions options, telemetry::Log& log)
    : engines_(engines), options_(options), log_(log), snapshot_(std::make_shared<const Snapshot>()) {}

LiveSet::Record* LiveSet::Find(int64_t id) {
  const auto found = std::ranges::find(records_, id, [](const Record& record) { return record.status.id; });
  return found == records_.end() ? nullptr : &*found;
}

bool LiveSet::Move(Record& record, ModelState to) {
  if (!MayFollow(record.status.state, to)) return false;
  record.status.state = to;
  record.status.since = options_.clock->Now();
  return true;
}

int64_t LiveSet::Admit(const std::filesystem::path& path, std::string stamp) {
  const std::lock_guard lock(mutex_);
  Record record;
  record.status.id = ++last_id_;
  record.status.source = path.string();
  record.status.stamp = std::move(stamp);
  record.status.since = options_.clock->Now();
  return records_.emplace_back(std::move(record)).status.id;
}

void LiveSet::SetWanted(int64_t id, bool wanted) {
  const std::lock_guard lock(mutex_);
  if (Record* record = Find(id)) record->status.wanted = wanted;
}

void LiveSet::RetryAt(int64_t id, base::SteadyTime time) {
  const std::lock_guard lock(mutex_);
  if (Record* record = Find(id)) record->status.next_try = time;
}

base::Result<void> LiveSet::Load(int64_t id) {
  const std::lock_guard one_at_a_time(loading_);
  std::string source;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || !Move(*record, ModelState::kLoading)) return {};
    record->status.next_try = base::SteadyTime::max();
    source = record->status.source;
  }
  const int64_t before = base::ResidentMemory().count;
  const auto loaded = LoadNew(source);
  if (!loaded) {
    Fail(id, source, loaded.error());
    return std::unexpected(loaded.error());
  }
  const auto process = (*loaded)->scorer->process();
  const int64_t elsewhere = process ? process->memory.count : 0;
  Succeed(id, *loaded, std::max(kLeastBytes, base::ResidentMemory().count - before) + elsewhere);
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

void LiveSet::Fail(int64_t id, const std::string& source, const base::Error& error) {
  // What it would have been called tells whom it would have replaced.
  const auto bundle = bundle::Bundle::Open(source);
  {
    const std::lock_guard lock(mutex_);
    Record& record = *Find(id);
    Move(record, ModelState::kFailed);
    ++record.status.attempts;
    record.status.error = error;
    if (bundle) record.status.name = bundle->manifest().name;
    if (bundle) record.status.version = bundle->manifest().version.ToString();
  }
  log_.Line(telemetry::LogLevel::kError, "model.failed").Add("source", source).Add(error);
}

void LiveSet::Succeed(int64_t id, const std::shared_ptr<const LoadedModel>& model, int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    Record& record = *Find(id);
    Move(record, ModelState::kReady);
    record.model = model;
    record.status.error = {};
    record.status.attempts = 0;
    record.status.name = model->name;
    record.status.version = model->version_text;
    record.status.bytes = bytes;
    Show(model);
  }
  TellOfChange();
  LogReady(*model);
}

/// With the mutex held.
void LiveSet::Replace(Snapshot snapshot) {
  snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot));
  generation_.fetch_add(1, std::memory_order_release);
}

/// With the mutex held.
void LiveSet::Show(const std::shared_ptr<const LoadedModel>& model) {
  if (!snapshot_->Contains(*model)) Replace(snapshot_->With(model));
}

void LiveSet::TellOfChange() {
  if (changed_) changed_();
}

void LiveSet::Publish(int64_t id) {
  ModelStatus status;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || !Move(*record, ModelState::kReady)) return;
    Show(record->model);
    status = record->status;
  }
  TellOfChange();
  LogEnd("model.brought_back", status);
}

void LiveSet::Withdraw(int64_t id) {
  ModelStatus status;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || !Move(*record, ModelState::kResident)) return;
    status = record->status;
    // The same contents may be served on behalf of another record.
    const bool served_still = std::ranges::any_of(records_, [&](const Record& other) {
      return other.status.state == ModelState::kReady && other.model == record->model;
    });
    if (!served_still) Replace(snapshot_->Without(*record->model));
  }
  TellOfChange();
  LogEnd("model.withdrawn", status);
}

void LiveSet::Drop(int64_t id) {
  const std::lock_guard lock(mutex_);
  Record* record = Find(id);
  if (record == nullptr) return;
  if (Move(*record, ModelState::kDraining)) {
    // Nothing is left to wait for when another record has the same contents.
    if (std::ranges::count(records_, record->model, &Record::model) == 1) return;
  }
  if (Move(*record, ModelState::kGone)) records_.erase(records_.begin() + (record - records_.data()));
}

bool LiveSet::ForgetDrained() {
  std::vector<ModelStatus> gone;
  std::vector<Unloaded> unloaded;
  std::vector<std::shared_ptr<const LoadedModel>> models;  // freed here, without the mutex
  {
    const std::lock_guard lock(mutex_);
    for (Record& record : records_) {
      if (record.status.state != ModelState::kDraining || record.model.use_count() > 1) continue;
      Move(record, ModelState::kGone);
      gone.push_back(record.status);
      const bool known_still = std::ranges::any_of(records_, [&](const Record& other) {
        return other.status.state != ModelState::kGone && other.status.name == record.status.name &&
               other.status.version == record.status.version;
      });
      if (!known_still) unloaded.push_back({record.status.name, record.status.version, record.model->index});
      models.push_back(std::move(record.model));
    }
    std::erase_if(records_, [](const Record& record) { return record.status.state == ModelState::kGone; });
  }
  models.clear();
  for (const auto& status : gone) LogEnd("model.unloaded", status);
  for (const Unloaded& version : unloaded) {
    if (unloaded_) unloaded_(version);
  }
  return !gone.empty();
}

void LiveSet::LogEnd(std::string_view event, const ModelStatus& status) {
  log_.Line(telemetry::LogLevel::kInfo, event)
      .Add("model", status.name)
      .Add("version", status.version)
      .Add("source", status.source);
}

void LiveSet::LogReady(const LoadedModel& model) {
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

std::shared_ptr<const LoadedModel> LiveSet::PreviousOf(const LoadedModel& model) const {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const LoadedModel> previous;
  for (const Record& record : records_) {
    const bool usable = record.status.state == ModelState::kReady || record.status.state == ModelState::kResident;
    const auto& other = record.model;
    if (!usable || other == nullptr || other->name != model.name || other->version >= model.version) continue;
    if (previous == nullptr || other->version > previous->version) previous = other;
  }
  return previous;
}

std::vector<ModelStatus> LiveSet::Statuses() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelStatus> statuses;
  statuses.reserve(records_.size());
  for (const Record& record : records_) statuses.push_back(record.status);
  return statuses;
}

bool LiveSet::Ready() const {
  const std::lock_guard lock(mutex_);
  const auto wanted = [](const Record& record) { return record.status.wanted; };
  return std::ranges::any_of(records_, wanted) && std::ranges::all_of(records_, [&](const Record& record) {
           return !wanted(record) || record.status.state == ModelState::kReady;
         });
}

}  // namespace slipway::live

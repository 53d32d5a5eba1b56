#include "live/live_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  Record* record = Find(id);
  if (record == nullptr) return;
  record->status.next_try = time;
  if (record->failed == nullptr) return;
  auto failed = std::make_shared<LoadedModel>(*record->failed);
  failed->next_try = time;
  SetFailed(*record, std::move(failed));
}

base::Result<void> LiveSet::Know(int64_t id) {
  const std::lock_guard one_at_a_time(loading_);
  std::string source;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || record->status.state != ModelState::kWanted) return {};
    source = record->status.source;
  }
  const auto known = KnowBundle(source);
  if (auto fine = known ? CheckConflict(*known->model) : std::unexpected(known.error()); !fine) {
    Fail(id, source, fine.error());
    return fine;
  }
  {
    const std::lock_guard lock(mutex_);
    Record& record = *Find(id);
    Move(record, ModelState::kCold);
    SetModel(record, known->model);
    record.status.bytes = std::max(kLeastBytes, known->bytes);
    record.status.shown = std::ranges::none_of(records_, [&](const Record& other) {
      return other.status.state == ModelState::kReady && other.status.name == record.status.name;
    });
    if (record.status.shown) Show(record.model);
  }
  TellOfChange();
  return {};
}

void LiveSet::Ask(int64_t id) {
  const std::lock_guard lock(mutex_);
  if (Record* record = Find(id); record != nullptr && record->status.state == ModelState::kCold) {
    record->status.asked = true;
  }
}

base::Result<void> LiveSet::Load(int64_t id) {
  const std::lock_guard one_at_a_time(loading_);
  std::string source;
  std::shared_ptr<const LoadedModel> known;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || !Move(*record, ModelState::kLoading)) return {};
    record->status.next_try = base::SteadyTime::max();
    record->status.asked = false;
    source = record->status.source;
    known = record->model;
  }
  const int64_t before = options_.resident_memory().count;
  const auto loaded = LoadNew(source, known.get());
  if (!loaded) {
    Fail(id, source, loaded.error());
    return std::unexpected(loaded.error());
  }
  const auto process = (*loaded)->scorer->process();
  const int64_t elsewhere = process ? process->memory.count : 0;
  Succeed(id, *loaded, std::max(kLeastBytes, options_.resident_memory().count - before) + elsewhere);
  return {};
}

/// `known`: what the version was when it was cold, else nullptr.
base::Result<std::shared_ptr<const LoadedModel>> LiveSet::LoadNew(const std::filesystem::path& path,
                                                                  const LoadedModel* known) {
  SLIPWAY_ASSIGN(auto model, LoadBundle(path, engines_, options_));
  if (known != nullptr && known->digest != model->digest) {
    return base::Fail(base::Code::kFailedPrecondition, "live.changed",
                      fmt::format("{} is not any more what {}@{} was when it was found; it is taken up as it is now at "
                                  "the next look",
                                  model->source, known->name, known->version_text));
  }
  SLIPWAY_TRY(CheckConflict(*model));
  const auto served = Current()->Resolve(model->reference());
  return served && !(*served)->cold() ? *served : model;
}

/// What is cold and not wanted any more gives way: its files are gone.
base::Result<void> LiveSet::CheckConflict(const LoadedModel& model) const {
  const std::lock_guard lock(mutex_);
  const auto served = snapshot_->Resolve(model.reference());
  if (!served || (*served)->digest == model.digest) return {};
  const bool gives_way = std::ranges::none_of(records_, [&](const Record& record) {
    return record.model == *served && (record.status.wanted || record.status.state != ModelState::kCold);
  });
  if (gives_way) return {};
  return base::Fail(base::Code::kAlreadyExists, "live.version_conflict",
                    fmt::format("{} and {} are both {}@{} with different contents; give one another version",
                                model.source, (*served)->source, model.name, model.version_text));
}

void LiveSet::Fail(int64_t id, const std::string& source, const base::Error& error) {
  // What it would have been called tells whom it would have replaced, and its fallback who may answer for it.
  const auto bundle = bundle::Bundle::Open(source);
  auto failed = bundle ? FailedModel(*bundle, source, error, ContractOf(id)) : nullptr;
  {
    const std::lock_guard lock(mutex_);
    Record& record = *Find(id);
    Move(record, ModelState::kFailed);
    ++record.status.attempts;
    record.status.error = error;
    SetModel(record, nullptr);
    SetFailed(record, std::move(failed));
  }
  TellOfChange();
  log_.Line(telemetry::LogLevel::kError, "model.failed").Add("source", source).Add(error);
}

void LiveSet::Succeed(int64_t id, const std::shared_ptr<const LoadedModel>& model, int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    Record& record = *Find(id);
    Move(record, ModelState::kReady);
    // What it was loaded into before may be free in the process still, and does not show as growth.
    const bool again = record.model != nullptr && record.model->contract->whole;
    record.status.bytes = again ? std::max(record.status.bytes, bytes) : bytes;
    record.status.error = {};
    record.status.attempts = 0;
    SetFailed(record, nullptr);
    SetModel(record, model);
    Show(model);
  }
  TellOfChange();
  LogReady(*model);
}

/// nullptr: the version was not known.
std::shared_ptr<const scoring::Contract> LiveSet::ContractOf(int64_t id) {
  const std::lock_guard lock(mutex_);
  const Record* record = Find(id);
  return record == nullptr || record->model == nullptr ? nullptr : record->model->contract;
}

/// With the mutex held. What the record stood for before is shown no more, unless another one stands for it too.
void LiveSet::SetModel(Record& record, std::shared_ptr<const LoadedModel> model) {
  const auto before = std::exchange(record.model, std::move(model));
  const bool others = before != nullptr && std::ranges::count(records_, before, &Record::model) > 0;
  if (before != nullptr && !others && snapshot_->Contains(*before)) Replace(snapshot_->Without(*before));
  record.status.index = record.model == nullptr ? -1 : record.model->index;
  if (record.model == nullptr) return;
  record.status.name = record.model->name;
  record.status.version = record.model->version_text;
  record.status.load_time = record.model->load_time;
}

/// With the mutex held.
void LiveSet::SetFailed(Record& record, std::shared_ptr<const LoadedModel> model) {
  if (record.failed != nullptr) Replace(snapshot_->WithoutFailed(*record.failed));
  record.failed = std::move(model);
  if (record.failed == nullptr) return;
  record.status.name = record.failed->name;
  record.status.version = record.failed->version_text;
  Replace(snapshot_->WithFailed(record.failed));
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

void LiveSet::Evict(int64_t id) {
  ModelStatus status;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr || record->status.state != ModelState::kReady) return;
    const auto loaded = record->model;
    const auto cold = ColdCopy(*loaded);
    for (Record& same : records_) {  // the same contents may be served on behalf of several
      if (same.model != loaded || !Move(same, ModelState::kCold)) continue;
      same.model = cold;
      same.status.index = cold->index;
      same.status.shown = true;
    }
    Show(cold);
    evicted_.push_back(loaded);
    status = record->status;
  }
  TellOfChange();
  LogEnd("model.evicted", status);
}

void LiveSet::Drop(int64_t id) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    Record* record = Find(id);
    if (record == nullptr) return;
    const bool cold = record->status.state == ModelState::kCold;
    if (Move(*record, ModelState::kDraining)) {
      // Nothing is left to wait for when another record has the same contents.
      if (std::ranges::count(records_, record->model, &Record::model) == 1) {
        changed = cold && record->status.shown;
        if (changed) Replace(snapshot_->Without(*record->model));
      } else {
        Move(*record, ModelState::kGone);
      }
    } else if (Move(*record, ModelState::kGone)) {
      changed = record->failed != nullptr;
      SetFailed(*record, nullptr);
      // It may have been loaded, and called, before it failed.
      if (!record->status.name.empty()) ended_.push_back({record->status.name, record->status.version, -1, false});
    }
    if (record->status.state == ModelState::kGone) records_.erase(records_.begin() + (record - records_.data()));
  }
  if (changed) TellOfChange();
}

/// With the mutex held.
bool LiveSet::IsKnown(const std::string& name, const std::string& version) const {
  return std::ranges::any_of(records_, [&](const Record& record) {
    return record.status.state != ModelState::kGone && record.status.name == name && record.status.version == version;
  });
}

/// With the mutex held. Whether requests may still count for what was evicted of that version.
bool LiveSet::IsHeld(const std::string& name, const std::string& version) const {
  return std::ranges::any_of(evicted_,
                             [&](const auto& model) { return model->name == name && model->version_text == version; });
}

bool LiveSet::ForgetDrained() {
  std::vector<ModelStatus> gone;
  std::vector<Unloaded> unloaded;
  std::vector<std::shared_ptr<const LoadedModel>> models;  // freed here, without the mutex
  {
    const std::lock_guard lock(mutex_);
    for (auto& model : evicted_) {
      if (model.use_count() > 1) continue;
      unloaded.push_back({model->name, model->version_text, model->index, true});
      models.push_back(std::move(model));
    }
    std::erase(evicted_, nullptr);
    std::erase_if(ended_, [&](const Unloaded& version) {
      if (IsHeld(version.name, version.version)) return false;
      if (!IsKnown(version.name, version.version)) unloaded.push_back(version);
      return true;
    });
    for (Record& record : records_) {
      if (record.status.state != ModelState::kDraining || record.model.use_count() > 1) continue;
      if (IsHeld(record.status.name, record.status.version)) continue;
      Move(record, ModelState::kGone);
      gone.push_back(record.status);
      const bool known_still = IsKnown(record.status.name, record.status.version);
      unloaded.push_back({record.status.name, record.status.version, record.model->index, known_still});
      models.push_back(std::move(record.model));
    }
    std::erase_if(records_, [](const Record& record) { return record.status.state == ModelState::kGone; });
  }
  const bool freed = !models.empty();
  models.clear();
  for (const auto& status : gone) LogEnd("model.unloaded", status);
  for (const Unloaded& version : unloaded) {
    if (unloaded_) unloaded_(version);
  }
  return freed;
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
           return !wanted(record) || record.status.state == ModelState::kReady ||
                  record.status.state == ModelState::kCold;
         });
}

}  // namespace slipway::live

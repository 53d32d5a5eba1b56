#include "live/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace slipway::live {
namespace {

constexpr std::string_view kStable = "stable";

base::Error UnknownVersion(const ModelReference& reference, const Snapshot::Entry& entry) {
  constexpr size_t kShown = 8;
  std::string versions;
  for (size_t i = 0; i < std::min(kShown, entry.versions.size()); ++i) {
    if (i > 0) versions += ", ";
    versions += entry.versions[i]->version_text;
  }
  if (entry.versions.size() > kShown) versions += ", …";
  return {base::Code::kNotFound,
          "model.version_unknown",
          fmt::format("model {} has no version \"{}\" loaded; loaded are {}", entry.name,
                      base::Shorten(reference.selector), versions),
          {}};
}

}  // namespace

base::Error UnknownModel(std::string_view name, std::span<const std::string> known) {
  return {base::Code::kNotFound,
          "model.unknown",
          fmt::format("no model named \"{}\" is loaded{}; GET /models lists those that are", base::Shorten(name),
                      base::DidYouMean(name, known)),
          {}};
}

Snapshot Snapshot::With(std::shared_ptr<const LoadedModel> model) const {
  Snapshot next = *this;
  auto entry = std::ranges::lower_bound(next.entries_, model->name, {}, &Entry::name);
  if (entry == next.entries_.end() || entry->name != model->name) {
    entry = next.entries_.insert(entry, Entry{.name = model->name, .versions = {}});
  }
  auto& versions = entry->versions;
  std::erase_if(versions, [&](const auto& other) { return other->version == model->version; });
  const auto place = std::ranges::find_if(versions, [&](const auto& other) { return other->version < model->version; });
  versions.insert(place, std::move(model));
  ChooseStable(*entry);
  return next;
}

void Snapshot::ChooseStable(Entry& entry) {
  const auto release =
      std::ranges::find_if(entry.versions, [](const auto& other) { return other->version.prerelease.empty(); });
  entry.stable = release == entry.versions.end() ? entry.versions.front().get() : release->get();
}

Snapshot Snapshot::Without(const LoadedModel& model) const {
  Snapshot next = *this;
  for (Entry& entry : next.entries_) {
    std::erase_if(entry.versions, [&](const auto& other) { return other.get() == &model; });
    if (!entry.versions.empty()) ChooseStable(entry);
  }
  std::erase_if(next.entries_, [](const Entry& entry) { return entry.versions.empty(); });
  return next;
}

Snapshot Snapshot::WithFailed(Model model) const {
  Snapshot next = *this;
  std::erase_if(next.failed_,
                [&](const Model& other) { return other->name == model->name && other->version == model->version; });
  const auto place =
      std::ranges::find_if(next.failed_, [&](const Model& other) { return other->version < model->version; });
  next.failed_.insert(place, std::move(model));
  return next;
}

Snapshot Snapshot::WithoutFailed(const LoadedModel& model) const {
  Snapshot next = *this;
  std::erase_if(next.failed_, [&](const Model& other) { return other.get() == &model; });
  return next;
}

Snapshot::Model Snapshot::ResolveFailed(std::string_view text) const {
  const auto reference = ModelReference::Parse(text);
  if (!reference) return nullptr;
  const bool stable = reference->kind == ModelReference::Kind::kDefault || reference->selector == kStable;
  Model prerelease;
  for (const Model& model : failed_) {
    if (model->name != reference->name || !(stable || reference->Accepts(model->version, model->digest))) continue;
    if (!stable || model->version.prerelease.empty()) return model;
    if (prerelease == nullptr) prerelease = model;
  }
  return prerelease;
}

const Snapshot::Entry* Snapshot::Find(std::string_view name) const {
  const auto entry =
      std::ranges::lower_bound(entries_, name, {}, [](const Entry& e) { return std::string_view(e.name); });
  return entry != entries_.end() && entry->name == name ? &*entry : nullptr;
}

base::Result<std::shared_ptr<const LoadedModel>> Snapshot::Resolve(std::string_view text) const {
  SLIPWAY_ASSIGN(const auto reference, ModelReference::Parse(text));
  const Entry* entry = Find(reference.name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const Entry& known : entries_) names.push_back(known.name);
    return std::unexpected(UnknownModel(reference.name, names));
  }
  const bool stable = reference.kind == ModelReference::Kind::kDefault || reference.selector == kStable;
  for (const auto& model : entry->versions) {
    if (stable ? model.get() == entry->stable : reference.Accepts(model->version, model->digest)) return model;
  }
  return std::unexpected(UnknownVersion(reference, *entry));
}

bool Snapshot::Contains(const LoadedModel& model) const {
  const auto is_it = [&](const Model& other) { return other.get() == &model; };
  const Entry* entry = Find(model.name);
  if (entry != nullptr && std::ranges::any_of(entry->versions, is_it)) return true;
  return std::ranges::any_of(failed_, is_it);
}

}  // namespace slipway::live

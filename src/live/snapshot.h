#pragma once
// Snapshot: which versions are served at one moment. Request threads look models up in it without locks.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "live/loaded_model.h"
#include "live/model_reference.h"

namespace slipway::live {

/// "model.unknown", naming the nearest of the names that are known.
base::Error UnknownModel(std::string_view name, std::span<const std::string> known);

/// Immutable; const access from any thread.
class Snapshot {
 public:
  using Model = std::shared_ptr<const LoadedModel>;
  /// The versions of one name that are ready or cold, newest first.
  struct Entry {
    std::string name;
    std::vector<std::shared_ptr<const LoadedModel>> versions;
    const LoadedModel* stable =
        nullptr;  ///< what the bare name means: the newest release, or the newest of prereleases
  };

  Snapshot() = default;
  /// This snapshot with one version more; one of the same name and version is replaced.
  Snapshot With(std::shared_ptr<const LoadedModel> model) const;
  /// This snapshot without that version.
  Snapshot Without(const LoadedModel& model) const;

  /// This snapshot with a version that cannot be loaded, in the place of others of the same name and version that
  /// could not; without it.
  Snapshot WithFailed(Model model) const;
  Snapshot WithoutFailed(const LoadedModel& model) const;

  /// By name, sorted.
  std::span<const Entry> entries() const { return entries_; }
  const Entry* Find(std::string_view name) const;
  /// Resolves "name[@selector]", whether it is loaded or cold. Errors: "model.reference"; not_found "model.unknown"
  /// (naming the nearest loaded name), "model.version_unknown" (naming the versions that are loaded).
  base::Result<std::shared_ptr<const LoadedModel>> Resolve(std::string_view reference) const;
  /// The newest version that the reference means among those that cannot be loaded; nullptr: none. For references that
  /// Resolve() finds nothing for.
  Model ResolveFailed(std::string_view reference) const;
  std::span<const Model> failed() const { return failed_; }
  bool Contains(const LoadedModel& model) const;

 private:
  static void ChooseStable(Entry& entry);
  std::vector<Entry> entries_;
  std::vector<Model> failed_;  ///< newest first
};

}  // namespace slipway::live

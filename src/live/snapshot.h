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
  /// The versions of one name, newest first.
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

  /// By name, sorted.
  std::span<const Entry> entries() const { return entries_; }
  const Entry* Find(std::string_view name) const;
  /// Resolves "name[@selector]". Errors: "model.reference"; not_found "model.unknown" (naming the nearest loaded name),
  /// "model.version_unknown" (naming the versions that are loaded).
  base::Result<std::shared_ptr<const LoadedModel>> Resolve(std::string_view reference) const;
  bool Contains(const LoadedModel& model) const;

 private:
  static void ChooseStable(Entry& entry);
  std::vector<Entry> entries_;
};

}  // namespace slipway::live

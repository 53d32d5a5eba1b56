#pragma once
// A parcel carries a bundle from one process to another: a file in memory with the engine's options and the bundle's
// files, each at a page of its own.

#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/value.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "engine/trial/bundle_trial.h"

namespace slipway::engine {

struct PackedParcel {
  base::FileDescriptor file;
  int64_t bytes = 0;
};

/// Errors: those of Bundle::Read(); unavailable "engine.trial": no memory for it.
base::Result<PackedParcel> PackParcel(const TrialTask& task);

/// An opened parcel. What it gives lives as long as this object.
class Parcel {
 public:
  /// Errors: invalid_argument "engine.trial": not one that PackParcel() made.
  static base::Result<Parcel> Open(int fd);

  const bundle::LentFiles& files() const { return files_; }
  const EngineOptions& options() const { return options_; }

 private:
  struct Unmap {
    size_t size = 0;
    void operator()(char* memory) const;
  };
  explicit Parcel(std::unique_ptr<char, Unmap> memory) : memory_(std::move(memory)) {}
  bool ReadHeader(std::string_view header);
  bool AddFile(const base::Value& entry);

  std::unique_ptr<char, Unmap> memory_;
  EngineOptions options_;
  bundle::LentFiles files_;
};

}  // namespace slipway::engine

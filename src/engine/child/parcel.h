#pragma once
// A parcel carries a bundle from one process to another: a file in memory with the engine's options and the bundle's
// files, each at a page of its own.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/value.h"
#include "bundle/bundle.h"
#include "engine/engine.h"

namespace slipway::engine {

struct PackedParcel {
  base::FileDescriptor file;
  int64_t bytes = 0;
};

/// `external_files`: those that the model reads beside bundle.Files(). Nobody can change the parcel once it is packed.
/// Errors: those of Bundle::Read(); unavailable "engine.child": no memory for it.
base::Result<PackedParcel> PackParcel(const bundle::Bundle& bundle, const EngineOptions& options,
                                      const std::vector<std::string>& external_files);

/// An opened parcel. What it gives lives as long as this object.
class Parcel {
 public:
  /// Errors: invalid_argument "engine.child": not one that PackParcel() made.
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

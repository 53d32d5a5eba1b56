#pragma once
// Decompressor unpacks gzip (of any number of members) and zstd (of any number of frames) as bytes come in.

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace slipway::tables {

/// Thread-safety: one thread at a time.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  /// By the first bytes of a file; nullptr when it is not packed.
  static std::unique_ptr<Decompressor> For(std::string_view beginning);
  /// Bytes that For() looks at.
  static constexpr size_t kMagicBytes = 4;

  /// Takes bytes off the front of `in`, writes at most `room` to `out`; the number written. Error: data_loss
  /// "tables.packed".
  virtual base::Result<size_t> Unpack(std::string_view& in, char* out, size_t room) = 0;
  /// Whether the bytes may end here.
  virtual bool complete() const = 0;
};

}  // namespace slipway::tables

#pragma once
// TextSet: is this text one of those? Built once per column, asked once per row.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::schema {

/// Immutable; const access from any thread. Up to eight members are compared one by one, more are hashed.
class TextSet {
 public:
  TextSet() = default;
  explicit TextSet(std::span<const std::string> members);

  bool Contains(std::string_view text) const;

 private:
  static constexpr size_t kScanned = 8;
  std::string_view member(size_t index) const {
    return std::string_view(bytes_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
  }

  std::string bytes_;
  std::vector<uint32_t> offsets_{0};
  std::vector<uint32_t> slots_;  ///< open addressing: member + 1, 0 when free; size a power of two; empty: scan
};

}  // namespace slipway::schema

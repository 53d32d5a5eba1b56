#pragma once
// ValueDictionary numbers the distinct values of a column, as long as there are few.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::tables::parquet {

/// Values are bytes. Reused: Clear() keeps memory. Thread-safety: one thread at a time.
class ValueDictionary {
 public:
  /// The value's number, counted from 0 in the order of first use; none when it would be the one behind `most`, or the
  /// values take more than `most_bytes` with it.
  std::optional<uint32_t> NumberOf(std::string_view value, size_t most, size_t most_bytes);
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }  ///< of all values
  std::string_view value(uint32_t number) const;
  void Clear();

 private:
  void Grow();
  size_t SlotOf(std::string_view value) const;

  std::string bytes_;            ///< all values, one behind the other
  std::vector<size_t> ends_;     ///< of each in bytes_
  std::vector<uint32_t> slots_;  ///< number + 1; 0: free. A power of two, at most half taken
};

}  // namespace slipway::tables::parquet

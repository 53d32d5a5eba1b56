#pragma once
// MapReader takes a map apart whose form is known, and remembers whether all was there and of its kind: for what
// another process, or an earlier one, has written.
//
//   MapReader reader(value);
//   info.name = reader.Text("name");
//   info.rows = reader.Integer("rows", 0, kMostRows);
//   if (!reader.fine()) …            // what was read is of no use

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace slipway::base {

/// What is missing, or of another kind, reads as nothing. Ownership: the value outlives it.
class MapReader {
 public:
  explicit MapReader(const Value& map) : map_(map), fine_(map.is_map()) {}

  bool fine() const { return fine_; }
  std::string Text(std::string_view key);
  bool Boolean(std::string_view key);
  /// From `least` to `most`.
  int64_t Integer(std::string_view key, int64_t least = std::numeric_limits<int64_t>::min(),
                  int64_t most = std::numeric_limits<int64_t>::max());
  const ValueList& List(std::string_view key);
  std::vector<std::string> Texts(std::string_view key);
  /// Each at least `least`.
  std::vector<int64_t> Integers(std::string_view key, int64_t least = std::numeric_limits<int64_t>::min());
  /// What is said under that key, of any kind; nullptr: nothing, which is no fault.
  const Value* Find(std::string_view key) const { return map_.Find(key); }
  /// What was read is not as it must be.
  void Fail() { fine_ = false; }

 private:
  const Value* Get(std::string_view key, Value::Kind kind);

  const Value& map_;
  bool fine_;
};

}  // namespace slipway::base

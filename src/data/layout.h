#pragma once
// Layout: the fields a decoder fills, found by name in constant time.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/type.h"

namespace slipway::data {

/// What to do with a field that is not in the layout.
enum class UnknownFields : uint8_t { kReject, kIgnore };

/// Immutable after construction; const access from any thread.
class Layout {
 public:
  Layout() = default;
  explicit Layout(std::vector<Field> fields, UnknownFields unknown = UnknownFields::kReject);

  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<std::string>& names() const { return names_; }
  UnknownFields unknown_fields() const { return unknown_; }
  int size() const { return static_cast<int>(fields_.size()); }
  /// Index of the field, or -1.
  int Find(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<Field> fields_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, int, Hash, std::equal_to<>> index_;
  UnknownFields unknown_ = UnknownFields::kReject;
};

}  // namespace slipway::data

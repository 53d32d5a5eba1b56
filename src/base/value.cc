#include "base/value.h"

#include <algorithm>
#include <bit>

namespace slipway::base {

const Value* Value::Find(std::string_view key) const {
  if (!is_map()) return nullptr;
  const auto found = std::ranges::find(map(), key, &ValueMap::value_type::first);
  return found == map().end() ? nullptr : &found->second;
}

Value& Value::Set(std::string key, Value value) {
  if (is_null()) data_ = ValueMap{};
  const auto found = std::ranges::find(map(), key, &ValueMap::value_type::first);
  if (found != map().end()) {
    found->second = std::move(value);
  } else {
    map().emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

Value& Value::Add(Value value) {
  if (is_null()) data_ = ValueList{};
  list().push_back(std::move(value));
  return *this;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() == Value::Kind::kNumber && b.kind() == Value::Kind::kNumber) {
    return std::bit_cast<uint64_t>(a.number()) == std::bit_cast<uint64_t>(b.number());
  }
  return a.data_ == b.data_;
}

std::string_view KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBoolean:
      return "boolean";
    case Value::Kind::kInteger:
      return "integer";
    case Value::Kind::kNumber:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kList:
      return "list";
    case Value::Kind::kMap:
      return "map";
  }
  return "unknown";
}

}  // namespace slipway::base

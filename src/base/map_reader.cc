#include "base/map_reader.h"

namespace slipway::base {

const Value* MapReader::Get(std::string_view key, Value::Kind kind) {
  const Value* value = map_.Find(key);
  fine_ = fine_ && value != nullptr && value->kind() == kind;
  return fine_ ? value : nullptr;
}

std::string MapReader::Text(std::string_view key) {
  const Value* value = Get(key, Value::Kind::kString);
  return value == nullptr ? std::string() : value->string();
}

bool MapReader::Boolean(std::string_view key) {
  const Value* value = Get(key, Value::Kind::kBoolean);
  return value != nullptr && value->boolean();
}

int64_t MapReader::Integer(std::string_view key, int64_t least, int64_t most) {
  const Value* value = Get(key, Value::Kind::kInteger);
  if (value != nullptr && value->integer() >= least && value->integer() <= most) return value->integer();
  Fail();
  return 0;
}

const ValueList& MapReader::List(std::string_view key) {
  static const ValueList kNone;
  const Value* value = Get(key, Value::Kind::kList);
  return value == nullptr ? kNone : value->list();
}

std::vector<std::string> MapReader::Texts(std::string_view key) {
  std::vector<std::string> texts;
  for (const Value& value : List(key)) {
    if (value.is_string()) {
      texts.push_back(value.string());
    } else {
      Fail();
    }
  }
  return texts;
}

std::vector<int64_t> MapReader::Integers(std::string_view key, int64_t least) {
  std::vector<int64_t> numbers;
  for (const Value& value : List(key)) {
    if (value.is_integer() && value.integer() >= least) {
      numbers.push_back(value.integer());
    } else {
      Fail();
    }
  }
  return numbers;
}

}  // namespace slipway::base

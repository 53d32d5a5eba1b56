#pragma once
// Value is the tree behind every file that people or Slipway write: slipway.yaml, fitted.json, golden records, --json
// output. Maps keep their order; every node may remember the line and column where it was read, so that an error can
// point there.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace slipway::base {

class Value;
using ValueList = std::vector<Value>;
using ValueMap = std::vector<std::pair<std::string, Value>>;  ///< in the order written; keys are unique

struct Position {
  int line = 0;  ///< 1-based; 0 when unknown
  int column = 0;
};

/// A JSON-like value. Integers and numbers are apart: 1 is an integer, 1.0 a number.
/// Thread-safety: const access from several threads.
class Value {
 public:
  enum class Kind : uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kList, kMap };

  Value() = default;
  Value(bool value) : data_(value) {}
  Value(int value) : data_(static_cast<int64_t>(value)) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(ValueList value) : data_(std::move(value)) {}
  Value(ValueMap value) : data_(std::move(value)) {}
  static Value List() { return Value(ValueList{}); }
  static Value Map() { return Value(ValueMap{}); }

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_boolean() const { return kind() == Kind::kBoolean; }
  bool is_integer() const { return kind() == Kind::kInteger; }
  bool is_number() const { return kind() == Kind::kNumber || kind() == Kind::kInteger; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_map() const { return kind() == Kind::kMap; }

  /// Accessors: the caller has checked the kind.
  bool boolean() const { return std::get<bool>(data_); }
  int64_t integer() const { return std::get<int64_t>(data_); }
  double number() const { return is_integer() ? static_cast<double>(integer()) : std::get<double>(data_); }
  const std::string& string() const { return std::get<std::string>(data_); }
  const ValueList& list() const { return std::get<ValueList>(data_); }
  ValueList& list() { return std::get<ValueList>(data_); }
  const ValueMap& map() const { return std::get<ValueMap>(data_); }
  ValueMap& map() { return std::get<ValueMap>(data_); }

  /// The entry of a map, or nullptr (also when this is no map).
  const Value* Find(std::string_view key) const;
  /// Adds or replaces an entry; makes a null into a map. Returns *this for chaining.
  Value& Set(std::string key, Value value);
  /// Appends; makes a null into a list.
  Value& Add(Value value);

  const Position& position() const { return position_; }
  void set_position(Position position) { position_ = position; }

  /// Ignores positions; numbers compare by bits, so NaN equals itself.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, ValueList, ValueMap> data_;
  Position position_;
};

/// "null", "boolean", "integer", "number", "string", "list", "map".
std::string_view KindName(Value::Kind kind);

struct JsonLimits {
  size_t bytes = 256u << 20;
  int depth = 64;             ///< 512 at most, since copies and destructors of nested values recurse
  size_t values = 16u << 20;  ///< of all kinds; a value takes 48 bytes, so many small ones weigh more than their text
};

/// Parses one JSON document; a byte-order mark before it is skipped. Integers that fit int64 stay integers, larger ones
/// become numbers; numbers past the range of double are errors, as is invalid UTF-8. Duplicate keys, a NUL byte
/// anywhere, bytes after the document, depth and size past the limits are errors (reason "json.malformed" or
/// "json.limit"); positions carry line and column.
Result<Value> ParseJson(std::string_view text, const JsonLimits& limits = {});

struct JsonStyle {
  int indent = 0;  ///< spaces a level; 0 writes one line
  bool trailing_newline = false;
  int inline_width = 100;  ///< with indent: lists and maps that fit are kept on one line
};

/// Deterministic JSON: keys in their order, shortest numbers that read back the same bits, UTF-8 kept, control
/// characters escaped. NaN and infinities, which JSON lacks, are written as the strings "NaN", "Infinity", "-Infinity".
std::string ToJson(const Value& value, const JsonStyle& style = {});

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 bytes become U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);
/// Appends the shortest text that reads back the same double; "null" for NaN and infinities. A whole number keeps a
/// ".0", so that its type survives.
void AppendJsonNumber(std::string& out, double value);
/// The same for a value that is exactly a float: shortest text that reads back the same float.
void AppendJsonFloat(std::string& out, float value);

}  // namespace slipway::base

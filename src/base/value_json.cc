// JSON text to Value: nlohmann's event parser, which keeps its state on the heap and so survives any nesting.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/text.h"
#include "base/value.h"

namespace slipway::base {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Walks over the text and tells through `reached` how far the parser has read.
struct TrackedIterator {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** reached = nullptr;

  reference operator*() const { return *at; }
  TrackedIterator& operator++() {
    *reached = ++at;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TrackedIterator& a, const TrackedIterator& b) { return a.at == b.at; }
};

/// Turns growing offsets into lines and columns (in characters) in one pass over the text.
class PositionCounter {
 public:
  explicit PositionCounter(std::string_view text) : text_(text) {}

  Position At(size_t offset) {
    for (; offset_ < offset && offset_ < text_.size(); ++offset_) {
      const auto c = static_cast<unsigned char>(text_[offset_]);
      if (c == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((c & 0xC0) != 0x80) {
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  size_t offset_ = 0;
  Position position_{1, 1};
};

std::string WhereText(Position position) {
  return fmt::format("{}:{}", position.line, position.column);
}

class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(std::string_view text, const JsonLimits& limits)
      : text_(text), limits_(limits), positions_(text), reached_(text.data()) {}

  TrackedIterator begin() { return {text_.data(), &reached_}; }
  TrackedIterator end() { return {text_.data() + text_.size(), &reached_}; }
  std::optional<Error>& error() { return error_; }
  Value TakeRoot() { return std::move(root_); }

  bool null() override { return Place(Value()); }
  bool boolean(bool value) override { return Place(Value(value)); }
  bool number_integer(int64_t value) override { return Place(Value(value)); }
  bool number_unsigned(uint64_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX)) return Place(Value(static_cast<double>(value)));
    return Place(Value(static_cast<int64_t>(value)));
  }
  bool number_float(double value, const std::string&) override { return Place(Value(value)); }
  bool string(std::string& value) override { return Place(Value(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Value::Map()); }
  bool start_array(size_t) override { return Open(Value::List()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& name) override {
    const Position position = TokenPosition();
    Frame& frame = open_.back();
    if (!frame.AddKey(name)) {
      return Reject("json.malformed", fmt::format("duplicate key \"{}\"; keep one of them", Shorten(name)), position);
    }
    frame.value->map().emplace_back(std::move(name), Value());
    return true;
  }

  bool parse_error(size_t offset, const std::string&, const nlohmann::json::exception& exception) override {
    if (error_) return false;
    std::string_view what = exception.what();
    for (const std::string_view lead : {std::string_view("] "), std::string_view(": "), std::string_view(" - ")}) {
      const size_t found = what.find(lead);
      if (found != std::string_view::npos) what.remove_prefix(found + lead.size());
    }
    // The offset counts from 1 and is that of the last byte read.
    const Position position = positions_.At(offset == 0 ? 0 : offset - 1);
    return Reject("json.malformed", fmt::format("malformed JSON: {}", Shorten(what, 200)), position);
  }

 private:
  static constexpr int kDeepest = 512;
  static constexpr size_t kFewKeys = 16;  // up to here a scan beats a hash set

  struct Frame {
    Value* value;
    std::unordered_set<std::string> keys;

    bool AddKey(const std::string& name) {
      const ValueMap& map = value->map();
      if (keys.empty()) {
        if (map.size() < kFewKeys) return value->Find(name) == nullptr;
        for (const auto& [known, unused] : map) keys.insert(known);
      }
      return keys.insert(name).second;
    }
  };

  /// The start of the token just read: past the last one, only white space and separators stand before it.
  Position TokenPosition() {
    const size_t start = text_.find_first_not_of(" \t\r\n,:", token_end_);
    token_end_ = static_cast<size_t>(reached_ - text_.data());
    return positions_.At(start);
  }

  bool Reject(std::string reason, std::string message, Position position) {
    const bool too_large = reason == "json.limit";
    error_ = Error{too_large ? Code::kResourceExhausted : Code::kInvalidArgument, std::move(reason), std::move(message),
                   WhereText(position)};
    return false;
  }

  Value* Put(Value value) {
    value.set_position(TokenPosition());
    if (++count_ > limits_.values) {
      Reject("json.limit", fmt::format("JSON document of more than {} values", limits_.values), value.position());
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *open_.back().value;
    if (parent.is_list()) return &parent.list().emplace_back(std::move(value));
    return &(parent.map().back().second = std::move(value));
  }

  bool Place(Value value) { return Put(std::move(value)) != nullptr; }

  bool Open(Value value) {
    Value* placed = Put(std::move(value));
    if (placed == nullptr) return false;
    const int depth = std::min(limits_.depth, kDeepest);
    if (std::ssize(open_) >= depth) {
      return Reject("json.limit", fmt::format("JSON nested deeper than {} levels", depth), placed->position());
    }
    open_.push_back(Frame{placed, {}});
    return true;
  }

  bool Close() {
    token_end_ = static_cast<size_t>(reached_ - text_.data());
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const JsonLimits& limits_;
  PositionCounter positions_;
  const char* reached_;
  size_t token_end_ = 0;
  size_t count_ = 0;
  Value root_;
  std::vector<Frame> open_;  // Each frame's value stays put: its parent grows only after it is closed.
  std::optional<Error> error_;
};

/// What nlohmann would pass over in silence: it takes a NUL byte for the end of the text, and a byte-order mark is
/// skipped before it looks for one itself.
Result<void> CheckBytes(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) {
    return Fail(Code::kInvalidArgument, "json.malformed", "malformed JSON: a second byte-order mark; remove it",
                WhereText({1, 1}));
  }
  const size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return {};
  return Fail(Code::kInvalidArgument, "json.malformed",
              "malformed JSON: a NUL byte; remove it, or write it as \\u0000 in a string",
              WhereText(PositionCounter(text).At(nul)));
}

}  // namespace

Result<Value> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return Fail(
        Code::kResourceExhausted, "json.limit",
        fmt::format("JSON document of {} bytes is larger than the limit of {} bytes", text.size(), limits.bytes));
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  SLIPWAY_TRY(CheckBytes(text));
  TreeBuilder builder(text, limits);
  try {
    if (!nlohmann::json::sax_parse(builder.begin(), builder.end(), &builder) || builder.error()) {
      if (builder.error()) return std::unexpected(std::move(*builder.error()));
      return Fail(Code::kInvalidArgument, "json.malformed", "malformed JSON");
    }
  } catch (const std::exception& exception) {
    return Fail(Code::kResourceExhausted, "json.limit", fmt::format("JSON cannot be read: {}", exception.what()));
  }
  return builder.TakeRoot();
}

}  // namespace slipway::base

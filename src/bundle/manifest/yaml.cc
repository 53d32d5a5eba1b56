// YAML text to Value, by yaml-cpp's event interface: events are checked against the limits while the parser runs, so
// that no tree of its own is built and its recursion stays as shallow as the depth limit.

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <string>
#include <unordered_set>

#include "base/text.h"
#include "bundle/manifest.h"
#include "bundle/manifest/scalar.h"

namespace slipway::bundle {
namespace {

using base::Code;
using base::Error;
using base::Position;
using base::Value;

/// Leaves the parser from inside an event; caught in ParseYaml.
struct Refusal {
  Error error;
};

[[noreturn]] void Refuse(std::string reason, std::string message, Position position) {
  const Code code = reason == "manifest.limit" ? Code::kResourceExhausted : Code::kInvalidArgument;
  throw Refusal{{code, std::move(reason), std::move(message), schema::Where(position)}};
}

[[noreturn]] void RefuseSyntax(std::string message, Position position) {
  Refuse("manifest.syntax", std::move(message), position);
}

/// An istream's buffer over text that lives elsewhere.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; nothing writes through it
    setg(begin, begin, begin + text.size());
  }
};

constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text, const YamlLimits& limits) : text_(text), limits_(limits) {}

  bool complete() const { return complete_; }
  Value TakeRoot() { return std::move(root_); }

  Position At(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    // Marks count bytes; people count characters.
    const auto end = std::min(static_cast<size_t>(std::max(mark.pos, 0)), text_.size());
    const auto begin = end - std::min(static_cast<size_t>(std::max(mark.column, 0)), end);
    const auto before = text_.substr(begin, end - begin);
    const auto characters =
        std::ranges::count_if(before, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
    return {mark.line + 1, static_cast<int>(characters) + 1};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (complete_) RefuseSyntax("one YAML document only; remove what follows the first one", At(mark));
  }
  void OnDocumentEnd() override { complete_ = true; }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Position position = At(mark);
    CheckAnchor(anchor, position);
    if (ExpectsKey()) RefuseSyntax("a key is empty or null; quote it if that is its name", position);
    Put(Value(), position);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { CheckAnchor(1, At(mark)); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { CheckAnchor(1, At(mark)); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const Position position = At(mark);
    CheckAnchor(anchor, position);
    if (tag != "?") CheckQuoteIsClosed(mark);
    if (ExpectsKey()) return Key(tag, text, position);
    if (tag == "?") {
      Put(Typed(TypePlainScalar(text), position), position);
    } else if (tag == "!" || tag == fmt::format("{}str", kCoreTags)) {
      Put(Value(text), position);
    } else {
      Put(Typed(TypeTaggedScalar(CoreTag(tag, position), text), position), position);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Value::List(), tag, "seq", anchor, At(mark));
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Value::Map(), tag, "map", anchor, At(mark));
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Frame {
    Value* value;
    bool expects_key;
    Position key_position;
    std::unordered_set<std::string> keys;
  };

  bool ExpectsKey() const { return !open_.empty() && open_.back().expects_key; }

  static void CheckAnchor(YAML::anchor_t anchor, Position position) {
    if (anchor != 0) RefuseSyntax("anchors (&) and aliases (*) are not taken; write the value out", position);
  }

  static std::string_view CoreTag(std::string_view tag, Position position) {
    if (!tag.starts_with(kCoreTags)) {
      RefuseSyntax(fmt::format("the tag \"{}\" is not taken; remove it", base::Shorten(tag)), position);
    }
    return tag.substr(kCoreTags.size());
  }

  static Value Typed(base::Result<Value> value, Position position) {
    if (!value) RefuseSyntax(std::move(value.error().message), position);
    return *std::move(value);
  }

  /// yaml-cpp takes the end of the text for a closing quote.
  void CheckQuoteIsClosed(const YAML::Mark& mark) const {
    size_t at = static_cast<size_t>(std::max(mark.pos, 0));
    while (at < text_.size() && text_[at] == '!') {
      at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
    }
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
    const char quote = text_[at];
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == '\\' && quote == '"') {
        ++at;
      } else if (text_[at] == quote) {
        const bool doubled = quote == '\'' && at + 1 < text_.size() && text_[at + 1] == quote;
        if (!doubled) return;
        ++at;
      }
    }
    RefuseSyntax(fmt::format("the quoted text that starts here has no closing {}", quote), At(mark));
  }

  void Key(const std::string& tag, const std::string& text, Position position) {
    if (tag != "?" && tag != "!" && tag != fmt::format("{}str", kCoreTags)) {
      RefuseSyntax(fmt::format("the tag \"{}\" is not taken on a key; remove it", base::Shorten(tag)), position);
    }
    if (tag == "?" && text == "<<") RefuseSyntax("merge keys (<<) are not taken; write the keys out", position);
    Frame& frame = open_.back();
    if (!frame.keys.insert(text).second) {
      RefuseSyntax(fmt::format("duplicate key \"{}\"; keep one of them", base::Shorten(text)), position);
    }
    Count(position);
    frame.value->map().emplace_back(text, Value());
    frame.key_position = position;
    frame.expects_key = false;
  }

  void Open(Value value, const std::string& tag, std::string_view core_tag, YAML::anchor_t anchor, Position position) {
    CheckAnchor(anchor, position);
    if (ExpectsKey())
      RefuseSyntax("a list or map stands where a key should; quote text that has brackets, and close those before it",
                   position);
    if (tag != "?" && tag != "!" && CoreTag(tag, position) != core_tag) {
      RefuseSyntax(fmt::format("the tag \"{}\" does not fit here; remove it", base::Shorten(tag)), position);
    }
    if (open_.size() >= static_cast<size_t>(limits_.depth)) {
      Refuse("manifest.limit", fmt::format("nested deeper than {} levels", limits_.depth), position);
    }
    Value* placed = Put(std::move(value), position);
    open_.push_back({placed, placed->is_map(), {}, {}});
  }

  void Count(Position position) {
    if (++nodes_ > limits_.nodes) {
      Refuse("manifest.limit", fmt::format("more than {} keys and values; move tables into files", limits_.nodes),
             position);
    }
  }

  /// The value's place stays valid until its parent grows, which is after the value is closed.
  Value* Put(Value value, Position position) {
    Count(position);
    if (open_.empty()) {
      value.set_position(position);
      root_ = std::move(value);
      return &root_;
    }
    Frame& frame = open_.back();
    value.set_position(frame.value->is_map() ? frame.key_position : position);
    if (frame.value->is_list()) return &frame.value->list().emplace_back(std::move(value));
    frame.expects_key = true;
    return &(frame.value->map().back().second = std::move(value));
  }

  std::string_view text_;
  const YamlLimits& limits_;
  Value root_;
  std::vector<Frame> open_;
  size_t nodes_ = 0;
  bool complete_ = false;
};

base::Result<void> CheckText(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    return base::Fail(Code::kResourceExhausted, "manifest.limit",
                      fmt::format("the manifest has {} bytes, more than the limit of {}; move tables into files",
                                  text.size(), limits.bytes));
  }
  const auto position_of = [&](size_t offset) {
    const auto lines = std::ranges::count(text.substr(0, offset), '\n');
    return schema::Where({static_cast<int>(lines) + 1, 1});
  };
  if (!base::IsValidUtf8(text)) {
    size_t offset = 0;
    while (const size_t length = base::Utf8SequenceLength(text.substr(offset))) offset += length;
    return base::Fail(Code::kInvalidArgument, "manifest.syntax", "not valid UTF-8; save the file as UTF-8",
                      position_of(offset));
  }
  const auto is_control = [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  };
  if (const auto found = std::ranges::find_if(text, is_control); found != text.end()) {
    return base::Fail(Code::kInvalidArgument, "manifest.syntax",
                      fmt::format("a control character (0x{:02x}); remove it", static_cast<uint8_t>(*found)),
                      position_of(static_cast<size_t>(found - text.begin())));
  }
  return {};
}

}  // namespace

base::Result<Value> ParseYaml(std::string_view text, const YamlLimits& limits) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  if (text.starts_with(kMark)) {  // yaml-cpp would pass over this one
    return base::Fail(Code::kInvalidArgument, "manifest.syntax", "a second byte-order mark; remove it", "1:1");
  }
  SLIPWAY_TRY(CheckText(text, limits));
  TreeBuilder builder(text, limits);
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (Refusal& refusal) {
    return std::unexpected(std::move(refusal.error));
  } catch (const YAML::Exception& exception) {
    return base::Fail(Code::kInvalidArgument, "manifest.syntax", fmt::format("not valid YAML: {}", exception.msg),
                      schema::Where(builder.At(exception.mark)));
  } catch (const std::bad_alloc&) {
    return base::Fail(Code::kResourceExhausted, "manifest.limit", "the YAML text takes more memory than there is");
  } catch (const std::exception& exception) {
    return base::Fail(Code::kInvalidArgument, "manifest.syntax", fmt::format("not valid YAML: {}", exception.what()));
  }
  return builder.TakeRoot();
}

}  // namespace slipway::bundle

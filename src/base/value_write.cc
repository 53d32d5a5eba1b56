// Value to JSON text, and the two appenders that hot paths share.

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "base/value.h"

namespace slipway::base {
namespace {

constexpr uint64_t Repeat(unsigned char byte) {
  return 0x0101010101010101u * byte;
}

/// Whether one of eight bytes needs a closer look: a control character, a quote, a backslash, or no ASCII.
bool NeedsLook(uint64_t word) {
  const auto has_zero = [](uint64_t w) { return (w - Repeat(0x01)) & ~w & Repeat(0x80); };
  const uint64_t control = (word - Repeat(0x20)) & ~word;
  return ((word | control | has_zero(word ^ Repeat('"')) | has_zero(word ^ Repeat('\\'))) & Repeat(0x80)) != 0;
}

/// Bytes at the start of `text` that stand in JSON as they are.
size_t PlainPrefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, sizeof word);
    if (NeedsLook(word)) break;
  }
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
  }
  return i;
}

void AppendEscaped(std::string& out, unsigned char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

template <typename Number>
void AppendShortest(std::string& out, Number value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 64> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const std::string_view shortest(text.data(), static_cast<size_t>(end - text.data()));
  out += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  Writer(std::string& out, const JsonStyle& style) : out_(out), style_(style) {}

  void Write(const Value& value, int level) {
    if (style_.indent == 0 || IsEmptyOrScalar(value)) {
      WriteInline(value, SIZE_MAX);
      return;
    }
    const size_t start = out_.size();
    const auto column = static_cast<size_t>(level) * static_cast<size_t>(style_.indent);
    const auto width = static_cast<size_t>(style_.inline_width);
    if (column < width && WriteInline(value, start + width - column)) return;
    out_.resize(start);
    WriteLines(value, level);
  }

 private:
  static bool IsEmptyOrScalar(const Value& value) {
    if (value.is_list()) return value.list().empty();
    return !value.is_map() || value.map().empty();
  }

  /// Writes on one line; gives up (leaving a part behind) once `out_` is longer than `limit`.
  bool WriteInline(const Value& value, size_t limit) {
    const std::string_view comma = style_.indent == 0 ? "," : ", ";
    const std::string_view colon = style_.indent == 0 ? ":" : ": ";
    bool first = true;
    if (value.is_list()) {
      out_ += '[';
      for (const Value& entry : value.list()) {
        if (!first) out_ += comma;
        first = false;
        if (!WriteInline(entry, limit)) return false;
      }
      out_ += ']';
    } else if (value.is_map()) {
      out_ += '{';
      for (const auto& [key, entry] : value.map()) {
        if (!first) out_ += comma;
        first = false;
        AppendJsonString(out_, key);
        out_ += colon;
        if (!WriteInline(entry, limit)) return false;
      }
      out_ += '}';
    } else {
      WriteScalar(value);
    }
    return out_.size() <= limit;
  }

  void WriteLines(const Value& value, int level) {
    bool first = true;
    out_ += value.is_list() ? '[' : '{';
    if (value.is_list()) {
      for (const Value& entry : value.list()) {
        StartLine(level + 1, first);
        Write(entry, level + 1);
      }
    } else {
      for (const auto& [key, entry] : value.map()) {
        StartLine(level + 1, first);
        AppendJsonString(out_, key);
        out_ += ": ";
        Write(entry, level + 1);
      }
    }
    first = true;
    StartLine(level, first);
    out_ += value.is_list() ? ']' : '}';
  }

  void StartLine(int level, bool& first) {
    out_ += first ? "\n" : ",\n";
    first = false;
    out_.append(static_cast<size_t>(level) * static_cast<size_t>(style_.indent), ' ');
  }

  void WriteScalar(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kBoolean:
        out_ += value.boolean() ? "true" : "false";
        return;
      case Value::Kind::kInteger:
        out_ += std::to_string(value.integer());
        return;
      case Value::Kind::kNumber:
        WriteNumber(value.number());
        return;
      case Value::Kind::kString:
        AppendJsonString(out_, value.string());
        return;
      default:
        out_ += "null";
    }
  }

  void WriteNumber(double value) {
    if (std::isnan(value)) {
      out_ += "\"NaN\"";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
      AppendJsonNumber(out_, value);
    }
  }

  std::string& out_;
  const JsonStyle& style_;
};

}  // namespace

std::string ToJson(const Value& value, const JsonStyle& style) {
  std::string out;
  Writer(out, style).Write(value, 0);
  if (style.trailing_newline) out += '\n';
  return out;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t plain = PlainPrefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (length > 1) {
      out += text.substr(0, length);
    } else {
      AppendEscaped(out, static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void AppendJsonNumber(std::string& out, double value) {
  AppendShortest(out, value);
}

void AppendJsonFloat(std::string& out, float value) {
  AppendShortest(out, value);
}

}  // namespace slipway::base

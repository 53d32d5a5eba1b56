#include <fmt/format.h>

#include <cstring>

#include "base/text.h"
#include "tables/json_file.h"

namespace slipway::tables {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The text behind `{ "records" : [`, or nothing when it begins otherwise.
std::string_view BehindRecords(std::string_view text) {
  for (const std::string_view token :
       {std::string_view("{"), std::string_view("\"records\""), std::string_view(":"), std::string_view("[")}) {
    while (!text.empty() && IsBlank(text[0])) text.remove_prefix(1);
    if (!text.starts_with(token)) return {};
    text.remove_prefix(token.size());
  }
  return text;
}

/// Follows one JSON value byte by byte, only as far as to know where it ends.
struct ValueScan {
  int64_t depth = 0;
  bool in_string = false;
  bool escaped = false;
  bool scalar = false;
  bool done = false;

  /// Whether `c` belongs to the value; `done` is set when it is the last byte.
  bool Take(char c) {
    if (in_string) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_string = false;
        done = depth == 0;
      }
      return true;
    }
    if (scalar) return !IsBlank(c) && c != ',' && c != ']' && c != '}';
    if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      done = --depth <= 0;
    } else if (depth == 0) {
      scalar = true;
    }
    return true;
  }
};

}  // namespace

std::string_view JsonLineOf(std::string_view line) {
  line = base::Trim(line);
  return line == kByteOrderMark ? std::string_view() : line;
}

base::Result<bool> JsonRecordReader::Fill() {
  if (!block_.empty()) return true;
  if (ended_) return false;
  SLIPWAY_ASSIGN(block_, file_.ReadBlock());
  ended_ = block_.empty();
  return !ended_;
}

void JsonRecordReader::Keep(std::string_view text) {
  record_.append(text.substr(0, kRecordBytes + 1 - std::min(record_.size(), kRecordBytes + 1)));
}

std::unexpected<base::Error> JsonRecordReader::Malformed(std::string_view problem) const {
  return base::Fail(base::Code::kInvalidArgument, "json.malformed",
                    fmt::format("this is not a JSON document of records: {}", problem),
                    fmt::format("{}:{}", file_.path(), line_));
}

base::Result<void> JsonRecordReader::Rewind() {
  SLIPWAY_TRY(file_.Rewind());
  block_ = {};
  record_.clear();
  ended_ = begun_ = in_list_ = closed_ = wrapped_ = false;
  line_ = 1;
  return {};
}

base::Result<std::string_view> JsonRecordReader::Next() {
  record_.clear();
  return form_ == Form::kLines ? NextLine() : NextValue();
}

base::Result<std::string_view> JsonRecordReader::NextLine() {
  while (true) {
    SLIPWAY_ASSIGN(const bool more, Fill());
    if (!more) return JsonLineOf(record_);
    const void* found = std::memchr(block_.data(), '\n', block_.size());
    const size_t end = found ? static_cast<size_t>(static_cast<const char*>(found) - block_.data()) : block_.size();
    const std::string_view text = block_.substr(0, end);
    block_.remove_prefix(end + (found ? 1 : 0));
    if (!found || !record_.empty()) Keep(text);
    if (!found) continue;
    const std::string_view line = JsonLineOf(record_.empty() ? text : std::string_view(record_));
    if (!line.empty()) return line;
    record_.clear();
  }
}

/// The next byte that is no white space, not taken; nothing at the end.
base::Result<std::optional<char>> JsonRecordReader::SkipBlanks() {
  while (true) {
    SLIPWAY_ASSIGN(const bool more, Fill());
    if (!more) return std::nullopt;
    while (!block_.empty() && IsBlank(block_[0])) {
      line_ += block_[0] == '\n';
      block_.remove_prefix(1);
    }
    if (!block_.empty()) return block_[0];
  }
}

base::Result<void> JsonRecordReader::ReadOpening() {
  begun_ = true;
  SLIPWAY_TRY(Fill());
  if (block_.starts_with(kByteOrderMark)) block_.remove_prefix(kByteOrderMark.size());
  SLIPWAY_ASSIGN(const auto first, SkipBlanks());
  const std::string_view rest = BehindRecords(block_);
  wrapped_ = rest.data() != nullptr;
  in_list_ = wrapped_ || first == '[';
  if (wrapped_) {
    block_ = rest;
  } else if (in_list_) {
    block_.remove_prefix(1);
  }
  return {};
}

base::Result<std::string_view> JsonRecordReader::NextValue() {
  const bool first = !begun_;
  if (first) SLIPWAY_TRY(ReadOpening());
  SLIPWAY_ASSIGN(auto next, SkipBlanks());
  if (in_list_ && !closed_) {
    if (next == ',' && !first) {
      block_.remove_prefix(1);
      SLIPWAY_ASSIGN(next, SkipBlanks());
      if (next == ']') return Malformed("a record is expected behind the comma");
    } else if (next != ']' && !first) {
      return Malformed(next ? "a comma or the end of the list is expected here" : "it ends within the list");
    }
    if (!next) return Malformed("it ends within the list");
    if (next != ']') return TakeValue();
    closed_ = true;
    block_.remove_prefix(1);
    SLIPWAY_ASSIGN(next, SkipBlanks());
    if (wrapped_ && next != '}') return Malformed("\"records\" stands alone in its object");
    if (wrapped_) {
      block_.remove_prefix(1);
      SLIPWAY_ASSIGN(next, SkipBlanks());
    }
  }
  if (!next) return std::string_view();
  if (closed_) return Malformed("nothing may follow the end of the list");
  return TakeValue();
}

base::Result<std::string_view> JsonRecordReader::TakeValue() {
  ValueScan scan;
  while (true) {
    size_t taken = 0;
    bool inside = true;
    while (taken < block_.size() && inside && !scan.done) {
      inside = scan.Take(block_[taken]);
      line_ += inside && block_[taken] == '\n';
      taken += inside;
    }
    const std::string_view text = block_.substr(0, taken);
    block_.remove_prefix(taken);
    const bool complete = scan.done || !inside;
    if (complete && record_.empty()) {
      if (taken == 0) return Malformed("a record is expected here");
      return text;
    }
    Keep(text);
    if (complete) return std::string_view(record_);
    SLIPWAY_ASSIGN(const bool more, Fill());
    if (!more && !scan.scalar) return Malformed("it ends within a record");
    if (!more) return std::string_view(record_);
  }
}

}  // namespace slipway::tables

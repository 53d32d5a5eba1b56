// Functions over texts. Positions and lengths count code points; case follows Unicode's simple mappings.

#include <re2/re2.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "base/value.h"
#include "data/timestamp.h"
#include "expr/functions.h"

namespace slipway::expr {
namespace {

using Text = std::string_view;

constexpr int64_t kPatternMemory = 1 << 20;

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

int64_t Length(Text text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); });
}

// The byte where code point `count` after `from` begins, at most the end.
size_t Advance(Text text, size_t from, int64_t count) {
  while (count > 0 && from < text.size()) {
    ++from;
    while (from < text.size() && IsContinuation(text[from])) ++from;
    --count;
  }
  return from;
}

Text From(Text text, int64_t start) {
  if (start < 0) {
    const int64_t length = Length(text);
    start = start < -length ? 0 : start + length;
  }
  return text.substr(Advance(text, 0, start));
}

Text Substring(Text text, int64_t start, int64_t count) {
  const Text rest = From(text, start);
  return rest.substr(0, Advance(rest, 0, count));
}

// The C library's search is linear in both lengths, std::string_view's is their product.
bool Contains(Text text, Text part) {
  return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

// Runs `write(row, out)` for every row without a null; it tells whether there is an answer.
template <typename Write>
void MakeTexts(const Call& call, Write write) {
  auto* out = static_cast<Text*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = {};
    if (call.IsNull(row)) continue;
    if (!write(row, out[row])) {
      out[row] = {};
      call.valid[row] = 0;
    }
  }
}

using CaseMapping = utf8proc_int32_t (*)(utf8proc_int32_t);

void AppendMapped(Text text, CaseMapping map, std::string& out) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t point = 0;
    const auto read = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (read <= 0) {
      out += text[at++];
      continue;
    }
    utf8proc_uint8_t encoded[4];
    const auto written = utf8proc_encode_char(map(point), encoded);
    out.append(reinterpret_cast<const char*>(encoded), static_cast<size_t>(written));
    at += static_cast<size_t>(read);
  }
}

template <CaseMapping kMap, char kFirst, char kLast>
void ChangeCase(const Call& call) {
  const Cells<Text> texts(call.arg(0));
  const auto changes = [](char c) { return c >= kFirst && c <= kLast; };
  MakeTexts(call, [&](int64_t row, Text& out) {
    const Text text = texts[row];
    bool any_change = false;
    bool any_beyond_ascii = false;
    for (const char c : text) {
      any_change |= changes(c);
      any_beyond_ascii |= (c & 0x80) != 0;
    }
    if (any_beyond_ascii) {
      std::string& buffer = call.scratch->buffer();
      buffer.clear();
      AppendMapped(text, kMap, buffer);
      return call.scratch->Keep(row, buffer, out);
    }
    if (!any_change) return out = text, true;
    char* room = call.scratch->Allocate(row, text.size());
    if (room == nullptr) return false;
    out = {room, text.size()};
    for (const char c : text) *room++ = changes(c) ? static_cast<char>(c ^ 0x20) : c;
    return true;
  });
}

void Concat(const Call& call) {
  MakeTexts(call, [&](int64_t row, Text& out) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < call.arg_count; ++i) bytes += Cells<Text>(call.arg(i))[row].size();
    char* room = call.scratch->Allocate(row, bytes);
    if (room == nullptr) return false;
    out = {room, bytes};
    for (uint32_t i = 0; i < call.arg_count; ++i) {
      const Text part = Cells<Text>(call.arg(i))[row];
      room = std::copy(part.begin(), part.end(), room);
    }
    return true;
  });
}

const char* FindPart(const char* at, const char* end, Text part) {
  return static_cast<const char*>(memmem(at, static_cast<size_t>(end - at), part.data(), part.size()));
}

bool ReplaceAll(Scratch& scratch, int64_t row, Text text, Text from, Text to, Text& out) {
  const char* end = text.data() + text.size();
  const char* found = from.empty() ? nullptr : FindPart(text.data(), end, from);
  if (found == nullptr) return out = text, true;
  std::string& buffer = scratch.buffer();
  buffer.clear();
  const char* at = text.data();
  for (; found != nullptr; found = FindPart(at, end, from)) {
    buffer.append(at, found);
    buffer += to;
    at = found + from.size();
    if (buffer.size() > kTextBytesPerRow) return false;
  }
  buffer.append(at, end);
  return scratch.Keep(row, buffer, out);
}

void Replace(const Call& call) {
  const Cells<Text> texts(call.arg(0)), from(call.arg(1)), to(call.arg(2));
  MakeTexts(call, [&](int64_t row, Text& out) {
    return ReplaceAll(*call.scratch, row, texts[row], from[row], to[row], out);
  });
}

std::string PreparePattern(std::span<const Constant* const> args, Binding& binding) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  auto pattern = std::make_shared<RE2>(args[1]->text, options);
  if (!pattern->ok()) return "not a regular expression of RE2: " + base::Shorten(pattern->error(), 200);
  binding.object = std::move(pattern);
  return {};
}

void Matches(const Call& call) {
  const auto& pattern = *static_cast<const RE2*>(call.binding->object.get());
  const Cells<Text> texts(call.arg(0));
  auto* out = static_cast<uint8_t*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    const Text text = texts[row];
    out[row] = !call.IsNull(row) && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
  }
}

void AppendNumber(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
  } else {
    base::AppendJsonNumber(out, value);
  }
}
void AppendInteger(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
void AppendBoolean(std::string& out, uint8_t value) {
  out += value != 0 ? "true" : "false";
}

template <typename T, void (*kAppend)(std::string&, T)>
void Write(const Call& call) {
  const Cells<T> values(call.arg(0));
  MakeTexts(call, [&](int64_t row, Text& out) {
    std::string& buffer = call.scratch->buffer();
    buffer.clear();
    kAppend(buffer, values[row]);
    return call.scratch->Keep(row, buffer, out);
  });
}

template <auto kOp>
Function Question(std::string_view name) {
  return {name, {{"ss:b", Map2<uint8_t, Text, Text, kOp>}}};
}

}  // namespace

const std::vector<Function>& TextFunctions() {
  static const std::vector<Function> table{
      {"length", {{"s:i", Map1<int64_t, Text, Length>}}},
      {"lower", {{"s:s", ChangeCase<utf8proc_tolower, 'A', 'Z'>, Nulls::kMakes, nullptr, true}}},
      {"upper", {{"s:s", ChangeCase<utf8proc_toupper, 'a', 'z'>, Nulls::kMakes, nullptr, true}}},
      {"trim", {{"s:s", Map1<Text, Text, base::Trim>}}},
      Question<[](Text text, Text part) { return static_cast<uint8_t>(text.starts_with(part)); }>("starts_with"),
      Question<[](Text text, Text part) { return static_cast<uint8_t>(text.ends_with(part)); }>("ends_with"),
      Question<[](Text text, Text part) { return static_cast<uint8_t>(Contains(text, part)); }>("contains"),
      {"replace", {{"sss:s", Replace, Nulls::kMakes, nullptr, true}}},
      {"substring",
       {{"si:s", Map2<Text, Text, int64_t, From>}, {"sii:s", Map3<Text, Text, int64_t, int64_t, Substring>}}},
      {"concat", {{"s+:s", Concat, Nulls::kMakes, nullptr, true}}},
      {"matches", {{"sS:b", Matches, Nulls::kStrict, PreparePattern}}},
      {"to_string",
       {{"s:s", Map1<Text, Text, [](Text text) { return text; }>},
        {"i:s", Write<int64_t, AppendInteger>, Nulls::kMakes, nullptr, true},
        {"n:s", Write<double, AppendNumber>, Nulls::kMakes, nullptr, true},
        {"b:s", Write<uint8_t, AppendBoolean>, Nulls::kMakes, nullptr, true},
        {"t:s", Write<int64_t, data::AppendTimestamp>, Nulls::kMakes, nullptr, true}}},
  };
  return table;
}

}  // namespace slipway::expr

#include "serving/cache/redis/shared_answer.h"

#include <algorithm>
#include <array>

#include "base/hash.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kMagic = "SLPWANS1";
constexpr uint64_t kRowsMost = uint64_t{1} << 32;
constexpr size_t kNumbers = 6;  ///< the lengths of request, headers, content type and body, then hole + 1 and rows
constexpr size_t kHead = kMagic.size() + kNumbers * 8, kChecksum = 8;

void AppendNumber(std::string& out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift & 0xFF);
}

/// Precondition: there are eight bytes.
uint64_t TakeNumber(std::string_view& bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number |= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  bytes.remove_prefix(8);
  return number;
}

std::string_view Take(std::string_view& bytes, size_t count) {
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

bool IsToken(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

bool IsPrintable(char c) {
  return c >= ' ' && c <= '~';
}

/// "Name: value\r\n"…, as a response may hold them.
bool AreHeaderLines(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos || colon == 0) return false;
    if (!std::ranges::all_of(line.substr(0, colon), IsToken)) return false;
    if (!std::ranges::all_of(line.substr(colon), IsPrintable)) return false;
    lines.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace

void AppendFields(std::string& out, std::span<const std::string_view> texts) {
  for (const std::string_view text : texts) {
    AppendNumber(out, text.size());
    out += text;
  }
}

std::optional<std::string_view> MediaTypes::Kept(std::string_view text) {
  if (text.empty()) return std::string_view();
  if (text.size() > kLongest || !std::ranges::all_of(text, IsPrintable)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(text);
  if (found != kept_.end()) return *found;
  if (kept_.size() >= kMost) return std::nullopt;
  return *kept_.emplace(text).first;
}

std::string WriteSharedAnswer(std::string_view request, const CachedAnswer& answer) {
  std::string value;
  value.reserve(kHead + request.size() + answer.headers.size() + answer.content_type.size() + answer.body.size() +
                kChecksum);
  value += kMagic;
  for (const uint64_t number : {request.size(), answer.headers.size(), answer.content_type.size(), answer.body.size(),
                                static_cast<uint64_t>(answer.hole + 1), static_cast<uint64_t>(answer.rows)}) {
    AppendNumber(value, number);
  }
  value += request;
  value += answer.headers;
  value += answer.content_type;
  value += answer.body;
  AppendNumber(value, base::Xxh3(value));
  return value;
}

bool ReadSharedAnswer(std::string_view value, std::string_view request, CachedAnswer& answer) {
  if (value.size() < kHead + kChecksum || !value.starts_with(kMagic)) return false;
  std::string_view rest = value.substr(kMagic.size());
  std::array<uint64_t, kNumbers> numbers{};
  for (uint64_t& number : numbers) number = TakeNumber(rest);
  const auto [asked, headers, type, body, hole, rows] = numbers;
  uint64_t left = rest.size() - kChecksum;
  for (const uint64_t size : {asked, headers, type, body}) {
    if (size > left) return false;
    left -= size;
  }
  if (left != 0 || hole > body + 1 || rows > kRowsMost) return false;
  if (Take(rest, asked) != request) return false;
  std::string_view checksum = value.substr(value.size() - kChecksum);
  if (base::Xxh3(value.substr(0, value.size() - kChecksum)) != TakeNumber(checksum)) return false;
  const std::string_view lines = Take(rest, headers);
  static MediaTypes media_types;  // answers look at them for as long as they are kept
  const auto media_type = media_types.Kept(Take(rest, type));
  if (!media_type || !AreHeaderLines(lines)) return false;
  answer.headers = lines;
  answer.content_type = *media_type;
  answer.body = Take(rest, body);
  answer.hole = static_cast<int64_t>(hole) - 1;
  answer.rows = static_cast<int64_t>(rows);
  return true;
}

}  // namespace slipway::serving

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace slipway::base {
namespace {

constexpr size_t kLongestName = 128;  // Longer names are no typos, and the distance is quadratic.

char FoldCase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string Folded(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), FoldCase);
  return folded;
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::array<std::vector<size_t>, 3> lines;
  for (auto& line : lines) line.resize(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) lines[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& current = lines[i % 3];
    const auto& above = lines[(i - 1) % 3];
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({above[j] + 1, current[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], lines[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return lines[a.size() % 3][b.size()];
}

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool NamesNoNumber(std::string_view unsigned_text) {
  const std::string word = Folded(unsigned_text);
  return word == "nan" || word == "inf" || word == "infinity";
}

/// A text past the range of double: underflow is the zero or denormal that strtod gives, overflow is refused.
std::optional<double> ParseExtreme(std::string_view text) {
  const double value = std::strtod(std::string(text).c_str(), nullptr);
  if (std::isinf(value)) return std::nullopt;
  return value;
}

}  // namespace

std::string_view NearestName(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > kLongestName) return {};
  const std::string folded = Folded(name);
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string& candidate : candidates) {
    const size_t longer = std::max(candidate.size(), name.size());
    const size_t shorter = std::min(candidate.size(), name.size());
    if (candidate.size() > kLongestName || longer - shorter >= best) continue;
    const size_t distance = EditDistance(folded, Folded(candidate));
    if (distance < best && distance < longer) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string> candidates) {
  const std::string_view nearest = NearestName(name, candidates);
  return nearest.empty() ? std::string() : " (did you mean \"" + std::string(nearest) + "\"?)";
}

std::string Shorten(std::string_view text, size_t bytes) {
  constexpr std::string_view kEllipsis = "…";
  std::string out;
  out.reserve(std::min(text.size(), bytes) + kEllipsis.size());
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (out.size() + std::max<size_t>(length, 1) > bytes) return out.append(kEllipsis);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first < 0x20 || first == 0x7f) {
      out += '?';
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool has_sign = text[0] == '+' || text[0] == '-';
  const std::string_view digits = text.substr(has_sign ? 1 : 0);
  if (digits.empty() || digits[0] == '+' || digits[0] == '-') return std::nullopt;
  if (text[0] == '+') text = digits;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) return ParseExtreme(text);
  if (!std::isfinite(value) && !NamesNoNumber(digits)) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseInt64(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

size_t Utf8SequenceLength(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a continuation byte, or an overlong form of ASCII
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (first == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
    return 3;
  }
  if (first > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (first == 0xF4 && byte(1) >= 0x90) return 0;  // past U+10FFFF
  return 4;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    while (text.size() >= 16) {
      uint64_t words[2];
      std::memcpy(words, text.data(), sizeof words);
      if ((words[0] | words[1]) & 0x8080808080808080u) break;
      text.remove_prefix(sizeof words);
    }
    // One block of up to 16 bytes sequence by sequence, then back to the fast path.
    for (size_t done = 0; done < 16 && !text.empty();) {
      const size_t length = Utf8SequenceLength(text);
      if (length == 0) return false;
      text.remove_prefix(length);
      done += length;
    }
  }
  return true;
}

std::string EncodePercent(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || (c == '/' && keep_slashes);
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::optional<std::string> DecodePercent(std::string_view text, bool form) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && form) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace slipway::base

#include "profile/written_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/text.h"

namespace slipway::profile {
namespace {

constexpr size_t kLongest = 40;  ///< no number or date is longer

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

/// Cuts one currency or percent sign, or a unit of up to three capital letters ("EUR"), from either end.
std::string_view WithoutUnit(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kSigns = {"$", "%", "€", "£", "¥", "₹"};
  for (const auto sign : kSigns) {
    if (text.starts_with(sign)) return base::Trim(text.substr(sign.size()));
    if (text.ends_with(sign)) return base::Trim(text.substr(0, text.size() - sign.size()));
  }
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() > 4 && std::ranges::all_of(text.substr(0, 3), capital) && text[3] == ' ') return text.substr(4);
  if (text.size() > 4 && std::ranges::all_of(text.substr(text.size() - 3), capital) && text[text.size() - 4] == ' ') {
    return text.substr(0, text.size() - 4);
  }
  return text;
}

/// Digits, in groups of three or not, with at most one decimal separator.
bool IsSeparatedNumber(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text = base::Trim(text.substr(1));
  if (text.empty() || !IsDigit(text.front()) || !IsDigit(text.back())) return false;
  size_t group = 0, groups = 0;  // digits since the last separator, separators so far
  char last = 0;
  for (const char c : text) {
    if (IsDigit(c)) {
      ++group;
      continue;
    }
    if (std::string_view(",.' ").find(c) == std::string_view::npos) return false;
    if (groups > 0 ? group != 3 : group > 3 && c != ',' && c != '.') return false;
    if (groups > 0 && c != last && last != ',' && last != '.' && last != '\'' && last != ' ') return false;
    last = c;
    ++groups;
    group = 0;
  }
  return groups < 2 || last == ',' || last == '.' || group == 3;
}

bool IsMonthName(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                               "jul", "aug", "sep", "oct", "nov", "dec"};
  std::string lowered;
  for (const char c : word.substr(0, 3)) lowered += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::ranges::find(kMonths, lowered) != kMonths.end();
}

/// Three parts, of which two are numbers and one may be a month's name; a time of day may follow.
bool IsWrittenDate(std::string_view text) {
  std::array<std::string_view, 3> parts;
  size_t count = 0, at = 0;
  while (at < text.size() && count < 3) {
    const size_t begin = at;
    const bool digits = IsDigit(text[at]);
    const auto same = [&](char c) { return digits ? IsDigit(c) : std::isalpha(static_cast<unsigned char>(c)) != 0; };
    while (at < text.size() && same(text[at])) ++at;
    if (at == begin) return false;
    parts[count++] = text.substr(begin, at - begin);
    while (at < text.size() && std::string_view("/.-, ").find(text[at]) != std::string_view::npos) ++at;
  }
  if (count < 3) return false;
  const auto names = std::ranges::count_if(parts, [](std::string_view part) { return !IsDigit(part[0]); });
  const auto years =
      std::ranges::count_if(parts, [](std::string_view part) { return IsDigit(part[0]) && part.size() == 4; });
  const bool numbers = std::ranges::all_of(parts, [](std::string_view part) {
    if (!IsDigit(part[0])) return IsMonthName(part);
    return part.size() == 4 || (part.size() <= 2 && base::ParseInt64(part).value_or(99) <= 31);
  });
  if (!numbers || names > 1 || years > 1 || (years == 0 && names == 0 && text.find('/') == std::string_view::npos)) {
    return false;
  }
  const auto rest = text.substr(at);
  return std::ranges::all_of(
      rest, [](char c) { return IsDigit(c) || std::string_view(":. APMapm").find(c) != std::string_view::npos; });
}

}  // namespace

Writing WritingOf(std::string_view text) {
  text = base::Trim(text);
  if (text.empty() || text.size() > kLongest) return Writing::kNone;
  const auto bare = WithoutUnit(text);
  if (IsWrittenDate(text)) return Writing::kDate;
  if (IsSeparatedNumber(bare)) return Writing::kNumber;
  return Writing::kNone;
}

bool IsSentence(std::string_view text) {
  int words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
    words += letter && !inside;
    inside = letter || c == '\'' || c == '-';
  }
  return words > 3;
}

}  // namespace slipway::profile

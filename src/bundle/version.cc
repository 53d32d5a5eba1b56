#include "bundle/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway::bundle {
namespace {

constexpr size_t kMaxVersionBytes = 255;
constexpr size_t kMaxNameBytes = 128;
constexpr std::string_view kReservedName = "stats";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsNumeric(std::string_view identifier) {
  return std::ranges::all_of(identifier, IsDigit);
}

std::unexpected<base::Error> Malformed(std::string_view text, std::string_view why) {
  return base::Fail(base::Code::kInvalidArgument, "version.malformed",
                    fmt::format("\"{}\" is no semantic version: {}; write three numbers, such as 1.0.0 or 1.0.0-rc.1",
                                base::Shorten(text), why));
}

/// Cuts the text before the first `separator` off `rest`; all of it when there is none.
std::string_view CutField(std::string_view& rest, char separator, bool& more) {
  const size_t at = rest.find(separator);
  more = at != std::string_view::npos;
  const std::string_view field = rest.substr(0, at);
  rest = more ? rest.substr(at + 1) : std::string_view();
  return field;
}

base::Result<int64_t> ParseNumber(std::string_view field, std::string_view text) {
  if (field.empty() || !IsNumeric(field)) return Malformed(text, "each of its three parts is a number");
  if (field.size() > 1 && field[0] == '0') return Malformed(text, "numbers have no leading zeros");
  const auto number = base::ParseInt64(field);
  if (!number) return Malformed(text, "a number is past 64 bits");
  return *number;
}

base::Result<std::vector<std::string>> ParseIdentifiers(std::string_view rest, bool prerelease, std::string_view text) {
  std::vector<std::string> identifiers;
  for (bool more = true; more;) {
    const std::string_view identifier = CutField(rest, '.', more);
    if (identifier.empty()) return Malformed(text, "a part between dots is empty");
    if (!std::ranges::all_of(identifier, [](char c) { return IsDigit(c) || IsLetter(c) || c == '-'; })) {
      return Malformed(text, "after - and + stand only ASCII letters, digits, dots and hyphens");
    }
    if (prerelease && identifier.size() > 1 && identifier[0] == '0' && IsNumeric(identifier)) {
      return Malformed(text, "numbers have no leading zeros");
    }
    identifiers.emplace_back(identifier);
  }
  return identifiers;
}

std::strong_ordering CompareIdentifiers(const std::string& a, const std::string& b) {
  const bool a_numeric = IsNumeric(a);
  if (a_numeric != IsNumeric(b)) return a_numeric ? std::strong_ordering::less : std::strong_ordering::greater;
  // Without leading zeros the longer number is the larger one.
  if (a_numeric && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

base::Result<Version> Version::Parse(std::string_view text) {
  if (text.size() > kMaxVersionBytes) return Malformed(text, "it is longer than 255 bytes");
  Version version;
  std::string_view rest = text;
  bool has_build = false;
  bool has_prerelease = false;
  std::string_view core = CutField(rest, '+', has_build);
  if (has_build) {
    SLIPWAY_TRY(ParseIdentifiers(rest, false, text));
    version.build = rest;
  }
  std::string_view numbers = CutField(core, '-', has_prerelease);
  if (has_prerelease) {
    SLIPWAY_ASSIGN(version.prerelease, ParseIdentifiers(core, true, text));
  }
  if (std::ranges::count(numbers, '.') != 2) return Malformed(text, "it has not three parts");
  bool more = true;
  for (int64_t* part : std::array{&version.major, &version.minor, &version.patch}) {
    SLIPWAY_ASSIGN(*part, ParseNumber(CutField(numbers, '.', more), text));
  }
  return version;
}

std::string Version::ToString() const {
  std::string text = fmt::format("{}.{}.{}", major, minor, patch);
  for (size_t i = 0; i < prerelease.size(); ++i) text.append(i == 0 ? "-" : ".").append(prerelease[i]);
  if (!build.empty()) text.append("+").append(build);
  return text;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = major <=> other.major; order != 0) return order;
  if (const auto order = minor <=> other.minor; order != 0) return order;
  if (const auto order = patch <=> other.patch; order != 0) return order;
  if (prerelease.empty() != other.prerelease.empty()) return prerelease.empty() <=> other.prerelease.empty();
  for (size_t i = 0; i < std::min(prerelease.size(), other.prerelease.size()); ++i) {
    if (const auto order = CompareIdentifiers(prerelease[i], other.prerelease[i]); order != 0) return order;
  }
  return prerelease.size() <=> other.prerelease.size();
}

base::Result<void> CheckName(std::string_view name) {
  const auto plain = [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'z'); };
  const auto allowed = [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; };
  if (name.empty() || name.size() > kMaxNameBytes || !plain(name[0]) || !std::ranges::all_of(name, allowed)) {
    return base::Fail(base::Code::kInvalidArgument, "name.malformed",
                      fmt::format("a name has 1 to {} of a-z, 0-9, \".\", \"_\", \"-\" and starts with a letter or "
                                  "digit, unlike \"{}\"",
                                  kMaxNameBytes, base::Shorten(name)));
  }
  if (name == kReservedName) {
    return base::Fail(base::Code::kInvalidArgument, "name.reserved",
                      fmt::format("the name \"{}\" is reserved for a protocol's route; choose another", name));
  }
  return {};
}

}  // namespace slipway::bundle

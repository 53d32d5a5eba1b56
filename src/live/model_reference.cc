#include "live/model_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace slipway::live {
namespace {

constexpr size_t kMaxText = 512;
constexpr size_t kMinDigest = 12;
constexpr std::string_view kDigest = "sha256:";

base::Error Malformed(std::string_view text) {
  return {base::Code::kInvalidArgument,
          "model.reference",
          fmt::format("\"{}\" is no model reference: write name, name@1.4.2, name@1.4, name@^1.2, name@alias or "
                      "name@sha256:…",
                      base::Shorten(text)),
          {}};
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

/// Completes "1" and "1.4" to a version; `parts` says how many there were. False when the text is no such prefix.
bool ReadParts(std::string_view text, bundle::Version& version, int& parts) {
  parts = 1 + static_cast<int>(std::ranges::count(text, '.'));
  if (parts > 3) return false;
  std::string whole(text);
  for (int i = parts; i < 3; ++i) whole += ".0";
  auto parsed = bundle::Version::Parse(whole);
  if (!parsed) return false;
  version = std::move(*parsed);
  return true;
}

bool IsAlias(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

base::Result<ModelReference> ModelReference::Parse(std::string_view text) {
  if (text.size() > kMaxText) return std::unexpected(Malformed(text));
  ModelReference reference;
  const size_t at = text.find('@');
  reference.name = text.substr(0, at);
  if (reference.name.empty()) return std::unexpected(Malformed(text));
  if (at == std::string_view::npos) return reference;
  const std::string_view selector = text.substr(at + 1);
  reference.selector = selector;
  if (selector.empty()) return std::unexpected(Malformed(text));
  bool well = true;
  if (selector.starts_with(kDigest)) {
    reference.kind = Kind::kDigest;
    well = selector.size() >= kDigest.size() + kMinDigest;
  } else if (selector[0] == '^') {
    reference.kind = Kind::kCaret;
    well = ReadParts(selector.substr(1), reference.version, reference.parts);
  } else if (IsDigit(selector[0])) {
    well = ReadParts(selector, reference.version, reference.parts) ||
           (reference.parts = 3, bundle::Version::Parse(selector).has_value());
    if (well && reference.parts == 3) reference.version = *bundle::Version::Parse(selector);
    reference.kind = reference.parts == 3 ? Kind::kExact : Kind::kPrefix;
  } else {
    reference.kind = Kind::kAlias;
    well = IsAlias(selector);
  }
  if (!well) return std::unexpected(Malformed(text));
  return reference;
}

bool ModelReference::Accepts(const bundle::Version& candidate, std::string_view digest) const {
  // Ranges mean releases: a prerelease is served only to those who name it.
  const bool release = candidate.prerelease.empty();
  switch (kind) {
    case Kind::kExact:
      return candidate == version;
    case Kind::kPrefix:
      return release && candidate.major == version.major && (parts < 2 || candidate.minor == version.minor);
    case Kind::kCaret:
      if (!release || candidate < version || candidate.major != version.major) return false;
      if (version.major > 0 || parts < 2) return true;
      if (candidate.minor != version.minor) return false;
      return version.minor > 0 || parts < 3 || candidate.patch == version.patch;
    case Kind::kDigest:
      return digest.starts_with(selector);
    case Kind::kDefault:
    case Kind::kAlias:
      return false;
  }
  return false;
}

}  // namespace slipway::live

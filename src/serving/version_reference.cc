#include "serving/version_reference.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::serving {
namespace {

constexpr int64_t kStep = 1000;

/// The version that an integer selector stands for, when no major version does.
const live::LoadedModel* FindInteger(const live::Snapshot::Entry& entry, std::string_view selector) {
  const auto integer = base::ParseInt64(selector);
  const auto is_major = [&](const auto& model) {
    return model->version.prerelease.empty() && model->version.major == integer;
  };
  if (!integer || std::ranges::any_of(entry.versions, is_major)) return nullptr;
  const auto found = std::ranges::find_if(entry.versions,
                                          [&](const auto& model) { return IntegerVersion(model->version) == integer; });
  return found == entry.versions.end() ? nullptr : found->get();
}

}  // namespace

std::optional<int64_t> IntegerVersion(const bundle::Version& version) {
  if (!version.prerelease.empty() || version.major >= kStep * kStep) return std::nullopt;
  if (version.minor >= kStep || version.patch >= kStep) return std::nullopt;
  const int64_t integer = (version.major * kStep + version.minor) * kStep + version.patch;
  return integer < kStep ? std::nullopt : std::optional(integer);
}

bool IsInteger(std::string_view selector) {
  return !selector.empty() && std::ranges::all_of(selector, [](char c) { return c >= '0' && c <= '9'; });
}

void ComposeReference(const live::LiveSet& live, std::string_view name, std::string_view selector,
                      std::string& reference) {
  reference.assign(name);
  if (selector.empty()) return;
  reference += '@';
  if (IsInteger(selector)) {
    const auto snapshot = live.Current();
    const auto* entry = snapshot->Find(name);
    const auto* model = entry == nullptr ? nullptr : FindInteger(*entry, selector);
    if (model != nullptr) {
      reference += model->version_text;
      return;
    }
  }
  reference += selector;
}

}  // namespace slipway::serving

#include "live/golden_examples.h"

#include <algorithm>
#include <string_view>

#include "base/value.h"
#include "bundle/golden.h"

namespace slipway::live {
namespace {

constexpr int kLinesLookedAt = 32;
constexpr size_t kExamples = 3;

std::string_view FirstLines(std::string_view text, int lines) {
  size_t end = 0;
  while (lines-- > 0 && end < text.size()) end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return text.substr(0, end);
}

bool HoldsPersonalValues(const base::Value& record, const data::Layout& layout) {
  return std::ranges::any_of(layout.fields(), [&](const data::Field& field) {
    const base::Value* value = field.personal ? record.Find(field.name) : nullptr;
    return value != nullptr && !value->is_null();
  });
}

}  // namespace

std::vector<std::string> GoldenExamples(const bundle::Bundle& bundle, const data::Layout& layout) {
  std::vector<std::string> examples;
  if (!bundle.Has(bundle::kGoldenFile)) return examples;
  const auto text = bundle.Read(bundle::kGoldenFile);
  if (!text) return examples;
  const auto set = bundle::ParseGolden(FirstLines(*text, kLinesLookedAt));
  if (!set) return examples;
  for (const auto& golden : set->records) {
    if (golden.prediction.empty() || examples.size() == kExamples) continue;
    const auto record = base::ParseJson(golden.record);
    if (record && !HoldsPersonalValues(*record, layout)) examples.push_back(golden.record);
  }
  return examples;
}

}  // namespace slipway::live

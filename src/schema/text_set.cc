#include "schema/text_set.h"

#include <bit>
#include <functional>

namespace slipway::schema {

TextSet::TextSet(std::span<const std::string> members) {
  for (const auto& text : members) {
    bytes_ += text;
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  if (members.size() <= kScanned) return;
  slots_.assign(std::bit_ceil(members.size() * 2), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < members.size(); ++i) {
    size_t slot = std::hash<std::string_view>{}(members[i]) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

bool TextSet::Contains(std::string_view text) const {
  if (slots_.empty()) {
    for (size_t i = 0; i + 1 < offsets_.size(); ++i) {
      if (member(i) == text) return true;
    }
    return false;
  }
  const size_t mask = slots_.size() - 1;
  for (size_t slot = std::hash<std::string_view>{}(text)&mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (member(slots_[slot] - 1) == text) return true;
  }
  return false;
}

}  // namespace slipway::schema

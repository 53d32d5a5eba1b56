#include "tables/parquet/value_dictionary.h"

#include <algorithm>
#include <functional>

namespace slipway::tables::parquet {

std::string_view ValueDictionary::value(uint32_t number) const {
  const size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(bytes_).substr(begin, ends_[number] - begin);
}

/// Where the value stands, or would.
size_t ValueDictionary::SlotOf(std::string_view value) const {
  size_t slot = std::hash<std::string_view>{}(value) & (slots_.size() - 1);
  while (slots_[slot] != 0 && this->value(slots_[slot] - 1) != value) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

std::optional<uint32_t> ValueDictionary::NumberOf(std::string_view value, size_t most, size_t most_bytes) {
  if (ends_.size() * 2 >= slots_.size()) Grow();
  const size_t slot = SlotOf(value);
  if (slots_[slot] != 0) return slots_[slot] - 1;
  if (ends_.size() == most || bytes_.size() + value.size() > most_bytes) return std::nullopt;
  bytes_ += value;
  ends_.push_back(bytes_.size());
  slots_[slot] = static_cast<uint32_t>(ends_.size());
  return slots_[slot] - 1;
}

void ValueDictionary::Grow() {
  slots_.assign(std::max<size_t>(64, slots_.size() * 2), 0);
  for (uint32_t number = 0; number < ends_.size(); ++number) slots_[SlotOf(value(number))] = number + 1;
}

void ValueDictionary::Clear() {
  bytes_.clear();
  ends_.clear();
  std::ranges::fill(slots_, 0);
}

}  // namespace slipway::tables::parquet

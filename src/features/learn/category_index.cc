#include "features/learn/category_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::features {
namespace {

using data::ScalarType;

uint64_t NumberBits(double value) {
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}

// The bits of a row; false when it is null or NaN.
bool ReadBits(const data::ColumnView& column, int64_t row, uint64_t& bits) {
  if (!column.IsValid(row)) return false;
  switch (column.type) {
    case ScalarType::kBoolean:
      bits = column.booleans()[row] != 0;
      return true;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      bits = static_cast<uint64_t>(column.integers()[row]);
      return true;
    default:
      bits = NumberBits(column.numbers()[row]);
      return !std::isnan(column.numbers()[row]);
  }
}

}  // namespace

CategoryIndex::CategoryIndex(ScalarType type) : type_(type), mask_(15), table_(16, Entry{0, 0}), offsets_{0} {}

uint64_t CategoryIndex::HashText(std::string_view text) {
  return base::Xxh3(text);
}

uint64_t CategoryIndex::HashBits(uint64_t bits) {  // the finalizer of SplitMix64
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

uint64_t CategoryIndex::HashOf(int64_t id) const {
  return type_ == ScalarType::kString ? HashText(text(id)) : HashBits(bits_[static_cast<size_t>(id)]);
}

template <typename Same>
int64_t CategoryIndex::Probe(uint64_t hash, Same same) const {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Entry entry = table_[at];
    if (entry.id_plus_one == 0) return kUnseen;
    if (entry.tag == tag && same(static_cast<int64_t>(entry.id_plus_one) - 1))
      return static_cast<int64_t>(entry.id_plus_one) - 1;
  }
}

std::string_view CategoryIndex::text(int64_t id) const {
  const auto index = static_cast<size_t>(id);
  return std::string_view(bytes_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
}

int64_t CategoryIndex::FindText(std::string_view key) const {
  return Probe(HashText(key), [&](int64_t id) { return text(id) == key; });
}

int64_t CategoryIndex::FindBits(uint64_t bits) const {
  return Probe(HashBits(bits), [&](int64_t id) { return bits_[static_cast<size_t>(id)] == bits; });
}

int64_t CategoryIndex::Find(const data::ColumnView& column, int64_t row) const {
  if (column.type == ScalarType::kString) return column.IsValid(row) ? FindText(column.string(row)) : kNull;
  uint64_t bits = 0;
  return ReadBits(column, row, bits) ? FindBits(bits) : kNull;
}

void CategoryIndex::Insert(uint64_t hash) {
  ++size_;
  const auto place = [this](uint64_t h, int64_t id) {
    uint64_t at = h & mask_;
    while (table_[at].id_plus_one != 0) at = (at + 1) & mask_;
    table_[at] = {static_cast<uint32_t>(h >> 32), static_cast<uint32_t>(id + 1)};
  };
  if (static_cast<uint64_t>(size_) * 2 <= table_.size()) return place(hash, size_ - 1);
  table_.assign(table_.size() * 2, Entry{0, 0});
  mask_ = table_.size() - 1;
  for (int64_t id = 0; id < size_; ++id) place(HashOf(id), id);
}

int64_t CategoryIndex::FindOrAddText(std::string_view key) {
  const int64_t found = FindText(key);
  if (found >= 0) return found;
  bytes_ += key;
  offsets_.push_back(bytes_.size());
  Insert(HashText(key));
  return size_ - 1;
}

int64_t CategoryIndex::FindOrAddBits(uint64_t bits) {
  const int64_t found = FindBits(bits);
  if (found >= 0) return found;
  bits_.push_back(bits);
  Insert(HashBits(bits));
  return size_ - 1;
}

int64_t CategoryIndex::FindOrAdd(const data::ColumnView& column, int64_t row) {
  if (column.type == ScalarType::kString) return column.IsValid(row) ? FindOrAddText(column.string(row)) : kNull;
  uint64_t bits = 0;
  return ReadBits(column, row, bits) ? FindOrAddBits(bits) : kNull;
}

bool CategoryIndex::AddKey(const base::Value& key) {
  const int64_t before = size_;
  if (type_ == ScalarType::kString) {
    if (!key.is_string()) return false;
    FindOrAddText(key.string());
  } else if (type_ == ScalarType::kNumber) {
    if (!key.is_number() || std::isnan(key.number())) {
      if (!key.is_string() || (key.string() != "Infinity" && key.string() != "-Infinity")) return false;
      FindOrAddBits(NumberBits(key.string() == "Infinity" ? INFINITY : -INFINITY));
      return size_ > before;
    }
    FindOrAddBits(NumberBits(key.number()));
  } else if (type_ == ScalarType::kBoolean && key.is_boolean()) {
    FindOrAddBits(key.boolean());
  } else if (key.is_integer()) {
    FindOrAddBits(static_cast<uint64_t>(key.integer()));
  } else {
    return false;
  }
  return size_ > before;
}

bool CategoryIndex::AddWritten(std::string_view written) {
  if (type_ == ScalarType::kString) return AddKey(base::Value(written));
  if (type_ == ScalarType::kBoolean && (written == "true" || written == "false")) return AddKey(written == "true");
  if (type_ == ScalarType::kNumber) {
    const auto number = base::ParseDouble(written);
    return number && AddKey(*number);
  }
  const auto integer = base::ParseInt64(written);
  return integer && AddKey(*integer);
}

base::Value CategoryIndex::Key(int64_t id) const {
  if (type_ == ScalarType::kString) return text(id);
  const uint64_t bits = bits_[static_cast<size_t>(id)];
  if (type_ == ScalarType::kNumber) return std::bit_cast<double>(bits);
  if (type_ == ScalarType::kBoolean) return bits != 0;
  return static_cast<int64_t>(bits);
}

std::string CategoryIndex::KeyText(int64_t id) const {
  if (type_ == ScalarType::kString) return std::string(text(id));
  const uint64_t bits = bits_[static_cast<size_t>(id)];
  if (type_ == ScalarType::kNumber) return fmt::format("{}", std::bit_cast<double>(bits));
  if (type_ == ScalarType::kBoolean) return bits != 0 ? "true" : "false";
  return fmt::format("{}", static_cast<int64_t>(bits));
}

std::vector<int64_t> CategoryIndex::Sorted() const {
  std::vector<int64_t> ids(static_cast<size_t>(size_));
  std::iota(ids.begin(), ids.end(), 0);
  std::ranges::sort(ids, [this](int64_t a, int64_t b) {
    if (type_ == ScalarType::kString) return text(a) < text(b);
    const uint64_t x = bits_[static_cast<size_t>(a)], y = bits_[static_cast<size_t>(b)];
    if (type_ == ScalarType::kNumber) return std::bit_cast<double>(x) < std::bit_cast<double>(y);
    return static_cast<int64_t>(x) < static_cast<int64_t>(y);
  });
  return ids;
}

}  // namespace slipway::features

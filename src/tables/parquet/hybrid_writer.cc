#include "tables/parquet/hybrid_writer.h"

#include <algorithm>
#include <bit>

#include "tables/parquet/thrift_value.h"

namespace slipway::tables::parquet {
int BitsFor(uint32_t most) {
  return std::max(1, static_cast<int>(std::bit_width(most)));
}

void AppendRepeated(uint32_t value, int64_t count, int width, std::string& out) {
  AppendVarint(static_cast<uint64_t>(count) << 1, out);
  for (int bit = 0; bit < width; bit += 8) out += static_cast<char>(value >> bit);
}

template <typename Value>
void AppendHybrid(std::span<const Value> values, int width, std::string& out) {
  if (values.empty()) return;
  const bool repeated = std::ranges::all_of(values, [&](Value value) { return value == values[0]; });
  if (repeated) return AppendRepeated(values[0], std::ssize(values), width, out);
  const size_t groups = (values.size() + 7) / 8;
  AppendVarint(groups << 1 | 1, out);
  const size_t end = out.size() + groups * static_cast<size_t>(width);
  uint64_t bits = 0;
  int held = 0;
  for (const Value value : values) {
    bits |= uint64_t{value} << held;
    for (held += width; held >= 8; held -= 8, bits >>= 8) out += static_cast<char>(bits);
  }
  if (held > 0) out += static_cast<char>(bits);
  out.resize(end, '\0');
}

template void AppendHybrid<uint8_t>(std::span<const uint8_t>, int, std::string&);
template void AppendHybrid<uint32_t>(std::span<const uint32_t>, int, std::string&);

}  // namespace slipway::tables::parquet

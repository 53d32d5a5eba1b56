#pragma once
// The counterpart of HybridReader (github.com/apache/parquet-format, Encodings.md).

#include <cstdint>
#include <span>
#include <string>

namespace slipway::tables::parquet {

/// Bits that values up to `most` need; at least one, since not every reader takes none.
int BitsFor(uint32_t most);

/// Appends the values as one run: repeated when all are the same, else bit-packed.
template <typename Value>
void AppendHybrid(std::span<const Value> values, int width, std::string& out);

/// Appends `count` times the same value.
void AppendRepeated(uint32_t value, int64_t count, int width, std::string& out);

}  // namespace slipway::tables::parquet

#pragma once
// HybridReader takes small integers out of Parquet's mixture of repeated and bit-packed runs, which definition levels
// and indices into dictionaries are written in (github.com/apache/parquet-format, Encodings.md, "RLE / Bit-Packing
// Hybrid").

#include <cstdint>
#include <string_view>

namespace slipway::tables::parquet {

/// Thread-safety: one thread at a time.
class HybridReader {
 public:
  HybridReader() = default;
  /// `bytes` must outlive this. `width`: bits a value, 0 to 32.
  HybridReader(std::string_view bytes, int width) : bytes_(bytes), width_(width) {}

  /// Writes the next `count` values; false when the bytes end before, or are damaged.
  bool Read(uint32_t* out, int64_t count);
  bool Skip(int64_t count);
  /// How many of the next values are known to be `value` without looking at them; 0 to `most`. Does not take them.
  int64_t Ahead(uint32_t value, int64_t most);

 private:
  bool BeginRun();
  void Unpack(uint32_t* out, int64_t count) const;

  std::string_view bytes_;  ///< behind the run at hand
  int width_ = 0;
  int64_t left_ = 0;  ///< values of the run
  bool is_packed_ = false;
  uint32_t value_ = 0;       ///< of a repeated run
  std::string_view packed_;  ///< the run's bytes
  int64_t at_ = 0;           ///< values of it that were taken
};

}  // namespace slipway::tables::parquet

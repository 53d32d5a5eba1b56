#include "data/csv_boundaries.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace slipway::data {
namespace {

constexpr size_t kBlock = 64;

#if defined(__SSE2__)
uint64_t Equal(const __m128i* bytes, char wanted) {
  const __m128i pattern = _mm_set1_epi8(wanted);
  uint64_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    mask |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], pattern)))} << (i * 16);
  }
  return mask;
}
#endif

}  // namespace

void CsvBoundaries::Restart() {
  *this = CsvBoundaries(delimiter_, blank_rows_);
}

/// One bit for each byte of the block at at_ that lies inside quotes.
uint64_t CsvBoundaries::QuotedBytes(std::string_view text, uint64_t quotes) {
  uint64_t quoted = in_quotes_ ? ~uint64_t{0} : 0;
  if (skip_quote_) quotes &= ~uint64_t{1};
  skip_quote_ = false;
  while (quotes != 0) {
    const int bit = std::countr_zero(quotes);
    quotes &= quotes - 1;
    const size_t place = at_ + static_cast<size_t>(bit);
    if (in_quotes_) {
      if (place + 1 < text.size() && text[place + 1] == '"') {
        skip_quote_ = bit == 63;
        if (bit < 63) quotes &= ~(uint64_t{1} << (bit + 1));
        continue;
      }
      in_quotes_ = false;
      quoted &= (uint64_t{1} << bit) - 1;
      continue;
    }
    const char before = place == 0 ? '\n' : text[place - 1];
    if (before != delimiter_ && before != '\n' && before != '\r') continue;  // belongs to an unquoted cell
    in_quotes_ = true;
    quoted |= ~uint64_t{0} << bit;
  }
  return quoted;
}

bool CsvBoundaries::EndBlock(std::string_view text, const Block& block, size_t bytes_in_block, int64_t rows,
                             size_t bytes) {
  const uint64_t quoted = block.quotes != 0 || in_quotes_ || skip_quote_ ? QuotedBytes(text, block.quotes) : 0;
  const uint64_t returns = block.returns & ~quoted;
  const uint64_t breaks = (block.line_feeds | block.returns) & ~quoted;
  uint64_t ends = (returns | (block.line_feeds & ~(returns << 1 | uint64_t{after_return_}))) & ~quoted;
  const uint64_t blank = blank_rows_ ? 0 : ends & (breaks << 1 | uint64_t{after_break_});
  uint64_t inner = block.line_feeds & quoted;
  while (ends != 0) {
    const int bit = std::countr_zero(ends);
    ends &= ends - 1;
    const uint64_t before = (uint64_t{1} << bit) - 1;
    cut_.lines += 1 + quoted_lines_ + std::popcount(inner & before);
    quoted_lines_ = 0;
    inner &= ~before;
    cut_.rows += (blank >> bit & 1) == 0;
    cut_.end = at_ + static_cast<size_t>(bit) + 1;
    if (text[cut_.end - 1] == '\r' && cut_.end < text.size() && text[cut_.end] == '\n') ++cut_.end;
    if (cut_.rows >= rows || cut_.end >= bytes) return true;
  }
  quoted_lines_ += std::popcount(inner);
  after_return_ = (returns >> (bytes_in_block - 1) & 1) != 0;
  after_break_ = (breaks >> (bytes_in_block - 1) & 1) != 0;
  at_ += bytes_in_block;
  return false;
}

bool CsvBoundaries::Scan(std::string_view text, bool last, int64_t rows, size_t bytes) {
  // What a quote or a carriage return means hangs on the byte behind it, which has to be there.
  while (at_ + kBlock < text.size() || (last && at_ < text.size())) {
    const size_t left = std::min(kBlock, text.size() - at_);
    char padded[kBlock] = {};
    const char* from = text.data() + at_;
    if (left < kBlock) {
      std::memcpy(padded, from, left);
      from = padded;
    }
    Block block{};
#if defined(__SSE2__)
    __m128i loaded[4];
    for (int i = 0; i < 4; ++i) loaded[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * 16));
    block = {Equal(loaded, '\n'), Equal(loaded, '\r'), Equal(loaded, '"')};
#else
    for (size_t i = 0; i < kBlock; ++i) {
      block.line_feeds |= uint64_t{from[i] == '\n'} << i;
      block.returns |= uint64_t{from[i] == '\r'} << i;
      block.quotes |= uint64_t{from[i] == '"'} << i;
    }
#endif
    if (EndBlock(text, block, left, rows, bytes)) return true;
  }
  if (!last) return false;
  if (cut_.end < text.size()) {  // a record without a line break
    cut_.end = text.size();
    ++cut_.rows;
    ++cut_.lines;
  }
  return true;
}

}  // namespace slipway::data

#pragma once
// Scratch holds the texts that kernels make while one block of rows is evaluated.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::expr {

/// Rows of a block: whole registers stay in the first-level cache. Programs that make text take fewer, so that a
/// block's text is bounded by kTextBlockRows * kTextBytesPerRow.
inline constexpr int64_t kBlockRows = 512;
inline constexpr int64_t kTextBlockRows = 64;
/// What all steps of an expression together may produce of text for one row; the text that would pass it is null.
inline constexpr size_t kTextBytesPerRow = size_t{1} << 20;

/// Keeps its memory from block to block. Thread-safety: one thread at a time.
class Scratch {
 public:
  /// Forgets all texts; the next block has at most kTextBlockRows rows.
  void Reset();
  /// Room for `bytes` until Reset(); nullptr when the row's allowance is spent. Never nullptr for 0 bytes.
  char* Allocate(int64_t row, size_t bytes);
  /// A copy of `text` in `out`; false when the row's allowance is spent.
  bool Keep(int64_t row, std::string_view text, std::string_view& out);
  /// A buffer for one kernel's own use.
  std::string& buffer() { return buffer_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  size_t used_ = 0;  ///< of the last chunk
  std::array<size_t, kTextBlockRows> spent_{};
  std::string buffer_;
};

}  // namespace slipway::expr

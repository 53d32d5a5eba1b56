#pragma once
// PageReader goes from page to page of a column chunk, and unpacks what is asked for.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tables/parquet/file_index.h"

struct ZSTD_DCtx_s;

namespace slipway::tables::parquet {

struct PageHead {
  enum class Kind : int8_t { kData = 0, kIndex = 1, kDictionary = 2, kDataV2 = 3 };
  Kind kind = Kind::kIndex;
  int64_t stored_bytes = 0, bytes = 0;  ///< of the body, as stored and unpacked
  int64_t values = 0;                   ///< of data, nulls too: rows
  Encoding encoding{};
  Encoding level_encoding = Encoding::kRle;  ///< of definition levels; not of the second kind of data
  int64_t level_bytes = 0;  ///< of the second kind of data: definition levels, never packed, before the values
  bool is_packed = true;    ///< by the chunk's codec; of the second kind of data, the values
};

/// Memory: a window on the file and one page. Errors of all: those of RandomFile; data_loss "tables.parquet".
/// Thread-safety: one thread at a time.
class PageReader {
 public:
  /// `file` must outlive this.
  explicit PageReader(const RandomFile& file) : file_(file) {}

  void Begin(const ColumnChunk& chunk);
  /// Whether bytes of the chunk are left behind the page at hand.
  bool AtEnd() const { return at_ >= end_; }
  /// The next page's head.
  base::Result<PageHead> NextHead();
  /// The page's body, unpacked into `out`, whose memory is kept. `most`: bytes; a page that is larger is an error.
  /// Without a call the body is passed over unread.
  base::Result<void> ReadBody(const PageHead& head, int64_t most, std::string& out);

  int64_t held_bytes() const { return static_cast<int64_t>(window_.capacity()); }

 private:
  base::Result<std::string_view> Bytes(int64_t least, int64_t asked);
  base::Result<void> Unpack(std::string_view stored, char* out, size_t bytes);

  const RandomFile& file_;
  Codec codec_{};
  int64_t at_ = 0, end_ = 0;  ///< in the file: behind the page whose head was read last, or its body while that is read
  int64_t body_ = 0;
  std::string window_;  ///< of the file, from window_at_ on
  int64_t window_at_ = 0;
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> zstd_;
};

}  // namespace slipway::tables::parquet

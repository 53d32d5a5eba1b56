#pragma once
// CsvBoundaries finds where records of CSV end without splitting cells, so that one thread can cut a table for many.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace slipway::data {

/// Follows text from one record start, by CsvReader's rules: a quote opens a cell only as its first byte, a doubled one
/// stays inside, LF, CRLF and CR outside quotes end a record. Where a quote stands decides what every byte behind it
/// means, so the text is read once in order; there is no place to begin in the middle that is right for every table.
/// Counts rows as CsvRowDecoder delivers them. Thread-safety: one thread at a time.
class CsvBoundaries {
 public:
  /// `blank_rows`: blank lines are rows, as in tables of one column.
  CsvBoundaries(char delimiter, bool blank_rows) : delimiter_(delimiter), blank_rows_(blank_rows) {}

  /// Whole records at the beginning of the text.
  struct Cut {
    size_t end = 0;     ///< bytes
    int64_t rows = 0;   ///< blank lines are none, but with `blank_rows`
    int64_t lines = 0;  ///< as CsvReader counts them
  };

  /// Begins with another text, at a record start.
  void Restart();

  /// Reads on. `text` is what was given before, with more bytes behind it; `last`: nothing follows. True when `cut()`
  /// is decided: the shortest run of whole records that has `rows` rows or `bytes` bytes, or with `last` all there is.
  bool Scan(std::string_view text, bool last, int64_t rows, size_t bytes);
  const Cut& cut() const { return cut_; }

 private:
  struct Block {
    uint64_t line_feeds, returns, quotes;
  };
  uint64_t QuotedBytes(std::string_view text, uint64_t quotes);
  bool EndBlock(std::string_view text, const Block& block, size_t bytes_in_block, int64_t rows, size_t bytes);

  char delimiter_;
  bool blank_rows_;
  size_t at_ = 0;             ///< bytes looked at
  Cut cut_;                   ///< up to the last record that ended
  int64_t quoted_lines_ = 0;  ///< line feeds within the record at hand
  bool in_quotes_ = false;
  bool skip_quote_ = false;  ///< the block before ended with the first of two quotes
  bool after_return_ = false;
  bool after_break_ = true;  ///< the byte before ended a record, or there is none
};

}  // namespace slipway::data

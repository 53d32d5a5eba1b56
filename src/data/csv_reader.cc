#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "data/csv_rows.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace slipway::data {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::ptrdiff_t kBlock = 64;

// One bit for each of 64 bytes that is the delimiter, a line break or a quote.
uint64_t SpecialBytes(const char* at, char delimiter) {
  uint64_t mask = 0;
#if defined(__SSE2__)
  const __m128i delimiters = _mm_set1_epi8(delimiter);
  const __m128i line_feeds = _mm_set1_epi8('\n');
  const __m128i returns = _mm_set1_epi8('\r');
  const __m128i quotes = _mm_set1_epi8('"');
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i * 16));
    const __m128i breaks = _mm_or_si128(_mm_cmpeq_epi8(bytes, line_feeds), _mm_cmpeq_epi8(bytes, returns));
    const __m128i others = _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, quotes));
    const auto found = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(breaks, others)));
    mask |= uint64_t{found} << (i * 16);
  }
#else
  for (int i = 0; i < kBlock; ++i) {
    const char c = at[i];
    mask |= uint64_t{c == delimiter || c == '\n' || c == '\r' || c == '"'} << i;
  }
#endif
  return mask;
}

// The same for the last bytes of a text.
uint64_t SpecialBytesOfTail(const char* at, std::ptrdiff_t count, char delimiter) {
  char padded[kBlock] = {};
  std::memcpy(padded, at, static_cast<size_t>(count));
  return SpecialBytes(padded, delimiter) & ((uint64_t{1} << count) - 1);
}

}  // namespace

CsvReader::CsvReader(char delimiter, CsvLimits limits) : delimiter_(delimiter), limits_(limits) {}

base::Result<void> CsvReader::Feed(std::string_view block, const OnRecord& on_record) {
  const char* end = block.data() + block.size();
  const char* at = SkipMark(block.data(), end, on_record);
  while (at != end && failure_) {
    if (state_ == State::kCarriageReturn) {
      state_ = State::kStart;
      if (*at == '\n') ++at;
      continue;
    }
    if (AtRecordStart()) at = SplitInPlace(at, end, on_record);
    if (at != end && state_ != State::kCarriageReturn) at = Gather(at, end, on_record);
  }
  return failure_;
}

base::Result<void> CsvReader::Finish(const OnRecord& on_record) {
  if (first_ && mark_ != 0 && failure_) {
    first_ = false;
    Gather(kByteOrderMark.data(), kByteOrderMark.data() + mark_, on_record);
  }
  if (!failure_ || AtRecordStart() || state_ == State::kCarriageReturn) return failure_;
  if (state_ == State::kQuoted) {
    Fail("csv.malformed", "a quoted cell is not closed by a double quote before the end of the text");
    return failure_;
  }
  EndCell();
  if (failure_) EndRecord(on_record);
  return failure_;
}

void CsvReader::ContinueAt(int64_t line) {
  first_ = false;
  state_ = State::kStart;
  line_ = record_line_ = line;
}

// Where the quoted cell that begins at `at`, behind its quote, ends: at its closing quote if a separator follows and
// the text holds no doubled quotes; nullptr otherwise.
const char* CsvReader::PlainQuotedEnd(const char* at, const char* end) const {
  const auto* quote = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(end - at)));
  if (quote == nullptr || end - quote < 2) return nullptr;
  const char c = quote[1];
  return c == delimiter_ || c == '\n' || c == '\r' ? quote : nullptr;
}

// Splits records from `at` on while their cells need no copy. Returns where it stopped: at the begin of a record, or at
// the end.
const char* CsvReader::SplitInPlace(const char* at, const char* end, const OnRecord& on_record) {
  const char* record = at;
  const char* cell = at;
  int64_t inner_lines = 0;
  cells_.clear();
  const auto cell_limit = static_cast<std::ptrdiff_t>(limits_.cell_bytes);
  for (const char* block = at; block < end; block += kBlock) {
    const std::ptrdiff_t left = end - block;
    uint64_t mask = left >= kBlock ? SpecialBytes(block, delimiter_) : SpecialBytesOfTail(block, left, delimiter_);
    for (; mask != 0; mask &= mask - 1) {
      const char* special = block + std::countr_zero(mask);
      if (special < cell) continue;  // inside a quoted cell, or the LF of a CRLF
      const bool is_quoted = *special == '"';
      const char* text_end = special;
      if (is_quoted) {
        if (special != cell) continue;
        text_end = PlainQuotedEnd(++cell, end);
        if (text_end == nullptr) return record;
        inner_lines += std::count(cell, text_end, '\n');
        special = text_end + 1;
      }
      if (text_end - cell > cell_limit || static_cast<int>(cells_.size()) >= limits_.columns) return record;
      cells_.push_back({{cell, static_cast<size_t>(text_end - cell)}, is_quoted});
      cell = special + 1;
      if (*special == delimiter_) continue;
      if (special - record > limits_.record_bytes) return record;
      on_record(cells_, line_);
      line_ += 1 + std::exchange(inner_lines, 0);
      cells_.clear();
      if (*special == '\r') {
        if (cell == end) {
          state_ = State::kCarriageReturn;
        } else if (*cell == '\n') {
          ++cell;
        }
      }
      record = cell;
    }
  }
  return record;
}

// Reads one record, or what there is of it, into the buffer.
const char* CsvReader::Gather(const char* at, const char* end, const OnRecord& on_record) {
  if (AtRecordStart() && buffer_.empty()) record_line_ = line_;
  while (at != end && failure_) {
    if (state_ == State::kQuoted) {
      at = GatherQuoted(at, end);
      continue;
    }
    const char c = *at;
    if (c == delimiter_ || c == '\n' || c == '\r') {
      ++at;
      EndCell();
      if (c == delimiter_ || !failure_) continue;
      ++line_;
      EndRecord(on_record);
      if (c == '\r') state_ = State::kCarriageReturn;
      return at;
    }
    if (state_ == State::kStart && c == '"') {
      ++at;
      state_ = State::kQuoted;
      cell_quoted_ = true;
    } else if (state_ == State::kQuoteInQuoted && c == '"') {
      ++at;
      buffer_ += '"';
      state_ = State::kQuoted;
    } else if (state_ == State::kQuoteInQuoted) {
      Fail("csv.malformed", "text follows the closing quote of a cell; double the quotes that belong to a cell's text");
    } else {
      state_ = State::kCell;
      at = GatherUnquoted(at, end);
    }
  }
  return at;
}

const char* CsvReader::GatherUnquoted(const char* at, const char* end) {
  const char* stop = at;
  while (stop != end && *stop != delimiter_ && *stop != '\n' && *stop != '\r') ++stop;
  buffer_.append(at, stop);
  if (static_cast<int64_t>(buffer_.size() - cell_begin_) > limits_.cell_bytes) EndCell();
  return stop;
}

const char* CsvReader::GatherQuoted(const char* at, const char* end) {
  const auto* quote = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(end - at)));
  const char* stop = quote == nullptr ? end : quote;
  line_ += std::count(at, stop, '\n');
  buffer_.append(at, stop);
  if (static_cast<int64_t>(buffer_.size() - cell_begin_) > limits_.cell_bytes) EndCell();
  if (quote == nullptr) return end;
  state_ = State::kQuoteInQuoted;
  return quote + 1;
}

// Passes over a byte-order mark, which may be cut by the block's end; a part of one that is none counts as text.
const char* CsvReader::SkipMark(const char* at, const char* end, const OnRecord& on_record) {
  while (first_ && at != end) {
    if (*at == kByteOrderMark[mark_]) {
      ++at;
      first_ = ++mark_ < kByteOrderMark.size();
    } else {
      first_ = false;
      if (mark_ != 0) Gather(kByteOrderMark.data(), kByteOrderMark.data() + mark_, on_record);
    }
  }
  return at;
}

void CsvReader::EndCell() {
  if (static_cast<int64_t>(buffer_.size() - cell_begin_) > limits_.cell_bytes) {
    Fail("csv.limit",
         "a cell is longer than " + std::to_string(limits_.cell_bytes) + " bytes; look for a quote that is not closed");
  } else if (static_cast<int64_t>(buffer_.size()) > limits_.record_bytes) {
    Fail("csv.limit", "a record is longer than " + std::to_string(limits_.record_bytes) + " bytes");
  } else if (static_cast<int>(spans_.size()) >= limits_.columns) {
    Fail("csv.limit", "a record has more than " + std::to_string(limits_.columns) + " cells");
  }
  spans_.push_back({cell_begin_, buffer_.size(), cell_quoted_});
  cell_begin_ = buffer_.size();
  cell_quoted_ = false;
  state_ = State::kStart;
}

void CsvReader::EndRecord(const OnRecord& on_record) {
  cells_.clear();
  for (const Span& span : spans_) {
    cells_.push_back({std::string_view(buffer_).substr(span.begin, span.end - span.begin), span.quoted});
  }
  on_record(cells_, record_line_);
  record_line_ = line_;
  buffer_.clear();
  spans_.clear();
  cell_begin_ = 0;
  state_ = State::kStart;
}

void CsvReader::Fail(std::string reason, const std::string& problem) {
  if (!failure_) return;
  failure_ = base::Fail(base::Code::kInvalidArgument, std::move(reason),
                        "this CSV cannot be read at line " + std::to_string(line_) + ": " + problem);
}

}  // namespace slipway::data

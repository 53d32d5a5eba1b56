#pragma once
// RowPipe: JSON lines or CSV in by pieces, scored block by block, answers out.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/csv_rows.h"
#include "serving/rest/row_answer.h"

namespace slipway::serving::rest {

/// The same bytes give the same answer however they are cut. Between calls it holds at most one unfinished record, and
/// the model's rows() nothing of it.
/// Thread-safety: one thread at a time. Ownership: model and answer outlive it.
class RowPipe {
 public:
  /// `form`: kJsonLines or kCsv.
  RowPipe(BodyForm form, ServedModel& served, RowAnswer& answer);

  /// Goes on with the same version on another thread.
  void Use(ServedModel& served) { served_ = &served; }
  /// `piece`: 64 bytes past its end may be read. Errors: those of CsvRowDecoder and Score; "json.limit": a line longer
  /// than DecodeLimits::line_bytes.
  base::Result<void> Feed(std::string_view piece, const net::Request& request, net::Response& response);
  base::Result<void> Finish(const net::Request& request, net::Response& response);
  /// Of the unfinished record.
  int64_t HeldBytes() const;

 private:
  base::Result<void> FeedLines(std::string_view piece, const net::Request& request, net::Response& response);
  base::Result<void> FeedCsv(std::string_view piece, const net::Request& request, net::Response& response);
  base::Result<void> DecodeLine(std::string_view line, const net::Request& request, net::Response& response);
  base::Result<void> ScoreRows(const net::Request& request, net::Response& response);

  ServedModel* served_;
  RowAnswer& answer_;
  std::optional<data::CsvRowDecoder> csv_;
  std::string line_;  ///< the start of a line whose end has not come
};

}  // namespace slipway::serving::rest

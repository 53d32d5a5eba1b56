#include "serving/rest/row_pipe.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace slipway::serving::rest {
namespace {

constexpr int64_t kBlockRows = 1024;             ///< of JSON lines scored together
constexpr size_t kBlockBytes = size_t{1} << 20;  ///< of CSV decoded at a time
constexpr size_t kPadding = 64;

}  // namespace

RowPipe::RowPipe(BodyForm form, ServedModel& served, RowAnswer& answer) : served_(&served), answer_(answer) {
  if (form == BodyForm::kCsv) csv_.emplace(served.scorer().layout(), ',', served.limits().csv);
}

base::Result<void> RowPipe::Feed(std::string_view piece, const net::Request& request, net::Response& response) {
  return csv_ ? FeedCsv(piece, request, response) : FeedLines(piece, request, response);
}

base::Result<void> RowPipe::FeedLines(std::string_view piece, const net::Request& request, net::Response& response) {
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    if (end == std::string_view::npos || !line_.empty()) {
      const std::string_view part = piece.substr(0, end);
      const int64_t most = served_->limits().line_bytes;
      if (std::cmp_greater(line_.size() + part.size(), most)) {
        return base::Fail(
            base::Code::kInvalidArgument, "json.limit",
            "a line of JSON lines is longer than " + std::to_string(most) + " bytes; end each record in a line break");
      }
      line_ += part;
      if (end == std::string_view::npos) break;
      line_.reserve(line_.size() + kPadding);
      SLIPWAY_TRY(DecodeLine(line_, request, response));
      line_.clear();
    } else {
      SLIPWAY_TRY(DecodeLine(piece.substr(0, end), request, response));
    }
    piece.remove_prefix(end + 1);
  }
  return ScoreRows(request, response);
}

base::Result<void> RowPipe::DecodeLine(std::string_view line, const net::Request& request, net::Response& response) {
  line = base::Trim(line);
  if (line.empty()) return {};
  served_->json_decoder().DecodeLine(line, served_->rows());
  return served_->rows().table.rows >= kBlockRows ? ScoreRows(request, response) : base::Result<void>();
}

base::Result<void> RowPipe::FeedCsv(std::string_view piece, const net::Request& request, net::Response& response) {
  while (!piece.empty()) {
    const std::string_view block = piece.substr(0, kBlockBytes);
    piece.remove_prefix(block.size());
    SLIPWAY_TRY(csv_->Feed(block, served_->rows()));
    SLIPWAY_TRY(ScoreRows(request, response));
  }
  return {};
}

base::Result<void> RowPipe::Finish(const net::Request& request, net::Response& response) {
  if (csv_) {
    SLIPWAY_TRY(csv_->Finish(served_->rows()));
  } else if (!line_.empty()) {
    line_.reserve(line_.size() + kPadding);
    SLIPWAY_TRY(DecodeLine(line_, request, response));
    line_.clear();
  }
  return ScoreRows(request, response);
}

int64_t RowPipe::HeldBytes() const {
  return static_cast<int64_t>(line_.capacity() + (csv_ ? csv_->held_bytes() : 0));
}

base::Result<void> RowPipe::ScoreRows(const net::Request& request, net::Response& response) {
  if (served_->rows().table.rows == 0) return {};
  SLIPWAY_TRY(served_->Score());
  answer_.Append(request, response);
  served_->rows().Clear();
  return {};
}

}  // namespace slipway::serving::rest

#include "data/csv_rows.h"

#include <algorithm>

#include "base/text.h"
#include "data/json_walker.h"
#include "data/number_text.h"

namespace slipway::data {
namespace {

constexpr int kListDepth = 32;

std::unexpected<base::Error> HeaderFault(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "csv.header", std::move(message));
}

}  // namespace

CsvRowDecoder::CsvRowDecoder(const Layout& layout, char delimiter, CsvLimits limits)
    : layout_(layout),
      reader_(delimiter, limits),
      row_limit_(std::max<int64_t>(1, limits.table_bytes / RowBytes(layout.fields()))) {
  const auto& fields = layout.fields();
  if (std::any_of(fields.begin(), fields.end(), [](const Field& field) { return !field.type.is_scalar(); })) {
    walker_ = std::make_unique<JsonWalker>(layout, JsonBounds{.depth = kListDepth});
  }
}

CsvRowDecoder::~CsvRowDecoder() = default;

base::Result<void> CsvRowDecoder::Feed(std::string_view block, Decoded& out) {
  SLIPWAY_TRY(failure_);
  auto fed = reader_.Feed(block, [&](const auto& cells, int64_t line) { OnRecord(cells, line, out); });
  return failure_ ? fed : failure_;
}

base::Result<void> CsvRowDecoder::Finish(Decoded& out) {
  SLIPWAY_TRY(failure_);
  SLIPWAY_TRY(reader_.Finish([&](const auto& cells, int64_t line) { OnRecord(cells, line, out); }));
  if (failure_ && !have_header_) {
    failure_ = HeaderFault("this CSV is empty; its first line must name the columns");
  }
  return failure_;
}

void CsvRowDecoder::OnRecord(const std::vector<CsvReader::Cell>& cells, int64_t line, Decoded& out) {
  const bool blank = cells.size() == 1 && cells[0].text.empty() && !cells[0].quoted;
  if (!failure_ || (blank && target_.size() != 1)) return;
  if (!have_header_) {
    OnHeader(cells);
    return;
  }
  if (out.table.rows >= row_limit_) {
    failure_ = base::Fail(base::Code::kInvalidArgument, "csv.limit",
                          "a block of CSV holds more than " + std::to_string(row_limit_) +
                              " rows of this width; send fewer rows at a time");
    return;
  }
  RowBuilder builder(layout_, out);
  builder.BeginRow();
  if (cells.size() == target_.size()) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (target_[i] >= 0) {
        OnCell(target_[i], cells[i], builder);
      } else {
        builder.Unknown(header_[i]);
      }
    }
  } else {
    builder.Malformed("line " + std::to_string(line) + " has " + std::to_string(cells.size()) +
                      " cells where the header has " + std::to_string(target_.size()) +
                      "; quote the cells that hold delimiters or line breaks");
  }
  builder.EndRow();
}

void CsvRowDecoder::OnHeader(const std::vector<CsvReader::Cell>& cells) {
  have_header_ = true;
  for (const CsvReader::Cell& cell : cells) {
    header_.emplace_back(cell.quoted ? cell.text : TrimBlanks(cell.text));
    target_.push_back(layout_.Find(header_.back()));
  }
  std::vector<std::string_view> names(header_.begin(), header_.end());
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    failure_ = HeaderFault("the header of this CSV names a column twice: \"" + base::Shorten(*twice) +
                           "\"; leave one of them out");
  } else if (header_.size() == 1 && target_[0] < 0 && layout_.size() > 1 &&
             header_[0].find_first_of(",;\t|") != std::string::npos) {
    failure_ = HeaderFault("the header of this CSV has a single column, \"" + base::Shorten(header_[0]) +
                           "\"; its cells seem to be separated by another delimiter than expected: separate them by "
                           "commas, or name the format (tsv for tabs, ssv for semicolons)");
  }
}

void CsvRowDecoder::OnCell(int field, const CsvReader::Cell& cell, RowBuilder& builder) {
  if (cell.text.empty() && !cell.quoted) {
    builder.SetNull(field);
    return;
  }
  const bool is_list = walker_ && !layout_.fields()[static_cast<size_t>(field)].type.is_scalar() &&
                       TrimBlanks(cell.text).starts_with('[');
  if (!is_list) {
    builder.SetLexeme(field, cell.text);
    return;
  }
  if (!walker_->Open(cell.text)) {
    builder.SetWrong(field, "text that is no JSON list", cell.text);
  } else if (!walker_->ReadTensor(field, builder, true)) {
    builder.AbandonTensor("text that is no JSON list", cell.text);
  }
}

}  // namespace slipway::data

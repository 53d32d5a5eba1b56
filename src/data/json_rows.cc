#include "data/json_rows.h"

#include <algorithm>

#include "data/json_walker.h"

namespace slipway::data {
int64_t JsonRowLimits::RowsOf(const Layout& layout) const {
  return std::min<int64_t>(rows, std::max<int64_t>(1, table_bytes / RowBytes(layout.fields())));
}

struct JsonRowDecoder::State {
  State(const Layout& layout, JsonRowLimits limits)
      : layout(layout),
        limits(limits),
        walker(layout, limits.nested),
        row_limit(limits.RowsOf(layout)),
        has_records_field(layout.Find("records") >= 0) {}

  static std::unexpected<base::Error> NotAlone() {
    return base::Fail(base::Code::kInvalidArgument, "json.not_a_record",
                      "\"records\" stands alone in its object; send {\"records\": [{…}, …]} without other members");
  }

  base::Result<Form> ReadDocument(std::string_view text, Decoded& out);
  base::Result<void> ReadList(RowBuilder& builder);
  base::Result<Form> ReadRoot(RowBuilder& builder);

  const Layout& layout;
  JsonRowLimits limits;
  JsonWalker walker;
  int64_t row_limit;
  bool has_records_field;
};

base::Result<JsonRowDecoder::Form> JsonRowDecoder::State::ReadDocument(std::string_view text, Decoded& out) {
  if (static_cast<int64_t>(text.size()) > limits.bytes) {
    return base::Fail(base::Code::kInvalidArgument, "json.limit",
                      "a JSON document of " + std::to_string(text.size()) + " bytes is above the limit of " +
                          std::to_string(limits.bytes) + "; send fewer records at a time");
  }
  text = WithoutByteOrderMark(text);
  const std::string_view rest = WithoutLeadingSpace(text);
  if (IsJsonScalar(rest)) {
    return base::Fail(base::Code::kInvalidArgument, "json.not_a_record",
                      "a record is a JSON object, and several are a list of objects, not " +
                          std::string(JsonKindOf(rest[0])) + "; send {\"field\": value, …}");
  }
  if (!walker.Open(text)) return std::unexpected(walker.Error());
  RowBuilder builder(layout, out);
  SLIPWAY_ASSIGN(const Form form, ReadRoot(builder));
  if (!walker.Finish()) return std::unexpected(walker.Error());
  return form;
}

base::Result<JsonRowDecoder::Form> JsonRowDecoder::State::ReadRoot(RowBuilder& builder) {
  if (walker.Peek() == '[') {
    SLIPWAY_TRY(ReadList(builder));
    return Form::kRecords;
  }
  const int64_t records = has_records_field ? -1 : walker.PositionOfList("records");
  if (records < 0) {
    builder.BeginRow();
    if (!walker.ReadRecord(builder)) return std::unexpected(walker.Error());
    builder.EndRow();
    return Form::kRecord;
  }
  if (records > 0) return NotAlone();
  walker.Advance();
  std::string_view name;
  if (!walker.ReadName(name)) return std::unexpected(walker.Error());
  SLIPWAY_TRY(ReadList(builder));
  if (walker.Peek() == ',') return NotAlone();
  if (!walker.EndObject()) return std::unexpected(walker.Error());
  return Form::kRecords;
}

base::Result<void> JsonRowDecoder::State::ReadList(RowBuilder& builder) {
  bool failed = false;
  int64_t index = 0;
  for (bool more = walker.FirstElement(failed); more; more = walker.NextElement(failed), ++index) {
    if (index == row_limit) {
      return base::Fail(base::Code::kInvalidArgument, "json.limit",
                        "a JSON document holds at most " + std::to_string(row_limit) +
                            " records of this width; send fewer records at a time");
    }
    builder.BeginRow();
    const char first = walker.Peek();
    if (first == '{') {
      if (!walker.ReadRecord(builder)) return std::unexpected(walker.Error());
    } else {
      if (!walker.Skip()) return std::unexpected(walker.Error());
      builder.Malformed("a record is an object, not " + std::string(JsonKindOf(first)) +
                        "; send {\"field\": value, …} in this place of the list");
    }
    builder.EndRow();
  }
  if (failed) return std::unexpected(walker.Error());
  return {};
}

JsonRowDecoder::JsonRowDecoder(const Layout& layout, JsonRowLimits limits)
    : state_(std::make_unique<State>(layout, limits)) {}
JsonRowDecoder::~JsonRowDecoder() = default;

base::Result<JsonRowDecoder::Form> JsonRowDecoder::DecodeDocument(std::string_view text, Decoded& out) {
  const int64_t rows = out.table.rows;
  auto form = state_->ReadDocument(text, out);
  if (!form) out.Truncate(rows);
  state_->walker.Trim();
  return form;
}

void JsonRowDecoder::DecodeLine(std::string_view line, Decoded& out) {
  line = WithoutByteOrderMark(line);
  RowBuilder builder(state_->layout, out);
  builder.BeginRow();
  JsonWalker& walker = state_->walker;
  const std::string_view rest = WithoutLeadingSpace(line);
  if (static_cast<int64_t>(line.size()) > state_->limits.bytes) {
    builder.Malformed("a line of " + std::to_string(line.size()) + " bytes is above the limit of " +
                      std::to_string(state_->limits.bytes) + "; send smaller records");
  } else if (IsJsonScalar(rest) || rest.starts_with('[')) {
    builder.Malformed("a record is a JSON object, not " + std::string(JsonKindOf(rest[0])) +
                      "; send {\"field\": value, …} on this line");
  } else if (!walker.Open(line) || !walker.ReadRecord(builder) || !walker.Finish()) {
    builder.Malformed(walker.Error().message);
  }
  builder.EndRow();
  walker.Trim();
}

}  // namespace slipway::data

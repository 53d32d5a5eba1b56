#include "data/json_rows.h"

#include <algorithm>

#include "data/json_walker.h"

namespace slipway::data {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

// What comes after white space.
std::string_view Rest(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

// What a token begins, in the words of a message.
std::string_view KindOf(char first) {
  switch (first) {
    case '{':
      return "an object";
    case '[':
      return "a list";
    case '"':
      return "a string";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

// Whether the text is, or begins with, a JSON value that is no object or list.
bool IsScalar(std::string_view rest) {
  if (rest.starts_with("true") || rest.starts_with("false") || rest.starts_with("null")) return true;
  return !rest.empty() && (rest[0] == '"' || rest[0] == '-' || (rest[0] >= '0' && rest[0] <= '9'));
}

}  // namespace

struct JsonRowDecoder::State {
  State(const Layout& layout, JsonRowLimits limits)
      : layout(layout),
        limits(limits),
        walker(layout, limits.depth),
        row_limit(RowLimit()),
        has_records_field(layout.Find("records") >= 0) {}

  int64_t RowLimit() const {
    return std::min<int64_t>(limits.rows, std::max<int64_t>(1, limits.table_bytes / RowBytes(layout.fields())));
  }

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
  text = WithoutMark(text);
  const std::string_view rest = Rest(text);
  if (IsScalar(rest)) {
    return base::Fail(base::Code::kInvalidArgument, "json.not_a_record",
                      "a record is a JSON object, and several are a list of objects, not " +
                          std::string(KindOf(rest[0])) + "; send {\"field\": value, …}");
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
      builder.Malformed("a record is an object, not " + std::string(KindOf(first)) +
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
  line = WithoutMark(line);
  RowBuilder builder(state_->layout, out);
  builder.BeginRow();
  JsonWalker& walker = state_->walker;
  const std::string_view rest = Rest(line);
  if (static_cast<int64_t>(line.size()) > state_->limits.bytes) {
    builder.Malformed("a line of " + std::to_string(line.size()) + " bytes is above the limit of " +
                      std::to_string(state_->limits.bytes) + "; send smaller records");
  } else if (IsScalar(rest) || rest.starts_with('[')) {
    builder.Malformed("a record is a JSON object, not " + std::string(KindOf(rest[0])) +
                      "; send {\"field\": value, …} on this line");
  } else if (!walker.Open(line) || !walker.ReadRecord(builder) || !walker.Finish()) {
    builder.Malformed(walker.Error().message);
  }
  builder.EndRow();
  walker.Trim();
}

}  // namespace slipway::data

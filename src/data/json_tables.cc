#include "data/json_tables.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace slipway::data {
namespace {

constexpr size_t kNamesShown = 8;
constexpr size_t kStrangers = 1024;
constexpr int64_t kGrowth = 4;  // the most that memory exceeds the text of a cell: "1," becomes eight bytes

std::unexpected<base::Error> NotATable(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "json.not_a_table", std::move(message));
}

std::string Quoted(std::string_view name) {
  return "\"" + base::Shorten(name) + "\"";
}

// "a", "b" and "c"
std::string Listed(std::span<const std::string> names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) text += (i == 0 ? "" : ", ") + Quoted(names[i]);
  return names.size() > kNamesShown ? text + ", …" : text;
}

}  // namespace

struct JsonTableDecoder::State {
  using Place = JsonWalker::Place;

  /// A column on its way: its field, or the name that no field has, and where its next value stands.
  struct Stream {
    int field = -1;
    std::string name;
    Place place;
    bool more = false;
  };

  State(const Layout& layout, JsonRowLimits limits, std::vector<int> list_ranks)
      : layout(layout),
        limits(limits),
        list_ranks(std::move(list_ranks)),
        walker(layout, limits.nested),
        row_limit(limits.RowsOf(layout)),
        context(layout) {
    for (int field = 0; field < layout.size(); ++field) in_order.push_back({.field = field, .name = {}, .place = {}});
  }

  base::Result<void> Read(std::string_view text, Decoded& out);
  base::Result<void> ReadRoot(std::string_view name, RowBuilder& builder);
  base::Result<void> ReadNote(std::string_view name);
  base::Result<void> ReadContext();
  base::Result<void> ReadTable(RowBuilder& builder);
  base::Result<void> ReadRows(RowBuilder& builder, bool records);
  base::Result<void> ReadRow(RowBuilder& builder, bool records);
  base::Result<void> ReadInOrder(std::span<const Stream> columns, RowBuilder& builder);
  base::Result<void> ReadColumns(RowBuilder& builder);
  base::Result<void> ReadStreams(RowBuilder& builder);
  base::Result<void> OpenStreams(bool& lists);
  base::Result<void> AddStream(std::string_view name);
  base::Result<void> ReadOneRow(RowBuilder& builder);
  base::Result<void> ReadSplit(RowBuilder& builder);
  base::Result<void> ReadNames();
  base::Result<void> ReadData(std::span<const Stream> columns, RowBuilder& builder);

  std::unexpected<base::Error> Broken() const { return std::unexpected(walker.Error()); }
  std::unexpected<base::Error> WrongKind(std::string_view wanted) const {
    return NotATable(Quoted(Name()) + " is " + std::string(wanted) + ", not " + std::string(JsonKindOf(walker.Peek())));
  }
  std::string_view Name() const { return format->tables[found.member].name; }
  base::Result<void> CheckRow(int64_t index) const;
  std::string Alternatives() const;
  std::unexpected<base::Error> Uneven(const Stream& shorter, const Stream& longer, int64_t rows) const {
    return NotATable(Quoted(Name()) + " has lists of different lengths: " + Quoted(NameOf(shorter)) + " ends after " +
                     std::to_string(rows) + ", " + Quoted(NameOf(longer)) + " goes on; give every row a value");
  }
  const std::string& NameOf(const Stream& stream) const {
    return stream.field < 0 ? stream.name : layout.names()[static_cast<size_t>(stream.field)];
  }

  const Layout& layout;
  JsonRowLimits limits;
  std::vector<int> list_ranks;
  JsonWalker walker;
  int64_t row_limit;
  std::vector<Stream> in_order;  ///< all fields
  // The call at hand.
  const JsonTableFormat* format = nullptr;
  JsonTable found;
  bool has_table = false, has_context = false;
  Place table_place, context_place;
  int64_t context_bytes = 0;
  Decoded context;
  std::vector<Stream> streams;
  std::vector<bool> named;  ///< fields that "columns" has named
};

base::Result<void> JsonTableDecoder::State::CheckRow(int64_t index) const {
  if (index < row_limit && (!has_context || (index + 1) * context_bytes <= limits.table_bytes / kGrowth)) return {};
  return base::Fail(base::Code::kInvalidArgument, "json.limit",
                    Quoted(Name()) + " holds more than " + std::to_string(index) +
                        " rows, which is the limit for rows of this width; send fewer rows at a time");
}

std::string JsonTableDecoder::State::Alternatives() const {
  std::string text;
  for (size_t i = 0; i < format->tables.size(); ++i) {
    text += i == 0 ? "" : i + 1 == format->tables.size() ? " and " : ", ";
    text += Quoted(format->tables[i].name);
  }
  return format->tables.size() == 1 ? "the member " + text : "exactly one of " + text;
}

base::Result<void> JsonTableDecoder::State::Read(std::string_view text, Decoded& out) {
  if (static_cast<int64_t>(text.size()) > limits.bytes) {
    return base::Fail(base::Code::kInvalidArgument, "json.limit",
                      "a JSON document of " + std::to_string(text.size()) + " bytes is above the limit of " +
                          std::to_string(limits.bytes) + "; send fewer rows at a time");
  }
  text = WithoutByteOrderMark(text);
  const std::string_view rest = WithoutLeadingSpace(text);
  if (IsJsonScalar(rest) || rest.starts_with('[')) {
    return NotATable("the body is a JSON object with " + Alternatives() + ", not " + std::string(JsonKindOf(rest[0])));
  }
  if (!walker.Open(text) || (walker.Peek() != '{' && !walker.FailHere("an object is expected"))) return Broken();
  RowBuilder builder(layout, out);
  bool failed = false;
  std::string_view name;
  for (bool more = walker.FirstMember(name, failed); more; more = walker.NextMember(name, failed)) {
    SLIPWAY_TRY(ReadRoot(name, builder));
  }
  if (failed || !walker.Finish()) return Broken();
  if (!has_table) return NotATable("the body has " + Alternatives() + ", and this one has none");
  if (format->context.empty()) return {};
  if (has_context) SLIPWAY_TRY(ReadContext());
  walker.Return(table_place);
  return ReadTable(builder);
}

base::Result<void> JsonTableDecoder::State::ReadRoot(std::string_view name, RowBuilder& builder) {
  const auto table = std::ranges::find(format->tables, name, &JsonTableFormat::Member::name);
  if (table != format->tables.end()) {
    if (has_table) {
      return NotATable("the body has " + Alternatives() + ", and this one has " + Quoted(Name()) + " and " +
                       Quoted(name) + (name == Name() ? " again" : ""));
    }
    has_table = true;
    found.member = static_cast<size_t>(table - format->tables.begin());
    table_place = walker.Here();
    if (format->context.empty()) return ReadTable(builder);
    return walker.Pass() ? base::Result<void>() : Broken();
  }
  if (!format->context.empty() && name == format->context) {
    if (has_context) return NotATable("the body has " + Quoted(name) + " twice");
    has_context = true;
    context_place = walker.Here();
    if (!walker.Pass()) return Broken();
    context_bytes = static_cast<int64_t>(walker.TextSince(context_place).size());
    return {};
  }
  return ReadNote(name);
}

base::Result<void> JsonTableDecoder::State::ReadNote(std::string_view name) {
  const auto note = std::ranges::find(format->notes, name);
  if (note != format->notes.end() && !found.notes[static_cast<size_t>(note - format->notes.begin())].empty()) {
    return NotATable("the body has " + Quoted(name) + " twice");
  }
  const Place begin = walker.Here();
  if (!walker.Skip()) return Broken();
  if (note != format->notes.end()) {
    found.notes[static_cast<size_t>(note - format->notes.begin())] = walker.TextSince(begin);
  }
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadContext() {
  walker.Return(context_place);
  if (walker.Peek() != '{') {
    return NotATable(Quoted(format->context) + " is an object by field name, not " +
                     std::string(JsonKindOf(walker.Peek())));
  }
  context.Clear();
  RowBuilder builder(layout, context);
  builder.BeginRow();
  if (!walker.ReadRecord(builder)) return Broken();
  builder.EndRow();
  if (context.violations.empty()) return {};
  return base::Fail(base::Code::kInvalidArgument, "schema.violation",
                    Quoted(format->context) + ": " + context.violations.front().message);
}

base::Result<void> JsonTableDecoder::State::ReadTable(RowBuilder& builder) {
  switch (format->tables[found.member].form) {
    case JsonTableForm::kRows:
      return ReadRows(builder, false);
    case JsonTableForm::kRecords:
      return ReadRows(builder, true);
    case JsonTableForm::kColumns:
      return ReadColumns(builder);
    case JsonTableForm::kSplit:
      return ReadSplit(builder);
  }
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadRows(RowBuilder& builder, bool records) {
  if (walker.Peek() != '[') return WrongKind("a list of rows");
  bool failed = false;
  int64_t index = 0;
  for (bool more = walker.FirstElement(failed); more; more = walker.NextElement(failed), ++index) {
    SLIPWAY_TRY(CheckRow(index));
    builder.BeginRow();
    SLIPWAY_TRY(ReadRow(builder, records));
    if (has_context) {
      for (int field = 0; field < layout.size(); ++field) {
        if (!builder.Has(field) && !context.IsAbsent(field, 0)) {
          builder.SetFrom(field, context.table.columns[static_cast<size_t>(field)], 0);
        }
      }
    }
    builder.EndRow();
  }
  return failed ? Broken() : base::Result<void>();
}

base::Result<void> JsonTableDecoder::State::ReadRow(RowBuilder& builder, bool records) {
  const char first = walker.Peek();
  const bool only = layout.size() == 1 && !records;
  if (first == '{' && !(only && walker.IsBase64())) {
    return walker.ReadRecord(builder) ? base::Result<void>() : Broken();
  }
  const bool scalar = layout.size() == 1 && layout.fields()[0].type.is_scalar();
  if (only && !(scalar && first == '[')) return walker.ReadValue(0, builder) ? base::Result<void>() : Broken();
  if (!records && first == '[') return ReadInOrder(in_order, builder);
  if (!walker.Skip()) return Broken();
  builder.Malformed(
      (records ? "a record is an object, not " : "a row is an object by field name, or a list of values, not ") +
      std::string(JsonKindOf(first)) + "; send {\"field\": value, …} in this place of the list");
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadInOrder(std::span<const Stream> columns, RowBuilder& builder) {
  bool failed = false;
  size_t count = 0;
  for (bool more = walker.FirstElement(failed); more; more = walker.NextElement(failed), ++count) {
    bool read = false;
    if (count < columns.size() && columns[count].field >= 0) {
      read = walker.ReadValue(columns[count].field, builder);
    } else {
      if (count < columns.size()) builder.Unknown(columns[count].name);
      read = walker.Skip();
    }
    if (!read) return Broken();
  }
  if (failed) return Broken();
  if (count == columns.size()) return {};
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(columns.size(), kNamesShown + 1); ++i) names.push_back(NameOf(columns[i]));
  builder.Malformed("this row has " + std::to_string(count) + " values where there are " +
                    std::to_string(columns.size()) + " columns; give a value or null for each of " + Listed(names));
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadColumns(RowBuilder& builder) {
  if (format->one_row) return ReadOneRow(builder);
  if (walker.Peek() == '[') return ReadRows(builder, false);
  if (walker.Peek() != '{') return WrongKind("a list over the rows, or an object of such lists by field name");
  const Place begin = walker.Here();
  bool lists = false;
  SLIPWAY_TRY(OpenStreams(lists));
  if (lists) return ReadStreams(builder);
  walker.Return(begin);
  return ReadOneRow(builder);
}

base::Result<void> JsonTableDecoder::State::ReadOneRow(RowBuilder& builder) {
  SLIPWAY_TRY(CheckRow(0));
  builder.BeginRow();
  SLIPWAY_TRY(ReadRow(builder, false));
  builder.EndRow();
  return {};
}

// Columns that no field has cost memory before they are refused, hence a bound.
base::Result<void> JsonTableDecoder::State::AddStream(std::string_view name) {
  if (streams.size() >= in_order.size() + kStrangers) {
    return base::Fail(base::Code::kInvalidArgument, "json.limit",
                      Quoted(Name()) + " has more than " + std::to_string(streams.size()) +
                          " columns, and the model only " + std::to_string(layout.size()));
  }
  Stream& stream = streams.emplace_back();
  stream.field = layout.Find(name);
  if (stream.field < 0) stream.name = name;
  return {};
}

// Finds where each list begins and goes to the end of the object. `lists`: false when no member holds one.
base::Result<void> JsonTableDecoder::State::OpenStreams(bool& lists) {
  streams.clear();
  bool failed = false, others = false;
  std::string_view name;
  for (bool more = walker.FirstMember(name, failed); more; more = walker.NextMember(name, failed)) {
    (walker.Peek() == '[' ? lists : others) = true;
    if (lists && others) {
      return NotATable(Quoted(Name()) + " mixes lists and single values at " + Quoted(name) +
                       "; give a list over the rows for every field, or single values for one row");
    }
    SLIPWAY_TRY(AddStream(name));
    streams.back().place = walker.Here();
    if (!walker.Pass()) return Broken();
  }
  return failed ? Broken() : base::Result<void>();
}

// Reads all lists at once, a row at a time.
base::Result<void> JsonTableDecoder::State::ReadStreams(RowBuilder& builder) {
  const Place end = walker.Here();
  bool failed = false;
  for (Stream& stream : streams) {
    walker.Return(stream.place);
    stream.more = walker.FirstElement(failed);
    stream.place = walker.Here();
    if (failed) return Broken();
  }
  int64_t row = 0;
  for (; streams.front().more; ++row) {
    SLIPWAY_TRY(CheckRow(row));
    builder.BeginRow();
    for (Stream& stream : streams) {
      if (!stream.more) return Uneven(stream, streams.front(), row);
      walker.Return(stream.place);
      if (stream.field < 0) builder.Unknown(stream.name);
      if (!(stream.field < 0 ? walker.Skip() : walker.ReadValue(stream.field, builder))) return Broken();
      stream.more = walker.NextElement(failed);
      stream.place = walker.Here();
      if (failed) return Broken();
    }
    builder.EndRow();
  }
  for (const Stream& stream : streams) {
    if (stream.more) return Uneven(streams.front(), stream, row);
  }
  walker.Return(end);
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadSplit(RowBuilder& builder) {
  if (walker.Peek() != '{') return WrongKind("an object with \"columns\" and \"data\"");
  bool failed = false, has_names = false, has_data = false, has_index = false, waits = false;
  Place data_place;
  std::string_view name;
  for (bool more = walker.FirstMember(name, failed); more; more = walker.NextMember(name, failed)) {
    bool* seen = name == "columns" ? &has_names : name == "data" ? &has_data : name == "index" ? &has_index : nullptr;
    if (seen == nullptr || *seen) {
      return NotATable(Quoted(this->Name()) + " has \"columns\", \"data\" and, if you like, \"index\", not " +
                       Quoted(name) + (seen == nullptr ? "" : " twice"));
    }
    *seen = true;
    if (seen == &has_names) {
      SLIPWAY_TRY(ReadNames());
    } else if (seen == &has_data && has_names) {
      SLIPWAY_TRY(ReadData(streams, builder));
    } else {
      waits |= seen == &has_data;
      if (seen == &has_data) data_place = walker.Here();
      if (!(seen == &has_data ? walker.Pass() : walker.Skip())) return Broken();
    }
  }
  if (failed) return Broken();
  if (!has_data) return NotATable(Quoted(this->Name()) + " has no \"data\": the list of its rows");
  if (!waits) return {};
  const Place end = walker.Here();
  walker.Return(data_place);
  SLIPWAY_TRY(ReadData(has_names ? streams : in_order, builder));
  walker.Return(end);
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadNames() {
  if (walker.Peek() != '[') return NotATable(Quoted(Name()) + ": \"columns\" is a list of names");
  streams.clear();
  named.assign(in_order.size(), false);
  bool failed = false;
  int64_t numbers = 0;
  for (bool more = walker.FirstElement(failed); more; more = walker.NextElement(failed)) {
    std::string_view name;
    if (walker.Peek() == '"' && numbers == 0) {
      if (!walker.ReadString(name)) return Broken();
      SLIPWAY_TRY(AddStream(name));
      const Stream& added = streams.back();
      if (added.field < 0) continue;
      if (named[static_cast<size_t>(added.field)]) {
        return NotATable(Quoted(Name()) + ": \"columns\" names " + Quoted(NameOf(added)) + " twice");
      }
      named[static_cast<size_t>(added.field)] = true;
      continue;
    }
    const Place begin = walker.Here();
    if (!walker.Skip()) return Broken();
    if (!streams.empty() || walker.TextSince(begin) != std::to_string(numbers++)) {
      return NotATable(Quoted(Name()) +
                       ": \"columns\" holds names in double quotes, or the numbers 0, 1, … of columns without names");
    }
  }
  if (failed) return Broken();
  if (numbers > 0) streams = in_order;
  return {};
}

base::Result<void> JsonTableDecoder::State::ReadData(std::span<const Stream> columns, RowBuilder& builder) {
  if (walker.Peek() != '[') return NotATable(Quoted(Name()) + ": \"data\" is a list of rows");
  bool failed = false;
  int64_t index = 0;
  for (bool more = walker.FirstElement(failed); more; more = walker.NextElement(failed), ++index) {
    SLIPWAY_TRY(CheckRow(index));
    builder.BeginRow();
    const char first = walker.Peek();
    if (first == '[') {
      SLIPWAY_TRY(ReadInOrder(columns, builder));
    } else {
      if (!walker.Skip()) return Broken();
      builder.Malformed("a row is a list with a value for each column, not " + std::string(JsonKindOf(first)));
    }
    builder.EndRow();
  }
  return failed ? Broken() : base::Result<void>();
}

JsonTableDecoder::JsonTableDecoder(const Layout& layout, JsonRowLimits limits, std::vector<int> list_ranks)
    : state_(std::make_unique<State>(layout, limits, std::move(list_ranks))) {}
JsonTableDecoder::~JsonTableDecoder() = default;

base::Result<JsonTable> JsonTableDecoder::Decode(std::string_view text, const JsonTableFormat& format, Decoded& out) {
  State& state = *state_;
  state.format = &format;
  state.found = {};
  state.has_table = state.has_context = false;
  state.walker.Speak(format.dialect);
  state.walker.TakeUnitLists(state.list_ranks, format.any_list);
  const int64_t rows = out.table.rows;
  auto read = state.Read(text, out);
  state.walker.Trim();
  if (!read) {
    out.Truncate(rows);
    return std::unexpected(std::move(read).error());
  }
  return state.found;
}

}  // namespace slipway::data

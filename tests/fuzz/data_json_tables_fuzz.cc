// Any bytes as a table inside a JSON envelope: the table stays even, what is accepted is JSON, and every form that
// holds the same rows gives the same cells.

#include <cstdint>
#include <string>
#include <string_view>

#include "data/json_tables.h"
#include "decoded_invariants.h"

using slipway::data::Decoded;
using slipway::data::JsonDialect;
using slipway::data::JsonTableDecoder;
using slipway::data::JsonTableForm;
using slipway::data::JsonTableFormat;

namespace {

constexpr JsonTableFormat::Member kTables[] = {{"rows", JsonTableForm::kRows},
                                               {"records", JsonTableForm::kRecords},
                                               {"columns", JsonTableForm::kColumns},
                                               {"split", JsonTableForm::kSplit}};
constexpr std::string_view kNotes[] = {"note"};

JsonTableFormat FormatOf(uint8_t choice) {
  JsonTableFormat format = {.tables = kTables, .notes = kNotes};
  if (choice & 1) format.context = "context";
  format.dialect.non_finite = static_cast<JsonDialect::NonFinite>((choice >> 1) % 3);
  format.dialect.base64 = choice & 8;
  format.any_list = choice & 16;
  format.one_row = choice & 32;
  return format;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using slipway::data::Require;
  if (size == 0) return 0;
  static const slipway::data::Layout layout = slipway::data::FuzzLayout();
  static JsonTableDecoder decoder(layout, {.bytes = 1 << 20, .rows = 100, .nested = {.depth = 32}},
                                  {0, 1, 2, 0, 0, 0, 0});
  static Decoded out(layout);
  const uint8_t choice = bytes[0];
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const JsonTableFormat format = FormatOf(choice);

  out.Clear();
  const auto table = decoder.Decode(text, format, out);
  slipway::data::RequireEven(out);
  Require(table.has_value() || out.table.rows == 0);
  const std::string first = slipway::data::Print(out, layout);
  if (!table) return 0;

  // Decoding has no memory of the text before it.
  out.Clear();
  Require(decoder.Decode(text, format, out).has_value());
  Require(slipway::data::Print(out, layout) == first);

  // Without the dialect's additions, what is accepted is JSON. The strict reader also refuses repeated keys, numbers
  // past the range of double, and texts that we and it read differently.
  if (format.dialect.non_finite != JsonDialect::NonFinite::kRefuse || text.starts_with("\xEF\xBB\xBF")) return 0;
  const auto judged = slipway::base::ParseJson(text);
  if (judged) return 0;
  const std::string& message = judged.error().message;
  Require(message.find("duplicate key") != std::string::npos || message.find("overflow") != std::string::npos ||
          judged.error().reason == "json.limit");
  return 0;
}

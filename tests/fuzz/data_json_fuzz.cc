// Any bytes as a JSON document and as a JSON line: the table stays even, and what one door refuses the other does too.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/value.h"
#include "data/json_rows.h"
#include "decoded_invariants.h"

using slipway::data::Decoded;
using slipway::data::JsonRowDecoder;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const slipway::data::Layout layout = slipway::data::FuzzLayout();
  static JsonRowDecoder decoder(layout, {.bytes = 1 << 20, .rows = 1000, .nested = {.depth = 32}});
  static Decoded out(layout);
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);

  out.Clear();
  decoder.DecodeLine(text, out);
  slipway::data::Require(out.table.rows == 1);
  slipway::data::RequireEven(out);

  const auto form = decoder.DecodeDocument(text, out);
  slipway::data::Require(form.has_value() || out.table.rows == 1);
  slipway::data::RequireEven(out);

  // The strict reader of manifests is the judge of what is well-formed. It also refuses repeated keys, and is asked
  // only about texts that it and we read alike.
  slipway::base::JsonLimits limits;
  limits.depth = 32;
  const auto judged = slipway::base::ParseJson(text, limits);
  if (judged && (judged->is_map() || judged->is_list()) && !form) {
    const auto& reason = form.error().reason;
    slipway::data::Require(reason == "json.limit" || reason == "json.not_a_record");
  }
  if (form && !judged) {
    const std::string& message = judged.error().message;
    const bool known = message.find("duplicate key") != std::string::npos ||
                       message.find("overflow") != std::string::npos || judged.error().reason == "json.limit";
    if (!known) fprintf(stderr, "accepted, but: %s\n", judged.error().Text().c_str());
    slipway::data::Require(known);
  }

  if (form) {  // it was the whole text
    using namespace std::string_view_literals;
    for (const std::string_view more : {"\0"sv, " \0 {}"sv, " 0"sv, "]"sv, "}"sv, "{}"sv, "\xEF\xBB\xBF"sv}) {
      Decoded none(layout);
      slipway::data::Require(!decoder.DecodeDocument(std::string(text).append(more), none));
    }
  }

  // What was read is written as JSON that reads back the same.
  const slipway::data::JsonRowEncoder encoder(layout.fields());
  for (int64_t row = 0; row < out.table.rows; ++row) {
    std::string first;
    encoder.AppendRow(out.table, row, first);
    Decoded again(layout);
    slipway::data::Require(decoder.DecodeDocument(first, again).has_value());
    std::string second;
    encoder.AppendRow(again.table, 0, second);
    slipway::data::Require(first == second);
  }
  return 0;
}

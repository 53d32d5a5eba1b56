// Any bytes as CSV, in one block and cut at places that the input chooses: the table stays even, and the cuts do not
// show.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "data/csv_rows.h"
#include "decoded_invariants.h"

namespace {

using slipway::data::CsvRowDecoder;
using slipway::data::Decoded;

// Every cell, violation and error of a text fed in blocks of 1 to `block` bytes.
std::string Outcome(const slipway::data::Layout& layout, std::string_view text, size_t block) {
  Decoded out(layout);
  CsvRowDecoder decoder(layout, ',', {.cell_bytes = 4096, .record_bytes = 16384, .columns = 64});
  slipway::base::Result<void> result;
  size_t step = 1;
  for (size_t at = 0; at < text.size() && result; at += step) {
    step = block >= text.size() ? text.size() : 1 + (at * 31 + block) % block;
    result = decoder.Feed(text.substr(at, step), out);
    slipway::data::RequireEven(out);
  }
  if (result) result = decoder.Finish(out);
  slipway::data::RequireEven(out);
  std::string outcome = slipway::data::Print(out, layout);
  if (!result) outcome += result.error().Text();
  return outcome;
}

// What is written of a table is read back the same; tables of one column are those where a null could get lost.
void RequireRoundTrip(const slipway::data::Layout& layout, std::string_view text) {
  const auto read = [&](std::string_view csv, Decoded& out) {
    CsvRowDecoder decoder(layout, ',', {.cell_bytes = 1 << 20, .columns = 64});
    return decoder.Feed(csv, out) && decoder.Finish(out);
  };
  Decoded first(layout);
  if (!read(text, first)) return;
  const slipway::data::CsvRowEncoder encoder(layout.fields());
  const auto written = [&](const Decoded& rows) {
    std::string csv;
    encoder.AppendHeader(csv);
    for (int64_t row = 0; row < rows.table.rows; ++row) encoder.AppendLine(rows.table, row, csv);
    return csv;
  };
  const std::string csv = written(first);
  Decoded second(layout);
  slipway::data::Require(read(csv, second) && second.violations.empty() && second.table.rows == first.table.rows);
  slipway::data::Require(written(second) == csv);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const slipway::data::Layout layout = slipway::data::FuzzLayout();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string whole = Outcome(layout, text, size + 1);
  slipway::data::Require(Outcome(layout, text, 1) == whole);
  slipway::data::Require(Outcome(layout, text, 7) == whole);
  for (const auto& field : layout.fields()) {
    RequireRoundTrip(slipway::data::Layout({field}, slipway::data::UnknownFields::kIgnore), text);
  }
  RequireRoundTrip(layout, text);
  return 0;
}

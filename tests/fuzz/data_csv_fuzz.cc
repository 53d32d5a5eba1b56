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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const slipway::data::Layout layout = slipway::data::FuzzLayout();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string whole = Outcome(layout, text, size + 1);
  slipway::data::Require(Outcome(layout, text, 1) == whole);
  slipway::data::Require(Outcome(layout, text, 7) == whole);
  return 0;
}

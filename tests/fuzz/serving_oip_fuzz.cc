// Any bytes as the body of an Open Inference Protocol request: JSON, up to the first NUL; what follows it is binary
// data. A body that begins with NUL is raw data without JSON. Rows stay even, and what was read is written as tensors
// that read back the same.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "decoded_invariants.h"
#include "serving/oip/infer_request.h"
#include "serving/tensors/contract_fixture.h"

using namespace slipway;
using namespace slipway::serving;

namespace {

bool HasNulls(const data::ColumnView& view) {
  for (int64_t row = 0; row < view.rows; ++row) {
    if (!view.IsValid(row)) return true;
  }
  return false;
}

void RequireRoundTrip(const tensors::Contract& contract, const data::Layout& layout, const data::Decoded& rows) {
  tensors::TensorDecoder decoder(contract, layout);
  data::Decoded again(layout);
  decoder.Begin(again);
  std::string raw[8];
  for (size_t i = 0; i < contract.outputs.size(); ++i) {
    const tensors::Port& port = contract.outputs[i];
    const data::Column& column = rows.table.columns[i];
    std::string json;
    AppendJson(port.datatype, column, tensors::NonFinite::kToken, json);
    data::Require(json.front() == '[' && json.back() == ']');
    data::Column classes;
    (void)Classify(port, column, 3, classes);
    const auto shape = ShapeOf(port, column);
    if (!shape || HasNulls(column.view())) continue;
    AppendRaw(port.datatype, column, raw[i]);
    const auto slot = decoder.Admit({port.name, port.datatype, *shape});
    data::Require(slot.has_value() && decoder.AddRaw(*slot, raw[i]).has_value());
  }
  if (!decoder.End()) return;
  data::Require(again.violations.empty());
  for (size_t i = 0; i < contract.outputs.size(); ++i) {
    if (raw[i].empty()) continue;
    std::string second;
    AppendRaw(contract.outputs[i].datatype, again.table.columns[i], second);
    data::Require(second == raw[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const data::Layout layout = tensors::EveryKind();
  static const tensors::Contract contract = tensors::ContractOf(layout, 64);
  static tensors::TensorDecoder decoder(contract, layout);
  static const data::Layout single({layout.fields()[6]});
  static const tensors::Contract single_contract = tensors::ContractOf(single, 64);
  static tensors::TensorDecoder single_decoder(single_contract, single);
  static oip::InferRequestReader reader(data::JsonBounds{});
  static oip::InferRequest request;

  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const size_t nul = text.find('\0');
  if (nul == 0) {
    data::Decoded rows(single);
    single_decoder.Begin(rows);
    if (reader.Read(text.substr(1), 0, single_contract, single_decoder, request)) data::RequireEven(rows);
    return 0;
  }
  std::string body(text);
  std::optional<int64_t> length;
  if (nul != std::string::npos) {
    body.erase(nul, 1);
    length = static_cast<int64_t>(nul);
  }
  data::Decoded rows(layout);
  decoder.Begin(rows);
  const auto read = reader.Read(body, length, contract, decoder, request);
  if (!read) {
    data::Require(!read.error().message.empty() && !read.error().reason.empty());
    return 0;
  }
  data::RequireEven(rows);
  RequireRoundTrip(contract, layout, rows);
  return 0;
}

#pragma once
// A layout with a column of each kind, and its contract, for tests of whatever speaks tensors.

#include <vector>

#include "data/layout.h"
#include "serving/tensors/contract.h"

namespace slipway::serving::tensors {

/// b boolean, i integer, n number, m number that takes missing values, s string ("NA" is null), t timestamp,
/// g number[2,2], v string[?].
inline data::Layout EveryKind(data::UnknownFields unknown = data::UnknownFields::kReject) {
  using data::ScalarType;
  struct Column {
    const char* name;
    ScalarType type;
    std::vector<int64_t> shape;
  };
  std::vector<data::Field> fields;
  for (const Column& column : {Column{"b", ScalarType::kBoolean, {}}, Column{"i", ScalarType::kInteger, {}},
                               Column{"n", ScalarType::kNumber, {}}, Column{"m", ScalarType::kNumber, {}},
                               Column{"s", ScalarType::kString, {}}, Column{"t", ScalarType::kTimestamp, {}},
                               Column{"g", ScalarType::kNumber, {2, 2}}, Column{"v", ScalarType::kString, {-1}}}) {
    data::Field& field = fields.emplace_back();
    field.name = column.name;
    field.type = {.scalar = column.type, .shape = column.shape};
  }
  fields[4].null_texts = {"NA"};
  return data::Layout(fields, unknown);
}

/// Every column as an input and as an output.
inline Contract ContractOf(const data::Layout& layout, int64_t max_rows = 1000) {
  Contract contract;
  contract.max_rows = max_rows;
  for (int i = 0; i < layout.size(); ++i) {
    const data::Field& field = layout.fields()[static_cast<size_t>(i)];
    Port port;
    port.name = field.name;
    port.datatype = DatatypeOf(field);
    port.field = i;
    port.nan_is_missing = field.name == "m";
    port.shape = {-1};
    port.shape.insert(port.shape.end(), field.type.shape.begin(), field.type.shape.end());
    if (field.type.is_scalar()) port.shape.push_back(1);
    contract.inputs.push_back(port);
    contract.outputs.push_back(port);
  }
  return contract;
}

}  // namespace slipway::serving::tensors

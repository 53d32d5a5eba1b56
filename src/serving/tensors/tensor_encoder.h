#pragma once
// Prediction columns as tensors: bytes for REST's binary data and gRPC's raw contents, or the elements of a JSON list.

#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/column.h"
#include "serving/tensors/contract.h"

namespace slipway::serving::tensors {

/// What JSON, which has no NaN and no infinities, says in their place.
enum class NonFinite : uint8_t {
  kNull,    ///< null
  kString,  ///< "NaN", "Infinity", "-Infinity"
  kToken,   ///< the same without quotes, which strict parsers refuse
};

/// Shape of a column's tensor. Errors: "tensor.ragged", rows of different shapes.
base::Result<Shape> ShapeOf(const Port& port, const data::Column& column);

/// Appends all elements, little-endian and row-major; BYTES with their lengths. A null is NaN, 0, false or empty.
void AppendRaw(Datatype datatype, const data::Column& column, std::string& out);

/// Appends all elements as a flat list, the shortest text of each number. A null is null.
void AppendJson(Datatype datatype, const data::Column& column, NonFinite non_finite, std::string& out);

/// The `k` largest elements of each row, largest first (the lower index among equals, NaN last), as texts
/// "<value>:<index>" or "<value>:<index>:<label>": the classification extension. `classes` becomes a column of vectors
/// of texts, of min(k, width) each. Errors: "tensor.classification", no numbers, or rows of different shapes.
base::Result<void> Classify(const Port& port, const data::Column& column, int64_t k, data::Column& classes);

}  // namespace slipway::serving::tensors

#pragma once
// Value-level work of PredictionDecoder: tensors to columns, rounding, clamping, class names, the top k.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "engine/tensor.h"

namespace slipway::scoring {

/// Appends the first `rows` rows of a model's output. Error "engine.output": the tensor holds another number of rows or
/// another row shape than the column.
base::Result<void> AppendTensor(const engine::Tensor& tensor, std::string_view name, int64_t rows, bool batched,
                                data::Column& column);

/// Appends all rows of `view`, which shows `from` (consulted for the shape of variable rows), to a column of its type.
void AppendView(const data::ColumnView& view, const data::Column& from, data::Column& to);

struct Adjustment {
  std::optional<double> min, max;  ///< the value is clamped into it; NaN stays
  std::optional<int64_t> round;    ///< decimal digits, half to even; applied before clamping
};

/// Appends `rows` rows, adjusted and promoted to the column's type. `whole`: the column behind `source` if there is
/// one.
void AppendConverted(const data::ColumnView& source, const data::Column* whole, const Adjustment& adjustment,
                     int64_t rows, data::Column& to);

/// Class index -> its name; null where the index has none.
void AppendClassNames(const data::ColumnView& source, std::span<const std::string> names, int64_t rows,
                      data::Column& to);

/// The k largest elements of each row, largest first, the lower index first among equals, NaN last: their labels (or
/// indices) to `to`, a vector of k, their values to `scores` when given.
void AppendTop(const data::ColumnView& source, std::span<const std::string> labels, int64_t rows, data::Column& to,
               data::Column* scores);

}  // namespace slipway::scoring

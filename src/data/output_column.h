#pragma once
// OutputColumn: how fields become the columns of a stored table, the same for every format that has one value a cell.

#include <cstdint>
#include <string>
#include <vector>

#include "data/type.h"

namespace slipway::data {

/// A column of the stored table: a field, or one label of a labelled vector.
struct OutputColumn {
  std::string name;
  size_t field = 0;
  int64_t label = -1;  ///< element of the vector; -1: the whole field
  DataType type;
  bool single_precision = false;
};

/// Columns in order; `name.label` for each label of a labelled vector.
std::vector<OutputColumn> OutputColumnsOf(const std::vector<Field>& fields);

}  // namespace slipway::data

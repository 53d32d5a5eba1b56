#pragma once
// Columns of the input that are carried along to the answers.

#include <string>
#include <vector>

#include "base/error.h"
#include "data/layout.h"
#include "scoring/scorer.h"
#include "tables/table_files.h"

namespace slipway::batch {

/// Where they stand in the layout that is read: the schema's own fields, then the carried ones. Immutable.
struct CarriedColumns {
  data::Layout layout;
  std::vector<int> columns;
  std::vector<data::Field> fields;
};

/// `stored`: what a typed format says about its columns; a column of it stays what it is, any other is carried as text.
/// `also`: columns that are read beside them, but not carried.
CarriedColumns Carry(const scoring::Scorer& scorer, const std::vector<std::string>& names, bool ignore_unknown,
                     const std::vector<tables::StoredColumn>& stored, const std::vector<std::string>& also = {});

}  // namespace slipway::batch

#include "data/output_column.h"

namespace slipway::data {

std::vector<OutputColumn> OutputColumnsOf(const std::vector<Field>& fields) {
  std::vector<OutputColumn> columns;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto& field = fields[i];
    if (field.labels.empty()) {
      columns.push_back({field.name, i, -1, field.type, field.single_precision});
      continue;
    }
    for (size_t label = 0; label < field.labels.size(); ++label) {
      columns.push_back({field.name + "." + field.labels[label],
                         i,
                         static_cast<int64_t>(label),
                         {field.type.scalar, {}},
                         field.single_precision});
    }
  }
  return columns;
}

}  // namespace slipway::data

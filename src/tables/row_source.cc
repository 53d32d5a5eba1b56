#include "tables/row_source.h"

namespace slipway::tables {

int64_t TextBytes(const data::Table& table) {
  int64_t bytes = 0;
  for (const auto& column : table.columns) {
    if (column.type().scalar != data::ScalarType::kString) continue;
    const auto view = column.view();
    bytes += view.offsets[view.row_offsets ? view.row_offsets[view.rows] : view.rows * view.width];
  }
  return bytes;
}

}  // namespace slipway::tables

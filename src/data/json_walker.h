#pragma once
// JsonWalker: reads JSON records into a RowBuilder, the values of unknown fields being checked too.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/decoded.h"
#include "data/json_cursor.h"

namespace slipway::data {

/// Lifecycle and thread-safety: as its JsonCursor.
class JsonWalker : public JsonCursor {
 public:
  JsonWalker(const Layout& layout, const JsonBounds& bounds);

  /// Counts for what is read from now on. `list_ranks`, by field, or empty: a scalar field also takes its value inside
  /// so many lists of one element; every scalar field inside one list when `any_list`.
  void TakeUnitLists(std::span<const int> list_ranks, bool any_list) {
    list_ranks_ = list_ranks;
    any_list_ = any_list;
  }

  /// Reads the object at hand as the fields of the row that `builder` has begun.
  bool ReadRecord(RowBuilder& builder);
  /// Reads the value at hand, of any kind, as field `field` of the row.
  bool ReadValue(int field, RowBuilder& builder);
  /// Reads the list at hand into tensor field `field`. `whole`: nothing may follow it. On a fault the tensor is left
  /// open: abandon it or the row.
  bool ReadTensor(int field, RowBuilder& builder, bool whole = false);
  /// Position of the member `name` that holds a list, looked for in the object at hand up to the first field of the
  /// layout; -1 when there is none. Moves nothing.
  int64_t PositionOfList(std::string_view name);

 private:
  static constexpr size_t kRankLimit = 32;
  struct Shape {
    std::array<int64_t, kRankLimit> dimensions;  ///< -1 where no list has ended yet
    size_t rank = 0;                             ///< of the elements; 0 until the first one
    size_t depth = 0;                            ///< of the lists seen
    bool ragged = false;
  };

  int FindField(std::string_view raw, bool plain, size_t position);
  bool ReadUnitList(int field, RowBuilder& builder, bool& found);
  bool ReadElements(RowBuilder& builder, Shape& shape, size_t level);
  bool ReadElement(RowBuilder& builder);

  const Layout& layout_;
  std::span<const int> list_ranks_;
  bool any_list_ = false;
  std::vector<int> order_;  ///< field found at each position of the last record; -1 unknown or spelled with escapes
};

}  // namespace slipway::data

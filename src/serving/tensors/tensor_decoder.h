#pragma once
// TensorDecoder: named tensors into rows, from bytes (REST's binary data, gRPC's raw contents) or from JSON.
//
//   decoder.Begin(served.rows());
//   SLIPWAY_ASSIGN(const auto slot, decoder.Admit({"x", Datatype::kFp32, shape}));   // per input
//   SLIPWAY_TRY(decoder.AddRaw(slot, bytes));                                        // or AddJson
//   SLIPWAY_TRY(decoder.End());

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "data/json_cursor.h"
#include "serving/tensors/contract.h"

namespace slipway::serving::tensors {

/// What a tensor says of itself before its data.
struct TensorHead {
  std::string_view name;
  Datatype datatype = Datatype::kFp64;
  Shape shape;
};

/// Elements become cells as every other door's do (data::RowBuilder): what does not convert exactly is a violation of
/// its row. Errors concern the request as a whole; reasons "tensor.…". A NaN in a column that takes missing values is a
/// missing value, elsewhere the number that the validator judges.
///
/// In steady state a good request allocates nothing. Thread-safety: one thread.
class TensorDecoder {
 public:
  /// Both outlive it.
  TensorDecoder(const Contract& contract, const data::Layout& layout);

  /// Where a tensor's data goes; `input` is -1 for one that the model does not know and its schema says to ignore.
  struct Slot {
    int input = -1;
    bool scalar = true;  ///< a row is one element
    Datatype datatype = Datatype::kFp64;
    int64_t elements = 0, width = 1;  ///< in total and of a row
    Shape shape, row_shape;
  };

  /// Starts a request; `out` is empty and outlives it.
  void Begin(data::Decoded& out);
  /// Errors: unknown or repeated name, a shape that does not fit, another number of rows than the inputs before, more
  /// rows than the model takes ("tensor.limit").
  base::Result<Slot> Admit(const TensorHead& head);
  /// Little-endian, row-major; BOOL a byte; BYTES a 32-bit length and so many bytes. Errors: another number of bytes
  /// than the shape asks for.
  base::Result<void> AddRaw(const Slot& slot, std::string_view bytes);
  /// The list at hand, flat or nested as the shape. JSON numbers are rounded to the datatype. Errors: another number of
  /// elements, an element that the datatype cannot hold. `broken`: the text is not JSON, the cursor knows why.
  base::Result<void> AddJson(const Slot& slot, data::JsonCursor& cursor, bool& broken);
  /// Inputs that did not come are absent. Errors: there were none at all.
  base::Result<void> End();

  int64_t rows() const { return rows_; }

 private:
  const Port& port(const Slot& slot) const { return contract_.inputs[static_cast<size_t>(slot.input)]; }
  base::Result<void> FitShape(const TensorHead& head, const Port& port, Slot& slot);
  base::Result<void> FitRows(const TensorHead& head, int64_t rows);
  template <typename T>
  bool FillColumn(const Slot& slot, const char* bytes);
  template <typename T>
  void FillCells(const Slot& slot, const char* bytes);
  base::Result<void> AddTexts(const Slot& slot, std::string_view bytes);
  base::Result<void> ReadList(const Slot& slot, data::JsonCursor& cursor, size_t level, bool& broken);
  base::Result<void> ReadElement(const Slot& slot, data::JsonCursor& cursor, bool& broken);
  base::Result<void> AddNumber(const Slot& slot, data::NumberText number);
  void StartElements();
  void AddEmptyRows(const Slot& slot);
  void BeginElement(const Slot& slot);
  void EndElement(const Slot& slot);

  const Contract& contract_;
  const data::Layout& layout_;
  data::Decoded* out_ = nullptr;
  std::optional<data::RowBuilder> builder_;
  std::vector<uint8_t> seen_;                   ///< per input
  int64_t rows_ = -1;                           ///< -1: no input yet
  int64_t element_ = 0, row_ = 0, in_row_ = 0;  ///< read of the tensor at hand, its row, and of that row
};

}  // namespace slipway::serving::tensors

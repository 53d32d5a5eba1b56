#pragma once
// How many rows may share a run so that every row gets the bits it would get alone. Why and what it costs:
// docs/design/same-bits.md.

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "engine/onnx/loaded_model.h"
#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

/// What the operators in a file promise by themselves.
struct OperatorPromise {
  bool row_by_row =
      false;              ///< every operator computes a row from that row alone, with the same steps wherever it stands
  int64_t padding = 1;    ///< … provided runs hold a multiple of so many rows
  std::string why;        ///< the operator that decides, for people
  bool doubtful = false;  ///< an operator keeps the promise for some shapes only: made-up rows must confirm it
};
OperatorPromise JudgeOperators(const ModelFile& file);

/// Runs made-up rows alone and in batches, compares by bits, and sets padding, info.exact_rows, info.exactness;
/// corrects info.batched and the outputs' shapes where the file tells none or a wrong one. A model that cannot be tried
/// gets exact_rows 1; what went wrong is told in info.exactness. Error: resource_exhausted "engine.memory" when a run
/// found too little memory.
base::Result<void> FindExactRows(const ModelFile& file, bool exact, const std::shared_ptr<LoadedModel>& model);

}  // namespace slipway::engine::onnx

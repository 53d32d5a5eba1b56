#pragma once
// PredictionDecoder turns the model's tensors into the fields of a prediction, as the manifest's `outputs` say: taken
// from the model, thresholded, computed, clamped, rounded, named by labels, or the top k of a vector.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "bundle/manifest.h"
#include "data/column.h"
#include "engine/engine.h"
#include "expr/program.h"
#include "schema/schema.h"

namespace slipway::scoring {

/// Immutable; one Buffers per thread.
class PredictionDecoder {
 public:
  struct Buffers {
    std::vector<data::Column> model;     ///< the model's outputs as columns, rows of the current block
    std::vector<data::Column> computed;  ///< one per declared output
    std::vector<expr::Workspace> expressions;
    std::vector<data::ColumnView> symbols;
  };

  /// `model`: with the labels of every map output filled in. Errors point at the line of the output.
  static base::Result<PredictionDecoder> Create(const bundle::Manifest& manifest, const schema::Schema& schema,
                                                const engine::ModelInfo& model);

  /// Fields of a prediction, in the manifest's order (hidden ones left out).
  const std::vector<data::Field>& fields() const { return fields_; }

  Buffers NewBuffers() const;

  /// Starts a block.
  void Begin(Buffers& buffers) const;
  /// Takes the first `rows` rows of one run's outputs. Errors: "engine.output", an output with another number of rows
  /// or another shape than declared.
  base::Result<void> Take(std::span<const engine::Tensor> outputs, int64_t rows, Buffers& buffers) const;
  /// Computes the fields of the block's rows and appends them to `predictions`. `columns`: the block's input columns.
  void Finish(std::span<const data::ColumnView> columns, int64_t rows, Buffers& buffers,
              data::Table& predictions) const;

 private:
  /// Where a symbol of an expression comes from.
  struct Slot {
    enum class Kind : uint8_t { kModel, kComputed, kColumn } kind;
    int index;
  };
  struct Output {
    bundle::OutputSpec spec;
    int model = -1;  ///< a model output taken as a whole
    std::unique_ptr<const expr::Program> program;
    std::vector<Slot> slots;  ///< of the program's symbols
    data::Field field;
    data::Field scores;  ///< of `top`: the elements' values
    data::ScalarType source = data::ScalarType::kNumber;
    std::vector<std::string> labels;
  };

  base::Result<Output> Compile(const bundle::OutputSpec& spec, std::span<const Output> earlier,
                               const schema::Schema& schema) const;
  base::Result<void> CompileProgram(Output& output, std::span<const Output> earlier,
                                    const schema::Schema& schema) const;
  base::Result<void> Shape(Output& output) const;

  std::vector<engine::TensorSpec> model_;
  std::vector<data::Field> model_fields_;
  bool batched_ = true;
  std::vector<Output> outputs_;  ///< empty: the model's outputs as they are
  std::vector<data::Field> fields_;
};

}  // namespace slipway::scoring

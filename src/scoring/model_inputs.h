#pragma once
// ModelInputs: which columns and features fill which tensor of the model, and the filling itself.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bundle/manifest.h"
#include "data/violation.h"
#include "engine/engine.h"
#include "scoring/preprocessor.h"

namespace slipway::scoring {

/// The schema of a bundle without `inputs:`: one column per input tensor of the model, named and shaped like a row of
/// it; a row of one element is a scalar. Integer tensors bound their column to the range of their type.
/// `missing_is_nan`: of tensors of floats, elements may be null or NaN, and both are NaN.
base::Result<schema::Schema> SchemaOfModel(const engine::ModelInfo& model, bool missing_is_nan = false);

/// Immutable; Fill() and View() with one Buffers per thread.
class ModelInputs {
 public:
  /// A row that cannot be given to the model although the schema took it: a null, or an integer out of the tensor's
  /// range, where the tensor has no form for it.
  struct Misfit {
    int64_t row;  ///< within the block
    data::Violation violation;
  };

  struct Buffers {
    struct Input {
      std::vector<std::byte> bytes;
      std::vector<std::string_view> strings;
      std::vector<int64_t> row_begin;  ///< variable rows: first element of each, and the end
      const int64_t* row_shapes = nullptr;
      std::vector<int64_t> full_shape;
    };
    std::vector<Input> inputs;
    std::vector<Misfit> misfits;
    std::vector<const data::ColumnView*> sources;  ///< of the input at hand
    std::vector<data::ColumnView> results;         ///< those that are features
  };

  /// Errors point at the line of `model.input` that does not fit: unknown feature, wrong width, text for numbers.
  static base::Result<ModelInputs> Create(const bundle::Manifest& manifest, const schema::Schema& schema,
                                          const Preprocessor& preprocessor, const engine::ModelInfo& model);

  /// True when rows have shapes of their own and must run one by one.
  bool variable() const { return variable_; }

  /// Converts a block (workspace.columns and the features just computed) into tensors.
  void Fill(const Preprocessor& preprocessor, const Preprocessor::Workspace& workspace, int64_t rows,
            Buffers& buffers) const;

  /// Fills one row of zeros and empty texts, for warming up; dimensions that vary are 1.
  void FillBlank(Buffers& buffers) const;

  /// Points `views` at rows [first, first + rows) of the filled block. `padded_rows` >= rows: what the model is told;
  /// the buffers hold zeros past the block.
  void View(int64_t first, int64_t rows, int64_t padded_rows, Buffers& buffers,
            std::vector<engine::TensorView>& views) const;

 private:
  struct Source {
    bool feature;  ///< of the pipeline; else a column of the schema
    int index;
    int64_t width;
    data::ScalarType type;
    std::string name;
  };
  struct Input {
    engine::TensorSpec spec;
    std::vector<int64_t> row_shape;
    std::vector<Source> sources;
    std::vector<int> matrix;  ///< feature indices when the pipeline can write the tensor in one go
    int64_t width = 0;
    bool variable = false;
  };

  static base::Result<Source> Resolve(const std::string& name, const schema::Schema& schema,
                                      const features::Pipeline& pipeline, const bundle::InputBinding& binding);
  static base::Result<Input> Bind(const bundle::InputBinding& binding, const engine::TensorSpec& spec,
                                  const schema::Schema& schema, const Preprocessor& preprocessor,
                                  const engine::ModelInfo& model);

  template <typename T>
  void FillAs(const Input& input, int64_t rows, Buffers& buffers, size_t index) const;
  void FillStrings(const Input& input, int64_t rows, Buffers& buffers, size_t index) const;

  std::vector<Input> inputs_;
  bool batched_ = true;
  bool variable_ = false;
};

}  // namespace slipway::scoring

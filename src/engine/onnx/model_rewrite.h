#pragma once
// Edits to an ONNX file before ONNX Runtime loads it: ZipMap nodes at the outputs go (their input, a plain tensor,
// becomes the output), sequences of tensors become an output for each tensor, and StringNormalizer nodes get a locale
// that this machine has.

#include <string>
#include <string_view>
#include <vector>

#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

/// An output that takes the place of one tensor in a sequence.
struct SequenceElement {
  std::string tensor;  ///< what it is a copy of
  std::string bound;   ///< its name in the edited graph, one that no exporter gives
  std::string name;    ///< its name for people
};

/// A sequence at the outputs, to be taken apart.
struct SplitSequence {
  const SequenceNode* node = nullptr;
  int64_t type = 0;  ///< TensorProto.DataType of every element
  std::vector<SequenceElement> elements;
};

struct ModelEdits {
  std::vector<const ZipMapNode*> drop;  ///< their outputs are replaced by their inputs
  std::vector<SplitSequence> split;     ///< their outputs are replaced by their elements
  std::string locale;                   ///< for every StringNormalizer; empty: leave them

  bool empty() const { return drop.empty() && split.empty() && locale.empty(); }
};

/// The ZipMaps that can go: at the top level, read by nobody, their input computed by a node and no output itself.
std::vector<const ZipMapNode*> DroppableZipMaps(const ModelFile& file);

/// The sequences of tensors that are outputs and made by a SequenceConstruct at the top level. The elements of `y` are
/// named `y_0`, `y_1`, …; underscores are added while another output has the name.
std::vector<SplitSequence> SplittableSequences(const ModelFile& file);

/// The file with the edits. A dropped ZipMap's output is replaced in its place by a float tensor of rows x labels under
/// the name of the ZipMap's input, a sequence's by tensors of untold shape. Precondition: ParseModelFile() has read
/// `bytes` into the file the edits come from.
std::string RewriteModel(std::string_view bytes, const ModelEdits& edits);

/// What a locale must be replaced by on this machine; empty when it can stay. Lower and upper case of all but the
/// Turkic languages are the same in every UTF-8 locale, so any of those does. Errors: "engine.model" when there is
/// none.
base::Result<std::string> LocaleInPlaceOf(std::string_view wanted);

}  // namespace slipway::engine::onnx

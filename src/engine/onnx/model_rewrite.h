#pragma once
// Edits to an ONNX file before ONNX Runtime loads it: ZipMap nodes at the outputs go (their input, a plain tensor,
// becomes the output), and StringNormalizer nodes get a locale that this machine has.

#include <string>
#include <string_view>
#include <vector>

#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

struct ModelEdits {
  std::vector<const ZipMapNode*> drop;  ///< their outputs are replaced by their inputs
  std::string locale;                   ///< for every StringNormalizer; empty: leave them

  bool empty() const { return drop.empty() && locale.empty(); }
};

/// The ZipMaps that can go: at the top level, read by nobody, their input computed by a node and no output itself.
std::vector<const ZipMapNode*> DroppableZipMaps(const ModelFile& file);

/// The file with the edits. A dropped ZipMap's output is replaced in its place by a float tensor of rows x labels under
/// the name of the ZipMap's input. Precondition: ParseModelFile() has read `bytes` into the file the edits come from.
std::string RewriteModel(std::string_view bytes, const ModelEdits& edits);

/// What a locale must be replaced by on this machine; empty when it can stay. Lower and upper case of all but the
/// Turkic languages are the same in every UTF-8 locale, so any of those does. Errors: "engine.model" when there is
/// none.
base::Result<std::string> LocaleInPlaceOf(std::string_view wanted);

}  // namespace slipway::engine::onnx

// The reader of ONNX files and the edits made to them: no input may crash them, and an edited file must still be read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/onnx/foreign_file.h"
#include "engine/onnx/light/light_model.h"
#include "engine/onnx/model_file.h"
#include "engine/onnx/model_rewrite.h"
#include "engine/onnx/row_exactness.h"

using namespace slipway::engine::onnx;

namespace {

/// How many outputs the edits leave.
size_t OutputsAfter(const ModelFile& file, const ModelEdits& edits) {
  size_t count = 0;
  for (const DeclaredValue& output : file.outputs) {
    const auto made = [&](const auto* node) { return node->output == output.name; };
    const bool dropped = std::ranges::any_of(edits.drop, made);
    const auto split = std::ranges::find_if(edits.split, made, &SplitSequence::node);
    count += dropped || split == edits.split.end() ? 1 : split->elements.size();
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file = ParseModelFile(bytes);
  DescribeForeignFile(bytes, "model.onnx");
  if (!file) return 0;
  (void)file->Describe();
  (void)JudgeOperators(*file);
  (void)WhyNotLight(*file, bytes);
  if (RewriteModel(bytes, {}) != bytes && file->operators.empty()) return 0;  // tags may be written longer than needed
  const ModelEdits edits{DroppableZipMaps(*file), SplittableSequences(*file), "C.UTF-8"};
  const auto edited = ParseModelFile(RewriteModel(bytes, edits));
  if (!edited || edited->inputs.size() != file->inputs.size() || edited->outputs.size() != OutputsAfter(*file, edits))
    std::abort();
  if (edited->external.size() > file->external.size()) std::abort();
  return 0;
}

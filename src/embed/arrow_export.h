#pragma once
// What leaves through the Arrow C data interface, with the memory that each structure needs and the callback that frees
// it.

#include "slipway/slipway.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "embed/arrow_owned.h"

namespace slipway::embed {

/// An array to be exported. A consumer may move children away and release each on its own, so each keeps its memory.
struct ArrowNode {
  int64_t length = 0;
  int64_t null_count = 0;
  std::vector<const void*> buffers;
  std::vector<Owned<ArrowArray>> children;
  std::shared_ptr<void> memory;  ///< behind the buffers
};
void ExportNode(ArrowNode node, ArrowArray* out);

struct SchemaNode {
  std::string format;
  std::string name;
  int64_t flags = ARROW_FLAG_NULLABLE;
  std::vector<SchemaNode> children;
};
void ExportNode(SchemaNode node, ArrowSchema* out);

}  // namespace slipway::embed

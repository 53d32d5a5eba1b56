#include "embed/arrow_export.h"

#include <utility>

namespace slipway::embed {
namespace {

struct ArrayMemory {
  ArrowNode node;
  std::vector<ArrowArray*> children;
};

struct SchemaMemory {
  SchemaNode node;
  std::vector<Owned<ArrowSchema>> owned;
  std::vector<ArrowSchema*> children;
};

template <typename Memory, typename Structure>
void Release(Structure* structure) {
  structure->release = nullptr;
  delete static_cast<Memory*>(std::exchange(structure->private_data, nullptr));
}

}  // namespace

void ExportNode(ArrowNode node, ArrowArray* out) {
  auto memory = std::make_unique<ArrayMemory>(ArrayMemory{std::move(node), {}});
  for (auto& child : memory->node.children) memory->children.push_back(child.get());
  const ArrowNode& kept = memory->node;
  *out = {.length = kept.length,
          .null_count = kept.null_count,
          .offset = 0,
          .n_buffers = static_cast<int64_t>(kept.buffers.size()),
          .n_children = static_cast<int64_t>(kept.children.size()),
          .buffers = memory->node.buffers.data(),
          .children = memory->children.data(),
          .dictionary = nullptr,
          .release = Release<ArrayMemory, ArrowArray>,
          .private_data = nullptr};
  out->private_data = memory.release();
}

void ExportNode(SchemaNode node, ArrowSchema* out) {
  auto memory = std::make_unique<SchemaMemory>();
  memory->node = std::move(node);
  memory->owned.resize(memory->node.children.size());
  for (size_t i = 0; i < memory->owned.size(); ++i) {
    ExportNode(std::move(memory->node.children[i]), memory->owned[i].get());
    memory->children.push_back(memory->owned[i].get());
  }
  *out = {.format = memory->node.format.c_str(),
          .name = memory->node.name.c_str(),
          .metadata = nullptr,
          .flags = memory->node.flags,
          .n_children = static_cast<int64_t>(memory->children.size()),
          .children = memory->children.data(),
          .dictionary = nullptr,
          .release = Release<SchemaMemory, ArrowSchema>,
          .private_data = nullptr};
  out->private_data = memory.release();
}

}  // namespace slipway::embed

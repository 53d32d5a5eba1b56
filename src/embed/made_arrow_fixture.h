#pragma once
// Arrow arrays made by hand, for the tests of this room. They count their releases.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/arrow_owned.h"

namespace slipway::embed {

/// What is exported: schema and array of one column, or of a table.
struct Made {
  std::string format;
  std::string name = "x";
  int64_t length = 0;
  std::vector<std::string> buffers;  ///< kMissing: a null pointer
  std::vector<Made> children = {};
  std::vector<Made> dictionary = {};  ///< none or one
  int64_t offset = 0;
  int64_t null_count = 0;
};
inline const std::string kMissing = "(missing)";

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Bits, least significant first.
inline std::string Bits(const std::vector<int>& bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] != 0) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 1 << (i % 8));
  }
  return bytes;
}

template <typename T>
Made Values(std::string format, const std::vector<T>& values, std::string name = "x") {
  return {.format = std::move(format),
          .name = std::move(name),
          .length = static_cast<int64_t>(values.size()),
          .buffers = {kMissing, Bytes(values)}};
}

template <typename Offset = int32_t>
Made Texts(const std::vector<std::string>& texts, std::string name = "x") {
  std::string bytes;
  std::vector<Offset> offsets = {0};
  for (const auto& text : texts) {
    bytes += text;
    offsets.push_back(static_cast<Offset>(bytes.size()));
  }
  return {.format = sizeof(Offset) == 4 ? "u" : "U",
          .name = std::move(name),
          .length = static_cast<int64_t>(texts.size()),
          .buffers = {kMissing, Bytes(offsets), bytes}};
}

inline Made Nullable(Made made, const std::vector<int>& valid) {
  made.buffers[0] = Bits(valid);
  made.null_count = -1;
  return made;
}

/// A table of the columns.
inline Made TableOf(std::vector<Made> columns) {
  const int64_t rows = columns.empty() ? 0 : columns[0].length;
  return {.format = "+s", .name = "", .length = rows, .buffers = {kMissing}, .children = std::move(columns)};
}

/// Structures that are exported and not released yet.
inline int& Exported() {
  static int count = 0;
  return count;
}

namespace made {

struct Memory {
  Made made;
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<Memory>> parts;
  std::vector<ArrowSchema> schemas;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowSchema*> schema_children;
  std::vector<ArrowArray*> array_children;
};

template <typename Structure>
void Release(Structure* structure) {
  for (int64_t i = 0; i < structure->n_children; ++i) {
    auto* child = structure->children[i];
    if (child->release != nullptr) child->release(child);
  }
  auto* dictionary = structure->dictionary;
  if (dictionary != nullptr && dictionary->release != nullptr) dictionary->release(dictionary);
  delete static_cast<Memory*>(structure->private_data);
  structure->release = nullptr;
  --Exported();
}

}  // namespace made

inline void Export(const Made& from, ArrowSchema* out) {
  auto* memory = new made::Memory{.made = from};
  memory->schemas.resize(from.children.size() + from.dictionary.size());
  for (size_t i = 0; i < from.children.size(); ++i) {
    Export(from.children[i], &memory->schemas[i]);
    memory->schema_children.push_back(&memory->schemas[i]);
  }
  if (!from.dictionary.empty()) Export(from.dictionary[0], &memory->schemas.back());
  *out = {.format = memory->made.format.c_str(),
          .name = memory->made.name.c_str(),
          .metadata = nullptr,
          .flags = ARROW_FLAG_NULLABLE,
          .n_children = static_cast<int64_t>(from.children.size()),
          .children = memory->schema_children.data(),
          .dictionary = from.dictionary.empty() ? nullptr : &memory->schemas.back(),
          .release = made::Release<ArrowSchema>,
          .private_data = memory};
  ++Exported();
}

inline void Export(const Made& from, ArrowArray* out) {
  auto* memory = new made::Memory{.made = from};
  for (const auto& buffer : memory->made.buffers) {
    memory->buffers.push_back(buffer == kMissing ? nullptr : buffer.data());
  }
  memory->arrays.resize(from.children.size() + from.dictionary.size());
  for (size_t i = 0; i < from.children.size(); ++i) {
    Export(from.children[i], &memory->arrays[i]);
    memory->array_children.push_back(&memory->arrays[i]);
  }
  if (!from.dictionary.empty()) Export(from.dictionary[0], &memory->arrays.back());
  *out = {.length = from.length,
          .null_count = from.null_count,
          .offset = from.offset,
          .n_buffers = static_cast<int64_t>(memory->buffers.size()),
          .n_children = static_cast<int64_t>(from.children.size()),
          .buffers = memory->buffers.data(),
          .children = memory->array_children.data(),
          .dictionary = from.dictionary.empty() ? nullptr : &memory->arrays.back(),
          .release = made::Release<ArrowArray>,
          .private_data = memory};
  ++Exported();
}

/// Both at once, released at the end of the scope.
struct Table {
  explicit Table(const Made& from) {
    Export(from, schema.get());
    Export(from, array.get());
  }
  Owned<ArrowSchema> schema;
  Owned<ArrowArray> array;
};

}  // namespace slipway::embed

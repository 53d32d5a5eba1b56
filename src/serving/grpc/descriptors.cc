#include "serving/grpc/descriptors.h"

#include <algorithm>

#include "rpc/wire_reader.h"

// Written by cmake/EmbedBytes.cmake from what protoc makes of api/proto.
extern const unsigned char slipway_served_descriptors[];
extern const unsigned long slipway_served_descriptors_size;

namespace slipway::serving::grpc {
namespace {

using rpc::WireReader;
using rpc::WireType;

// Fields of FileDescriptorProto and of what it declares.
constexpr uint32_t kName = 1, kPackage = 2, kImport = 3, kMessage = 4, kEnumeration = 5, kService = 6;
constexpr uint32_t kNestedMessage = 3, kMethod = 2;

std::string_view NameOf(std::string_view bytes) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.Is(kName, WireType::kBytes)) return reader.bytes();
  }
  return {};
}

}  // namespace

std::string_view ServedDescriptors() {
  return {reinterpret_cast<const char*>(slipway_served_descriptors), slipway_served_descriptors_size};
}

DescriptorIndex::DescriptorIndex(std::string_view set) {
  WireReader reader(set);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kBytes)) AddFile(reader.bytes());
  }
}

void DescriptorIndex::AddFile(std::string_view bytes) {
  std::string_view package;
  const std::string_view name = NameOf(bytes);
  File& file = files_[name];
  file.bytes = bytes;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.Is(kPackage, WireType::kBytes)) package = reader.bytes();
    if (reader.Is(kImport, WireType::kBytes)) file.imports.push_back(reader.bytes());
    if (reader.type() != WireType::kBytes) continue;
    if (reader.field() == kMessage) AddDeclared(package, name, reader.bytes(), kNestedMessage);
    if (reader.field() == kEnumeration) AddDeclared(package, name, reader.bytes(), 0);
    if (reader.field() == kService) AddDeclared(package, name, reader.bytes(), kMethod);
  }
}

/// `nested`: the field of what is declared within; 0: nothing is.
void DescriptorIndex::AddDeclared(std::string_view scope, std::string_view file, std::string_view bytes,
                                  uint32_t nested) {
  const std::string symbol = (scope.empty() ? "" : std::string(scope) + ".") + std::string(NameOf(bytes));
  symbols_.emplace(symbol, file);
  WireReader reader(bytes);
  while (nested != 0 && reader.Next()) {
    if (reader.Is(nested, WireType::kBytes)) {
      AddDeclared(symbol, file, reader.bytes(), nested == kNestedMessage ? nested : 0);
    }
  }
}

std::vector<std::string_view> DescriptorIndex::FilesOf(std::string_view file_name) const {
  std::vector<std::string_view> names, found;
  if (files_.contains(file_name)) names.push_back(files_.find(file_name)->first);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto file = files_.find(names[i]);
    if (file == files_.end()) continue;
    found.push_back(file->second.bytes);
    for (const std::string_view import : file->second.imports) {
      if (std::ranges::find(names, import) == names.end()) names.push_back(import);
    }
  }
  return found;
}

std::vector<std::string_view> DescriptorIndex::FilesOfSymbol(std::string_view symbol) const {
  const auto found = symbols_.find(symbol);
  return found == symbols_.end() ? std::vector<std::string_view>() : FilesOf(found->second);
}

}  // namespace slipway::serving::grpc

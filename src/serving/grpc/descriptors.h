#pragma once
// Descriptors: what the .proto files of api/proto declare, for clients that ask the server itself (reflection).

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::serving::grpc {

/// A FileDescriptorSet of api/proto with everything it imports; made when the program is built.
std::string_view ServedDescriptors();

/// Immutable; const access from any thread. Views into the set.
class DescriptorIndex {
 public:
  /// `set` outlives the index. What is broken in it is left out.
  explicit DescriptorIndex(std::string_view set);

  /// FileDescriptorProtos: the one asked for first, then those it imports; empty when there is none.
  std::vector<std::string_view> FilesOf(std::string_view file_name) const;
  /// Of the file that declares a message, enumeration, service or method ("package.Service.Method").
  std::vector<std::string_view> FilesOfSymbol(std::string_view symbol) const;

 private:
  struct File {
    std::string_view bytes;
    std::vector<std::string_view> imports;
  };
  void AddFile(std::string_view bytes);
  void AddDeclared(std::string_view scope, std::string_view file, std::string_view bytes, uint32_t nested);

  std::map<std::string_view, File, std::less<>> files_;
  std::map<std::string, std::string_view, std::less<>> symbols_;  ///< to the file's name
};

}  // namespace slipway::serving::grpc

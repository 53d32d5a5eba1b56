#pragma once
// MethodTable: which methods a listener has, and what the caller must be allowed.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "serving/grpc/service_call.h"
#include "serving/request_note.h"

namespace slipway::serving::grpc {

/// How a method's messages come and go.
enum class Shape : uint8_t { kUnary, kStream, kPush };

/// Filled before the listener opens, then only read. Thread-safety: const access.
class MethodTable {
 public:
  /// Permissions ("public", "predict", "observe", "operate") of the listener; methods with others are left out.
  explicit MethodTable(std::vector<std::string> permissions) : permissions_(std::move(permissions)) {}

  bool Admits(std::string_view permission) const;
  /// `path`: "/package.Service/Method".
  void Add(std::string path, std::string permission, Door door, Handler handler, Shape shape = Shape::kUnary);
  /// nullptr: there is no such method here.
  const Route* Find(std::string_view path) const;
  size_t size() const { return routes_.size(); }  ///< Route::http.index is below it
  /// "package.Service", of all paths, each once.
  std::vector<std::string> services() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::string> permissions_;
  std::unordered_map<std::string, std::unique_ptr<Route>, Hash, std::equal_to<>> routes_;
};

}  // namespace slipway::serving::grpc

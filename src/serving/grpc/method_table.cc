#include "serving/grpc/method_table.h"

#include <algorithm>
#include <set>
#include <utility>

namespace slipway::serving::grpc {

bool MethodTable::Admits(std::string_view permission) const {
  return std::ranges::find(permissions_, permission) != permissions_.end();
}

void MethodTable::Add(std::string path, std::string permission, Door door, Handler handler, Shape shape) {
  if (!Admits(permission)) return;
  auto route = std::make_unique<Route>();
  route->streams = shape != Shape::kUnary;
  route->pushes = shape == Shape::kPush;
  route->http.method = net::Method::kPost;
  route->http.pattern = path;
  route->http.permission = std::move(permission);
  route->http.door = DoorName(door);
  route->http.index = static_cast<int>(routes_.size());
  route->http.handler = [handler = std::move(handler)](const net::Request& request, net::Response& response) {
    ServiceCall call(request, response);
    handler(call);
  };
  route->http.fault_shape = &WriteFault;
  routes_.insert_or_assign(std::move(path), std::move(route));
}

const Route* MethodTable::Find(std::string_view path) const {
  const auto found = routes_.find(path);
  return found == routes_.end() ? nullptr : found->second.get();
}

std::vector<std::string> MethodTable::services() const {
  std::set<std::string> names;
  for (const auto& [path, route] : routes_) names.insert(path.substr(1, path.rfind('/') - 1));
  return {names.begin(), names.end()};
}

}  // namespace slipway::serving::grpc

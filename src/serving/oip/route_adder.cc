#include "serving/oip/route_adder.h"

#include <utility>

#include "serving/oip/fault.h"

namespace slipway::serving::oip {

base::Result<void> RouteAdder::Add(net::Method method, std::string pattern, std::string permission,
                                   net::Handler handler) {
  return routes_.Add({.method = method,
                      .pattern = std::move(pattern),
                      .permission = std::move(permission),
                      .handler = std::move(handler),
                      .door = "oip",
                      .fault_shape = &WriteFault});
}

base::Result<void> RouteAdder::AddForModel(net::Method method, const std::string& suffix, const std::string& permission,
                                           const net::Handler& handler) {
  SLIPWAY_TRY(Add(method, "/v2/models/{model}" + suffix, permission, handler));
  return Add(method, "/v2/models/{model}/versions/{version}" + suffix, permission, handler);
}

net::Handler Refusing(std::string_view why) {
  return [why](const net::Request&, net::Response& response) { WriteError(501, why, response); };
}

}  // namespace slipway::serving::oip

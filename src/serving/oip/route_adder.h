#pragma once
// How the routes of this protocol enter the table: with its door and its shape of errors.

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/route_table.h"

namespace slipway::serving::oip {

/// The table outlives it. Errors: those of net::RouteTable::Add.
class RouteAdder {
 public:
  explicit RouteAdder(net::RouteTable& routes) : routes_(routes) {}

  base::Result<void> Add(net::Method method, std::string pattern, std::string permission, net::Handler handler);
  /// Also with a version in the path.
  base::Result<void> AddForModel(net::Method method, const std::string& suffix, const std::string& permission,
                                 const net::Handler& handler);

 private:
  net::RouteTable& routes_;
};

/// Answers 501. `why` outlives the server.
net::Handler Refusing(std::string_view why);

}  // namespace slipway::serving::oip

#pragma once
// The options of `slipway serve` that say what HTTP may cost and who may read it. docs/operations/limits.md lists them.

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/cors.h"
#include "net/http_limits.h"

namespace CLI {
class App;
}

namespace slipway::cli {

/// Lifecycle: AddTo() before the command line is parsed, Limits() and Cors() after.
class HttpOptions {
 public:
  HttpOptions();
  ~HttpOptions();
  void AddTo(CLI::App& command);

  /// Errors: "quantity.malformed" and "serve.limit", with the option's name.
  base::Result<net::HttpLimits> Limits() const;
  base::Result<net::CorsOptions> Cors() const;
  bool compresses() const { return compress_; }

 private:
  struct Quantity;
  std::vector<std::unique_ptr<Quantity>> quantities_;
  net::HttpLimits limits_;
  std::vector<std::string> origins_;
  bool credentials_ = false, compress_ = false;
};

}  // namespace slipway::cli

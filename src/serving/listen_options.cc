#include "serving/listen_options.h"

#include <fmt/format.h>

#include "base/text.h"
#include "net/listen_address.h"

namespace slipway::serving {
namespace {

base::Result<void> CheckAdmin(const ListenOptions& options, const std::string& text) {
  if (text.empty()) return {};
  SLIPWAY_ASSIGN(const auto address, net::ListenAddress::Parse(text));
  const bool proven = options.tls.enabled() && options.tls.effective_client_auth() == net::tls::ClientAuth::kRequire;
  if (address.IsLocal() || proven || options.admin_public) return {};
  return base::Fail(
      base::Code::kInvalidArgument, "serve.admin_public",
      fmt::format("the admin listener {} can be reached from other machines, and anybody could use it; listen on "
                  "127.0.0.1 or a Unix socket, or ask for client certificates (--tls-cert, --tls-client-ca), or say "
                  "--admin-public if something else guards it",
                  text));
}

}  // namespace

base::Result<ObserveOn> ParseObserveOn(std::string_view text) {
  if (text == "both") return ObserveOn::kBoth;
  if (text == "admin") return ObserveOn::kAdmin;
  return base::Fail(
      base::Code::kInvalidArgument, "serve.observe_on",
      fmt::format("\"{}\" names no listeners to observe on: write both or admin", base::Shorten(text, 64)));
}

base::Result<void> ListenOptions::Check() const {
  SLIPWAY_TRY(tls.Check());
  for (const std::string& address : http) SLIPWAY_TRY(net::ListenAddress::Parse(address));
  for (const std::string& address : grpc) SLIPWAY_TRY(net::ListenAddress::Parse(address));
  SLIPWAY_TRY(CheckAdmin(*this, admin));
  SLIPWAY_TRY(CheckAdmin(*this, grpc_admin));
  if (observe_on == ObserveOn::kAdmin && admin.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "serve.observe_on",
                      "the observe routes are to be on the admin listener alone, and there is none; add --admin "
                      "127.0.0.1:8081, or leave --observe-on out");
  }
  return {};
}

}  // namespace slipway::serving

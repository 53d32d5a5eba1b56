#include "cli/listen_flags.h"

#include <CLI/CLI.hpp>

namespace slipway::cli {

void AddListenFlags(CLI::App& command, ListenFlags& flags) {
  auto& options = flags.options;
  command
      .add_option("--http", options.http,
                  "HOST:PORT (port 0 takes a free one), unix:PATH[,mode=0660] or systemd:[NAME]; may be repeated")
      ->capture_default_str()
      ->allow_extra_args(false);
  command.add_option("--admin", options.admin, "Address of the admin listener; none unless given");
  command.add_flag("--admin-public", options.admin_public,
                   "Let --admin be reached from other machines without client certificates");
  command
      .add_option("--observe-on", flags.observe_on,
                  "Where /metrics and /models are: both, or admin to take them off the other listeners")
      ->capture_default_str();
  command.add_option("--tls-cert", options.tls.certificate, "PEM file of the certificate and its chain: serves https");
  command.add_option("--tls-key", options.tls.key, "PEM file of its key (default: in the certificate's file)");
  command.add_option("--tls-client-ca", options.tls.client_ca, "PEM file of the CAs that client certificates lead to");
  command.add_option("--tls-client-auth", flags.client_auth,
                     "Client certificates: none, optional or require (default: require with --tls-client-ca)");
}

base::Result<serving::ListenOptions> ReadListenFlags(const ListenFlags& flags) {
  serving::ListenOptions options = flags.options;
  SLIPWAY_ASSIGN(options.observe_on, serving::ParseObserveOn(flags.observe_on));
  if (!flags.client_auth.empty()) {
    SLIPWAY_ASSIGN(options.tls.client_auth, net::tls::ParseClientAuth(flags.client_auth));
  }
  SLIPWAY_TRY(options.Check());
  return options;
}

}  // namespace slipway::cli

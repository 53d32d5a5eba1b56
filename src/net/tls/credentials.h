#pragma once
// Credentials: the certificate that listeners show, renewed while they serve.
//
//   SLIPWAY_ASSIGN(auto credentials, tls::Credentials::Load({.options = {.certificate = "server.pem"}, .log = &log}));
//   listener.credentials = credentials.get();
//   …
//   credentials->Reload();   // on SIGHUP; changed files are noticed without it

#include <chrono>
#include <memory>

#include "base/error.h"
#include "net/tls/context.h"
#include "net/tls/options.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::net::tls {

struct CredentialsOptions {
  Options options;
  telemetry::MetricRegistry* metrics = nullptr;  ///< outlives the credentials; nullptr: no metrics
  telemetry::Log* log = nullptr;                 ///< outlives the credentials; nullptr: no log
  /// How often the files are looked at, by a thread of its own. Files that have changed are read once two looks in a
  /// row see them the same, so that a pair being written is not read in halves. 0: never.
  std::chrono::milliseconds check_interval = std::chrono::seconds(2);
};

/// A pair that cannot be used never replaces one that can: it is logged ("tls.reload_failed"), counted
/// (slipway_tls_reloads_total), and slipway_tls_certificate_outdated stays 1 until the files are good.
///
/// Thread-safety: all methods from any thread. Ownership: outlives the servers that use it.
class Credentials {
 public:
  /// Errors: those of Options::Check() and Context::Load().
  static base::Result<std::unique_ptr<Credentials>> Load(CredentialsOptions options);
  ~Credentials();

  /// What new connections start from.
  std::shared_ptr<const Context> Current() const;
  /// Reads the files now. Errors: those of Context::Load(), and "tls.certificate_expired"; the old pair stays.
  base::Result<void> Reload();

 private:
  struct State;
  explicit Credentials(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::net::tls

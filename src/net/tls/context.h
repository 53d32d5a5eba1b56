#pragma once
// One certificate with its key and the rules of the handshake, ready for connections.

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "net/tls/options.h"
#include "net/tls/ticket_keys.h"

struct ssl_ctx_st;

namespace slipway::net::tls {

/// TLS 1.3, and 1.2 with ECDHE and AEAD only; no compression, no renegotiation, no early data; ALPN "http/1.1".
///
/// Thread-safety: immutable; connections of all threads start from it. Ownership: the keys outlive it.
class Context {
 public:
  /// Reads the files. Errors: those of base::ReadFile; invalid_argument "tls.certificate", "tls.key",
  /// "tls.key_mismatch", "tls.client_ca", each with the file in `where`.
  static base::Result<std::shared_ptr<const Context>> Load(const Options& options, TicketKeys& tickets);

  ssl_ctx_st* get() const { return context_.get(); }
  ClientAuth client_auth() const { return client_auth_; }
  uint64_t serial() const { return serial_; }  ///< unlike every other context's of this process
  /// Certificate, key and client roots as PEM texts, for a library with a TLS of its own. The key is in it: not to be
  /// kept or shown. Errors: internal "tls.openssl".
  struct Pem {
    std::string chain, key, client_roots;
  };
  base::Result<Pem> ToPem() const;
  /// Of the server's certificate.
  base::WallTime not_before() const { return not_before_; }
  base::WallTime not_after() const { return not_after_; }
  const std::string& subject() const { return subject_; }
  const std::string& fingerprint() const { return fingerprint_; }  ///< SHA-256 of the certificate, hex

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  Context();

  std::unique_ptr<ssl_ctx_st, Free> context_;
  const uint64_t serial_;
  ClientAuth client_auth_ = ClientAuth::kNone;
  base::WallTime not_before_, not_after_;
  std::string subject_, fingerprint_;
};

}  // namespace slipway::net::tls

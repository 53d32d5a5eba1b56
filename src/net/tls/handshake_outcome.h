#pragma once
// How handshakes end: the words of the metric and of the log.

#include <cstdint>
#include <string_view>

struct ssl_st;

namespace slipway::net::tls {

enum class HandshakeOutcome : uint8_t {
  kFull,
  kResumed,
  // Failures of the connection.
  kClosed,     ///< the client went away
  kTimeout,    ///< not done within the header deadline
  kCrowded,    ///< had waited longest when too many were in flight
  kPlainHttp,  ///< answered with a readable 400
  // Failures to agree.
  kVersion,
  kCipher,
  kProtocol,  ///< ALPN without http/1.1
  kMalformed,
  kRefusedByClient,  ///< an alert: mostly it does not trust our certificate
  // The client's certificate.
  kCertificateMissing,
  kCertificateExpired,
  kCertificateNotYetValid,
  kCertificateUntrusted,  ///< leads to no root that we were given
  kCertificateInvalid,    ///< any other fault: broken signature, wrong purpose, weak key
  kOther,
};
inline constexpr size_t kHandshakeOutcomes = static_cast<size_t>(HandshakeOutcome::kOther) + 1;

/// "full", "resumed", "closed", …, "client_certificate_expired", …
std::string_view HandshakeOutcomeName(HandshakeOutcome outcome);

/// What the last failure on this thread means. Peeks at OpenSSL's queue, which the caller clears.
HandshakeOutcome ExplainFailure(const ssl_st* session);

}  // namespace slipway::net::tls

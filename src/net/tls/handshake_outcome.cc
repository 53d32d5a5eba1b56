#include "net/tls/handshake_outcome.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace slipway::net::tls {
namespace {

HandshakeOutcome ExplainCertificate(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return HandshakeOutcome::kCertificateExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return HandshakeOutcome::kCertificateNotYetValid;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return HandshakeOutcome::kCertificateUntrusted;
    default:
      return HandshakeOutcome::kCertificateInvalid;
  }
}

}  // namespace

std::string_view HandshakeOutcomeName(HandshakeOutcome outcome) {
  constexpr std::string_view kNames[kHandshakeOutcomes] = {"full",
                                                           "resumed",
                                                           "closed",
                                                           "timeout",
                                                           "crowded",
                                                           "plain_http",
                                                           "version",
                                                           "cipher",
                                                           "protocol",
                                                           "malformed",
                                                           "refused_by_client",
                                                           "client_certificate_missing",
                                                           "client_certificate_expired",
                                                           "client_certificate_not_yet_valid",
                                                           "client_certificate_untrusted",
                                                           "client_certificate_invalid",
                                                           "other"};
  return kNames[static_cast<size_t>(outcome)];
}

HandshakeOutcome ExplainFailure(const ssl_st* session) {
  const unsigned long error = ERR_peek_error();
  if (error == 0) return HandshakeOutcome::kClosed;  // the socket's end or reset leaves nothing in the queue
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return HandshakeOutcome::kMalformed;
  const int reason = ERR_GET_REASON(error);
  if (reason > SSL_AD_REASON_OFFSET) return HandshakeOutcome::kRefusedByClient;
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return HandshakeOutcome::kClosed;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_BAD_LEGACY_VERSION:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return HandshakeOutcome::kVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return HandshakeOutcome::kCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return HandshakeOutcome::kProtocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return HandshakeOutcome::kCertificateMissing;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return ExplainCertificate(SSL_get_verify_result(session));
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
      return HandshakeOutcome::kCertificateInvalid;
    default:
      return HandshakeOutcome::kMalformed;
  }
}

}  // namespace slipway::net::tls

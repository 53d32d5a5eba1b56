#pragma once
// Reading certificates and keys: PEM in, names and dates out. Only for this folder: the types are OpenSSL's.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/peer_identity.h"

struct x509_st;
struct evp_pkey_st;
struct X509_name_st;

namespace slipway::net::tls {

struct FreeX509 {
  void operator()(x509_st* certificate) const;
};
struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using Certificate = std::unique_ptr<x509_st, FreeX509>;
using PrivateKey = std::unique_ptr<evp_pkey_st, FreeKey>;

/// All certificates of a PEM file, at least one. Errors: those of base::ReadFile; `reason` for what is no PEM.
base::Result<std::vector<Certificate>> ReadCertificates(const std::string& path, const std::string& reason);
/// Errors: those of base::ReadFile, "tls.key". A key under a passphrase is refused, never asked for.
base::Result<PrivateKey> ReadPrivateKey(const std::string& path);

/// PEM, appended to `out`. False: OpenSSL cannot.
bool AppendPem(x509_st* certificate, std::string& out);
bool AppendPem(evp_pkey_st* key, std::string& out);

/// RFC 2253, control characters escaped.
std::string NameText(const X509_name_st* name);
base::WallTime NotBefore(const x509_st* certificate);
base::WallTime NotAfter(const x509_st* certificate);
/// SHA-256 in hex; "" when the system cannot tell.
std::string Fingerprint(const x509_st* certificate);
PeerIdentity IdentityOf(x509_st* certificate);

/// What OpenSSL says about the last failure of this thread, "" when nothing. Clears its queue.
std::string TakeOpensslError();

}  // namespace slipway::net::tls

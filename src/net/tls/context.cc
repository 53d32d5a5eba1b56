#include "net/tls/context.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <cstring>

#include "base/files.h"
#include "net/tls/certificates.h"

namespace slipway::net::tls {
namespace {

constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::string_view kHttp11 = "http/1.1";

int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                   unsigned int bytes, void*) {
  for (unsigned int at = 0; at < bytes; at += 1u + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kHttp11) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool SetMacKey(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

/// OpenSSL's seam for ticket keys: 1 sealed or opened, 2 opened but to be renewed, 0 no such key, -1 failed.
int UseTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (seal != 0) {
    auto key = keys.Current();
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::memcpy(name, key->name.data(), key->name.size());
    const bool ready =
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1 && SetMacKey(mac, *key);
    OPENSSL_cleanse(&*key, sizeof *key);
    return ready ? 1 : -1;
  }
  auto found = keys.Find(std::span<const uint8_t, 16>(name, 16));
  if (!found) return 0;
  const bool ready = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key.cipher.data(), iv) == 1 &&
                     SetMacKey(mac, found->key);
  OPENSSL_cleanse(&found->key, sizeof found->key);
  if (!ready) return -1;
  return found->current ? 1 : 2;
}

base::Result<void> UseCertificate(SSL_CTX* context, const Options& options,
                                  const std::vector<Certificate>& certificates) {
  const std::string& key_path = options.key.empty() ? options.certificate : options.key;
  SLIPWAY_ASSIGN(const PrivateKey key, ReadPrivateKey(key_path));
  if (X509_check_private_key(certificates[0].get(), key.get()) != 1) {
    ERR_clear_error();
    return base::Fail(base::Code::kInvalidArgument, "tls.key_mismatch",
                      fmt::format("the key does not belong to the first certificate of {}; the server's own must "
                                  "stand before those that lead to its root",
                                  options.certificate),
                      key_path);
  }
  bool used = SSL_CTX_use_certificate(context, certificates[0].get()) == 1;
  for (size_t i = 1; used && i < certificates.size(); ++i) {
    used = SSL_CTX_add1_chain_cert(context, certificates[i].get()) == 1;
  }
  if (!used || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return base::Fail(base::Code::kInvalidArgument, "tls.certificate",
                      fmt::format("OpenSSL does not take the certificate: {}; RSA keys need 2048 bits, and signatures "
                                  "SHA-256",
                                  TakeOpensslError()),
                      options.certificate);
  }
  return {};
}

/// Sessions are good only among contexts with the same rules for clients: a ticket from before a change of the CA, or
/// of the mode, must not let anybody in after it.
base::Result<void> BindSessions(SSL_CTX* context, ClientAuth auth, std::string_view ca) {
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> digest;
  static_assert(SSL_MAX_SID_CTX_LENGTH == 32);
  const std::string rules = std::to_string(static_cast<int>(auth)) + std::string(ca);
  unsigned int size = 0;
  if (EVP_Digest(rules.data(), rules.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      SSL_CTX_set_session_id_context(context, digest.data(), size) != 1) {
    return base::Fail(base::Code::kInternal, "tls.openssl", "cannot bind TLS sessions: " + TakeOpensslError());
  }
  return {};
}

base::Result<void> AskClients(SSL_CTX* context, const Options& options) {
  const ClientAuth auth = options.effective_client_auth();
  if (auth == ClientAuth::kNone) return BindSessions(context, auth, "");
  SLIPWAY_ASSIGN(const auto roots, ReadCertificates(options.client_ca, "tls.client_ca"));
  std::string fingerprints;
  for (const Certificate& root : roots) {
    fingerprints += Fingerprint(root.get());
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) != 1 ||
        SSL_CTX_add_client_CA(context, root.get()) != 1) {
      return base::Fail(base::Code::kInvalidArgument, "tls.client_ca",
                        "OpenSSL does not take the client CA: " + TakeOpensslError(), options.client_ca);
    }
  }
  const int required = auth == ClientAuth::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  return BindSessions(context, auth, fingerprints);
}

bool SetRules(SSL_CTX* context, TicketKeys& tickets) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  // Without AUTO_RETRY, messages that carry no data cannot hold a thread within one read.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets only: nothing to share between threads
  SSL_CTX_set_timeout(context, static_cast<long>(tickets.lifetime().count()));
  SSL_CTX_set_app_data(context, &tickets);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
  SSL_CTX_set_security_level(context, 2);
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &UseTicketKey) == 1 &&
         SSL_CTX_set_num_tickets(context, 1) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers12) == 1 && SSL_CTX_set_ciphersuites(context, kCiphers13) == 1;
}

}  // namespace

Context::Context()
    : serial_([] {
        static std::atomic<uint64_t> last{0};
        return ++last;
      }()) {}

void Context::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

base::Result<std::shared_ptr<const Context>> Context::Load(const Options& options, TicketKeys& tickets) {
  ERR_clear_error();
  std::shared_ptr<Context> made(new Context());
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made->context_.get();
  if (context == nullptr || !SetRules(context, tickets)) {
    return base::Fail(base::Code::kInternal, "tls.openssl", "OpenSSL cannot do TLS here: " + TakeOpensslError());
  }
  SLIPWAY_ASSIGN(const auto certificates, ReadCertificates(options.certificate, "tls.certificate"));
  SLIPWAY_TRY(UseCertificate(context, options, certificates));
  SLIPWAY_TRY(AskClients(context, options));
  made->client_auth_ = options.effective_client_auth();
  made->not_before_ = NotBefore(certificates[0].get());
  made->not_after_ = NotAfter(certificates[0].get());
  made->subject_ = NameText(X509_get_subject_name(certificates[0].get()));
  made->fingerprint_ = Fingerprint(certificates[0].get());
  return made;
}

base::Result<Context::Pem> Context::ToPem() const {
  Pem pem;
  SSL_CTX* context = context_.get();
  bool written =
      AppendPem(SSL_CTX_get0_certificate(context), pem.chain) && AppendPem(SSL_CTX_get0_privatekey(context), pem.key);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; written && i < sk_X509_num(chain); ++i) written = AppendPem(sk_X509_value(chain, i), pem.chain);
  const auto* roots =
      client_auth_ == ClientAuth::kNone ? nullptr : X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; written && i < sk_X509_OBJECT_num(roots); ++i) {
    X509* root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(roots, i));
    written = root == nullptr || AppendPem(root, pem.client_roots);
  }
  if (written) return pem;
  return base::Fail(base::Code::kInternal, "tls.openssl",
                    "OpenSSL cannot write the certificate: " + TakeOpensslError());
}

}  // namespace slipway::net::tls

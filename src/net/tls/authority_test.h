#pragma once
// A certificate authority for tests: makes roots and certificates, and writes them as PEM files.

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "net/tls/certificates.h"

namespace slipway::net::tls {

struct CertificateRequest {
  std::string common_name = "localhost";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";  ///< OpenSSL's notation; empty: none
  long valid_from = -3600, valid_until = 3600;                   ///< seconds from now
  bool rsa = false;
  int rsa_bits = 2048;
};

/// A certificate and its key, with the file that holds both.
struct Issued {
  Certificate certificate;
  PrivateKey key;
  std::string path;
};

class Authority {
 public:
  explicit Authority(std::filesystem::path folder, std::string name = "root")
      : folder_(std::move(folder)), root_(Make({.common_name = name, .alternative_names = ""}, nullptr)) {
    root_.path = Write(name + ".pem", root_, false);
  }

  const std::string& path() const { return root_.path; }
  const Issued& root() const { return root_; }

  /// Issues and writes FILE with certificate and key.
  Issued Issue(const std::string& file, const CertificateRequest& request = {}) const {
    Issued issued = Make(request, &root_);
    issued.path = Write(file, issued, true);
    return issued;
  }

 private:
  static void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static Issued Make(const CertificateRequest& request, const Issued* issuer) {
    Issued made;
    made.key.reset(request.rsa ? EVP_RSA_gen(static_cast<unsigned>(request.rsa_bits)) : EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_until);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
    X509* parent = issuer == nullptr ? certificate : issuer->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(parent));
    if (issuer == nullptr) AddExtension(certificate, parent, NID_basic_constraints, "critical,CA:TRUE");
    if (!request.alternative_names.empty()) {
      AddExtension(certificate, parent, NID_subject_alt_name, request.alternative_names);
    }
    X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
    return made;
  }

  std::string Write(const std::string& file, const Issued& issued, bool with_key) const {
    const std::string path = (folder_ / file).string();
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, issued.certificate.get());
    if (with_key) PEM_write_bio_PrivateKey(bio, issued.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &bytes));
    if (!base::WriteFileAtomically(path, {bytes, size})) std::abort();
    BIO_free(bio);
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }

  std::filesystem::path folder_;
  Issued root_;
};

}  // namespace slipway::net::tls

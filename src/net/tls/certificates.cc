#include "net/tls/certificates.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <optional>

#include "base/files.h"

namespace slipway::net::tls {
namespace {

constexpr int64_t kLargestFile = 4 << 20;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio Over(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Instead of OpenSSL's own, which would ask at the terminal.
int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string Contents(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : std::string();
}

base::WallTime ToWallTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

/// nullopt for a text with a NUL inside, which two readers would read differently.
std::optional<std::string> Text(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return std::nullopt;
  std::string read(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  if (read.find('\0') != std::string::npos) return std::nullopt;
  for (char& c : read) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return read;
}

std::string AddressText(const ASN1_OCTET_STRING* address) {
  const Bio bio(BIO_new(BIO_s_mem()));
  GENERAL_NAME name{};
  name.type = GEN_IPADD;
  name.d.iPAddress = const_cast<ASN1_OCTET_STRING*>(address);
  if (bio == nullptr || GENERAL_NAME_print(bio.get(), &name) != 1) return {};
  const std::string printed = Contents(bio.get());  // "IP Address:10.0.0.1"
  return "IP:" + printed.substr(printed.find(':') + 1);
}

void AddName(const GENERAL_NAME& name, std::vector<std::string>& out) {
  const auto add = [&](std::string_view kind, const ASN1_STRING* text) {
    if (auto read = Text(text)) out.push_back(std::string(kind) + *read);
  };
  switch (name.type) {
    case GEN_DNS:
      return add("DNS:", name.d.dNSName);
    case GEN_URI:
      return add("URI:", name.d.uniformResourceIdentifier);
    case GEN_EMAIL:
      return add("email:", name.d.rfc822Name);
    case GEN_IPADD:
      if (auto text = AddressText(name.d.iPAddress); !text.empty()) out.push_back(std::move(text));
      return;
    default:
      return;  // directory names and the like: nobody writes rules on them
  }
}

}  // namespace

void FreeX509::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

void FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

std::string TakeOpensslError() {
  const unsigned long last = ERR_peek_last_error();
  const char* text = last == 0 ? nullptr : ERR_reason_error_string(last);
  ERR_clear_error();
  return text == nullptr ? "" : text;
}

base::Result<std::vector<Certificate>> ReadCertificates(const std::string& path, const std::string& reason) {
  SLIPWAY_ASSIGN(const std::string text, base::ReadFile(path, kLargestFile));
  const Bio bio = Over(text);
  std::vector<Certificate> found;
  while (Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(std::move(certificate));
  }
  // Reading past the last one ends with "no start line"; anything else is a block that is damaged.
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string what = TakeOpensslError();
  if (!found.empty() && ended) return found;
  return base::Fail(base::Code::kInvalidArgument, reason,
                    fmt::format("no readable certificate ({}); the file must hold PEM blocks BEGIN CERTIFICATE",
                                found.empty() && ended ? "no such block" : what),
                    path);
}

base::Result<PrivateKey> ReadPrivateKey(const std::string& path) {
  SLIPWAY_ASSIGN(std::string text, base::ReadFile(path, kLargestFile));
  const Bio bio = Over(text);
  bool asked = false;
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, &asked));
  OPENSSL_cleanse(text.data(), text.size());
  const std::string what = TakeOpensslError();
  if (key != nullptr) return key;
  return base::Fail(base::Code::kInvalidArgument, "tls.key",
                    asked ? "the key is under a passphrase; store it without one, readable by the server alone"
                          : fmt::format("no readable private key ({}); the file must hold a PEM block "
                                        "BEGIN PRIVATE KEY",
                                        what),
                    path);
}

bool AppendPem(x509_st* certificate, std::string& out) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) return false;
  out += Contents(bio.get());
  return true;
}

bool AppendPem(evp_pkey_st* key, std::string& out) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return false;
  }
  out += Contents(bio.get());
  return true;
}

std::string NameText(const X509_name_st* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || name == nullptr) return {};
  // RFC 2253 with UTF-8 left readable.
  if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0) {
    return {};
  }
  return Contents(bio.get());
}

base::WallTime NotBefore(const x509_st* certificate) {
  return ToWallTime(X509_get0_notBefore(certificate));
}

base::WallTime NotAfter(const x509_st* certificate) {
  return ToWallTime(X509_get0_notAfter(certificate));
}

std::string Fingerprint(const x509_st* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  return text;
}

PeerIdentity IdentityOf(x509_st* certificate) {
  PeerIdentity identity;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  identity.subject = NameText(subject);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last >= 0) {
    identity.common_name = Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last))).value_or("");
  }
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    AddName(*sk_GENERAL_NAME_value(names, i), identity.alternative_names);
  }
  GENERAL_NAMES_free(names);
  ERR_clear_error();
  return identity;
}

}  // namespace slipway::net::tls

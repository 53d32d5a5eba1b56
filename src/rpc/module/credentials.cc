#include "rpc/module/credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <mutex>
#include <optional>
#include <string>

namespace slipway::rpc {
namespace {

grpc_ssl_client_certificate_request_type RequestType(ClientCertificates wanted) {
  switch (wanted) {
    case ClientCertificates::kNone:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    case ClientCertificates::kOptional:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientCertificates::kRequired:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
}

/// The C++ interface has no credentials that change while a server runs and that this program may check itself first.
class CurrentCredentials final : public grpc::ServerCredentials {
 public:
  explicit CurrentCredentials(const TransportOptions& options) : fetch_(options.credentials) {
    auto* how = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        RequestType(options.client_certificates), &Fetch, this);
    credentials_ = grpc_ssl_server_credentials_create_with_options(how);
  }
  ~CurrentCredentials() override {
    if (credentials_ != nullptr) grpc_server_credentials_release(credentials_);
  }
  bool usable() const { return credentials_ != nullptr; }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<CurrentCredentials*>(self)->Fetch(config);
  }
  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    const std::lock_guard lock(mutex_);
    const PemCredentials pem = fetch_();
    if (pem.generation == generation_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {pem.key.c_str(), pem.chain.c_str()};
    // Where clients are asked for no certificate, the library wants roots all the same, and uses none.
    const std::string& roots = pem.client_roots.empty() ? pem.chain : pem.client_roots;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    if (*config == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    generation_ = pem.generation;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::function<PemCredentials()> fetch_;
  std::mutex mutex_;  ///< guards generation_
  std::optional<uint64_t> generation_;
  grpc_server_credentials* credentials_ = nullptr;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeCredentials(const TransportOptions& options) {
  if (!options.credentials) return grpc::InsecureServerCredentials();
  auto made = std::make_shared<CurrentCredentials>(options);
  return made->usable() ? made : nullptr;
}

}  // namespace slipway::rpc

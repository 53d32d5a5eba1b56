#pragma once
// OpenSSL's client over a blocking socket, for tests. It verifies the server up to the root it is given.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/raw_client_test.h"
#include "net/tls/authority_test.h"

namespace slipway::net::tls {

struct TlsClientOptions {
  const Issued* root = nullptr;         ///< nullptr: takes any server
  const Issued* certificate = nullptr;  ///< shown when asked for
  int version = 0;                      ///< TLS1_2_VERSION, …; 0: any
  std::string ciphers12;                ///< empty: OpenSSL's default
  std::string protocols;                ///< ALPN, in wire form: "\x02h2\x08http/1.1"
  SSL_SESSION* session = nullptr;       ///< to resume
  int receive_buffer = 0;
};

class TlsClient {
 public:
  explicit TlsClient(uint16_t port, const TlsClientOptions& options = {})
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), socket_(port, options.receive_buffer) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_security_level(context, 0);
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context, options.version);
      SSL_CTX_set_max_proto_version(context, options.version);
    }
    if (!options.ciphers12.empty()) SSL_CTX_set_cipher_list(context, options.ciphers12.c_str());
    if (options.root != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.root->certificate.get());
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate(context, options.certificate->certificate.get());
      SSL_CTX_use_PrivateKey(context, options.certificate->key.get());
    }
    ssl_.reset(SSL_new(context));
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    }
    if (options.session != nullptr) {
      SSL_SESSION* copy = SSL_SESSION_dup(options.session);  // OpenSSL uses a session of TLS 1.3 up
      SSL_set_session(ssl_.get(), copy);
      SSL_SESSION_free(copy);
    }
    SSL_set_fd(ssl_.get(), socket_.descriptor());
    connected_ = SSL_connect(ssl_.get()) == 1;
    if (!connected_) error_ = TakeOpensslError();
  }

  bool connected() const { return connected_; }
  const std::string& error() const { return error_; }
  SSL* ssl() const { return ssl_.get(); }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  SSL_SESSION* session() const { return SSL_get1_session(ssl_.get()); }
  RawClient& socket() { return socket_; }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)));
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  RawAnswer Read() {
    RawAnswer answer;
    while (received_.find("\r\n\r\n") == std::string::npos) {
      if (!Receive()) return answer;
    }
    const size_t end = received_.find("\r\n\r\n") + 4;
    answer.head = received_.substr(0, end);
    received_.erase(0, end);
    answer.status = std::atoi(answer.head.substr(9, 3).c_str());
    const auto length = static_cast<size_t>(std::atoll(answer.Header("Content-Length").c_str()));
    while (received_.size() < length && Receive()) {
    }
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
  }

  RawAnswer Ask(std::string_view bytes) {
    Send(bytes);
    return Read();
  }

  /// True when the server has ended the connection with close_notify.
  bool IsClosedInOrder() {
    char byte = 0;
    const int result = SSL_read(ssl_.get(), &byte, 1);
    return result <= 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  bool Receive() {
    char bytes[32768];
    const int count = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (count <= 0) {
      error_ = TakeOpensslError();
      return false;
    }
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  RawClient socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  bool connected_ = false;
  std::string error_, received_;
};

}  // namespace slipway::net::tls

#include "net/tls/session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/tls/certificates.h"

namespace slipway::net::tls {
namespace {

constexpr size_t kRecordBytes = 16 << 10;
/// Key updates, empty records and the like, in a row: nobody honest comes near.
constexpr int kFruitlessReads = 32;

}  // namespace

/// OpenSSL's way to the socket. Its own would raise SIGPIPE when the peer has gone.
struct Session::Wire {
  int socket = -1;
  bool begun = false;       ///< a byte has been read
  bool plain_http = false;  ///< the first byte is a letter: no TLS record starts so
  bool dry = false;         ///< the last read found the socket empty, or emptied it

  static Wire& Of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* to, int room) {
    Wire& wire = Of(bio);
    BIO_clear_retry_flags(bio);
    if (wire.plain_http) return -1;
    const ssize_t received = ::recv(wire.socket, to, static_cast<size_t>(room), 0);
    wire.dry = received < room;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
    if (received > 0 && !std::exchange(wire.begun, true)) wire.plain_http = *to >= 'A' && *to <= 'Z';
    return wire.plain_http ? -1 : static_cast<int>(received);
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    const Wire& wire = Of(bio);
    BIO_clear_retry_flags(bio);
    if (wire.plain_http) return -1;
    const ssize_t sent = ::send(wire.socket, bytes, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* Method() {
    struct FreeMethod {
      void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
    };
    static const std::unique_ptr<BIO_METHOD, FreeMethod> kMethod = [] {
      std::unique_ptr<BIO_METHOD, FreeMethod> method(
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection"));
      if (method != nullptr) {
        BIO_meth_set_read(method.get(), &Wire::Read);
        BIO_meth_set_write(method.get(), &Wire::Write);
        BIO_meth_set_ctrl(method.get(), &Wire::Control);
      }
      return method;
    }();
    return kMethod.get();
  }
};

/// OpenSSL's seam for verdicts on client certificates: keeps the name, which is gone when the handshake has failed.
struct Session::Verdict {
  static int Hear(int good, X509_STORE_CTX* chain) {
    if (good == 1) return 1;
    const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const X509* shown = X509_STORE_CTX_get0_cert(chain);
    if (ssl != nullptr && shown != nullptr) {
      static_cast<Session*>(SSL_get_app_data(ssl))->refused_subject_ = NameText(X509_get_subject_name(shown));
    }
    return 0;
  }
};

void Session::Free::operator()(ssl_st* session) const {
  SSL_free(session);
}

Session::Session() = default;
Session::~Session() = default;

std::unique_ptr<Session> Session::Accept(const Context& context, int socket) {
  std::unique_ptr<Session> session(new Session());
  session->wire_ = std::make_unique<Wire>(socket);
  session->client_auth_ = context.client_auth();
  session->ssl_.reset(SSL_new(context.get()));
  BIO* bio = Wire::Method() == nullptr ? nullptr : BIO_new(Wire::Method());
  if (session->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, session->wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl_.get(), bio, bio);
  SSL_set_accept_state(session->ssl_.get());
  SSL_set_app_data(session->ssl_.get(), session.get());
  SSL_set_verify(session->ssl_.get(), SSL_get_verify_mode(session->ssl_.get()), &Verdict::Hear);
  return session;
}

Session::Progress Session::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    Admit();
    return broken_ ? Progress::kFailed : Progress::kDone;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Progress::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Progress::kWantsWrite;
    default:
      Fail();
      return Progress::kFailed;
  }
}

void Session::Fail() {
  broken_ = true;
  outcome_ = wire_->plain_http ? HandshakeOutcome::kPlainHttp : ExplainFailure(ssl_.get());
  if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    failure_ = X509_verify_cert_error_string(verdict);
    ERR_clear_error();
  } else {
    failure_ = TakeOpensslError();
  }
}

void Session::Admit() {
  outcome_ = SSL_session_reused(ssl_.get()) != 0 ? HandshakeOutcome::kResumed : HandshakeOutcome::kFull;
  if (client_auth_ == ClientAuth::kNone) return;
  const Certificate shown(SSL_get1_peer_certificate(ssl_.get()));
  if (shown == nullptr) return;
  peer_ = IdentityOf(shown.get());
  // A ticket outlives the look at the certificate that it stands for.
  if (base::Clock::System().WallNow() <= NotAfter(shown.get())) return;
  broken_ = true;
  outcome_ = HandshakeOutcome::kCertificateExpired;
  failure_ = "certificate has expired since the session began";
  refused_subject_ = std::move(peer_->subject);
  peer_.reset();
}

ssize_t Session::Receive(char* to, size_t room) {
  if (!broken_) {
    ERR_clear_error();
    size_t received = 0;
    const int result = SSL_read_ex(ssl_.get(), to, room, &received);
    if (result == 1) {
      fruitless_reads_ = 0;
      starved_ = false;
      return static_cast<ssize_t>(received);
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    // Without data although the socket had more to give: only records about the connection itself.
    const bool fruitless = error == SSL_ERROR_WANT_READ && !wire_->dry;
    if ((error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) &&
        (!fruitless || ++fruitless_reads_ <= kFruitlessReads)) {
      starved_ = true;  // what OpenSSL holds, if anything, is a part of a record
      errno = EAGAIN;
      return -1;
    }
  }
  broken_ = true;
  ERR_clear_error();
  errno = ECONNRESET;
  return -1;
}

bool Session::HoldsMore() const {
  return !starved_ && SSL_has_pending(ssl_.get()) == 1;
}

ssize_t Session::Write(std::string_view bytes) {
  if (!broken_) {
    ERR_clear_error();
    size_t sent = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (result == 1) return static_cast<ssize_t>(sent);
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) {
      errno = EAGAIN;
      return -1;
    }
  }
  broken_ = true;
  ERR_clear_error();
  errno = EPIPE;
  return -1;
}

ssize_t Session::Send(std::string_view first, std::string_view second) {
  // A head and what fits behind it share a record: one seal, one call.
  thread_local std::string joined;
  std::string_view piece = first;
  const size_t total = first.size() + second.size();
  if (!first.empty() && !second.empty() && first.size() < kRecordBytes) {
    joined.assign(first);
    joined.append(second.substr(0, kRecordBytes - first.size()));
    piece = joined;
    second.remove_prefix(joined.size() - first.size());
  }
  size_t sent = 0;
  while (sent < total) {
    if (piece.empty()) piece = std::exchange(second, {});
    const ssize_t taken = Write(piece);
    if (taken < 0) return sent > 0 && errno == EAGAIN ? static_cast<ssize_t>(sent) : -1;
    sent += static_cast<size_t>(taken);
    piece.remove_prefix(static_cast<size_t>(taken));
  }
  return static_cast<ssize_t>(sent);
}

void Session::SayGoodbye() {
  if (broken_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  broken_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace slipway::net::tls

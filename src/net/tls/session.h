#pragma once
// The TLS of one connection, over its non-blocking socket.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/peer_identity.h"
#include "net/tls/context.h"
#include "net/tls/handshake_outcome.h"

struct ssl_st;

namespace slipway::net::tls {

/// Receive() and Send() keep to the manners of recv() and send(): bytes moved, 0 at the orderly end, or -1 with errno
/// (EAGAIN: wait for the socket; anything else: the connection is of no more use).
///
/// Lifecycle: Handshake() until it is done or has failed; then Receive() and Send(); SayGoodbye() at most once.
/// Thread-safety: one thread at a time. Ownership: the socket is the caller's, and stays open as long.
class Session {
 public:
  /// nullptr when memory is short.
  static std::unique_ptr<Session> Accept(const Context& context, int socket);
  ~Session();

  enum class Progress : uint8_t { kDone, kWantsRead, kWantsWrite, kFailed };
  Progress Handshake();
  /// How the handshake ended, after kDone or kFailed.
  HandshakeOutcome outcome() const { return outcome_; }
  /// OpenSSL's word on a failure, and whose certificate was refused; may be empty.
  const std::string& failure() const { return failure_; }
  const std::string& refused_subject() const { return refused_subject_; }
  /// nullptr unless the client has shown a certificate, which then is a verified one.
  const PeerIdentity* peer() const { return peer_ ? &*peer_ : nullptr; }

  ssize_t Receive(char* to, size_t room);
  /// Sends one text behind another. When it takes less than all, the next call must begin with the bytes that were not
  /// taken, and bring no fewer of them: a record that is already sealed holds the first of them.
  ssize_t Send(std::string_view first, std::string_view second);
  /// True when another Receive() may have bytes although the socket has none.
  bool HoldsMore() const;
  /// Tells the peer that nothing follows (close_notify), if the socket takes it.
  void SayGoodbye();

 private:
  struct Wire;
  struct Verdict;
  struct Free {
    void operator()(ssl_st* session) const;
  };
  Session();
  ssize_t Write(std::string_view bytes);
  void Fail();
  void Admit();

  std::unique_ptr<Wire> wire_;
  std::unique_ptr<ssl_st, Free> ssl_;
  ClientAuth client_auth_ = ClientAuth::kNone;
  bool broken_ = false;      ///< nothing may be sent any more
  bool starved_ = false;     ///< the last Receive() could not go on without the socket
  int fruitless_reads_ = 0;  ///< in a row: records that carried no data
  HandshakeOutcome outcome_ = HandshakeOutcome::kOther;
  std::string failure_, refused_subject_;
  std::optional<PeerIdentity> peer_;
};

}  // namespace slipway::net::tls

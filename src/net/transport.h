#pragma once
// How a connection moves its bytes: straight to the socket, or through TLS. One branch apart, no virtual call.

#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <string_view>

#include "net/descriptor.h"
#include "net/tls/session.h"

namespace slipway::net {

/// Receive() and Send() keep to the manners of recv() and send(): bytes moved, 0 at the orderly end, or -1 with errno;
/// they never block and never raise SIGPIPE.
///
/// Thread-safety: one thread.
class Transport {
 public:
  explicit Transport(Descriptor socket, std::unique_ptr<tls::Session> session = nullptr)
      : socket_(std::move(socket)), tls_(std::move(session)) {}

  int descriptor() const { return socket_.get(); }
  /// nullptr on a plain connection.
  tls::Session* tls() const { return tls_.get(); }
  const PeerIdentity* peer() const { return tls_ == nullptr ? nullptr : tls_->peer(); }

  ssize_t Receive(char* to, size_t room) {
    if (tls_ != nullptr) return tls_->Receive(to, room);
    return ::recv(socket_.get(), to, room, MSG_DONTWAIT);
  }
  /// After a Receive() that gave `received` of `room`: whether another may give more at once.
  bool MayHaveMore(size_t received, size_t room) const { return received == room || HoldsBytes(); }
  /// Bytes are at hand that the socket will not tell of.
  bool HoldsBytes() const { return tls_ != nullptr && tls_->HoldsMore(); }

  /// Sends one text behind another. When it takes less than all, the next call must begin with the bytes that were not
  /// taken, and bring no fewer of them (tls::Session::Send).
  ssize_t Send(std::string_view first, std::string_view second = {});

  /// Nothing more will be sent: tells the peer, who may still be sending.
  void ShutDown();
  /// Drops what the peer still sends. True when it has ended.
  bool Discard(char* scratch, size_t room);
  /// True when bytes wait to be read.
  bool IsReadable() const;
  void Close();

  /// Goes on in the clear, for a peer that has not understood that this is TLS.
  void DropTls() { tls_.reset(); }

 private:
  Descriptor socket_;
  std::unique_ptr<tls::Session> tls_;
};

}  // namespace slipway::net

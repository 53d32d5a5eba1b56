#include "net/transport.h"

#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace slipway::net {

ssize_t Transport::Send(std::string_view first, std::string_view second) {
  if (tls_ != nullptr) return tls_->Send(first, second);
  std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

void Transport::ShutDown() {
  if (tls_ != nullptr) tls_->SayGoodbye();
  ::shutdown(socket_.get(), SHUT_WR);
}

bool Transport::Discard(char* scratch, size_t room) {
  const ssize_t received = ::recv(socket_.get(), scratch, room, MSG_DONTWAIT);
  return received == 0 || (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Transport::IsReadable() const {
  char byte = 0;
  return HoldsBytes() || ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Transport::Close() {
  if (tls_ != nullptr) tls_->SayGoodbye();
  socket_.Close();
}

}  // namespace slipway::net

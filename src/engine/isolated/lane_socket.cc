#include "engine/isolated/lane_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace slipway::engine::isolated {

namespace {

/// Room for the one descriptor that may come with a message.
union Ancillary {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

}  // namespace

base::Result<std::pair<base::FileDescriptor, base::FileDescriptor>> SocketPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
    return std::pair(base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1]));
  }
  return base::Fail(base::Code::kUnavailable, "engine.child",
                    "a socket to the process of a model cannot be had: " + std::generic_category().message(errno));
}

bool SendMessage(int socket, const void* message, size_t bytes, int descriptor) {
  iovec part{const_cast<void*>(message), bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Ancillary ancillary{};
  if (descriptor >= 0) {
    header.msg_control = ancillary.bytes;
    header.msg_controllen = sizeof(ancillary.bytes);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(descriptor));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes);
}

Received ReceiveMessage(int socket, void* message, size_t bytes, bool wait) {
  iovec part{message, bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Ancillary ancillary{};
  header.msg_control = ancillary.bytes;
  header.msg_controllen = sizeof(ancillary.bytes);
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
  } while (got < 0 && errno == EINTR);
  Received received;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) received.what = Received::What::kNothing;
  if (got > 0) received.what = Received::What::kMessage;
  if (got > 0) received.bytes = static_cast<size_t>(got);
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
      rights->cmsg_len == CMSG_LEN(sizeof(int))) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(rights), sizeof(descriptor));
    received.descriptor = base::FileDescriptor(descriptor);
  }
  return received;
}

}  // namespace slipway::engine::isolated

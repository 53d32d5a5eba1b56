#pragma once
// The sockets between a server and a child that runs a model for it: whole messages, and descriptors beside them.

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace slipway::engine::isolated {

/// Two ends of whole messages. Errors: unavailable "engine.child" with the system's word.
base::Result<std::pair<base::FileDescriptor, base::FileDescriptor>> SocketPair();

/// Sends one message, with a copy of `descriptor` unless that is -1. Never waits. False: the other end is gone, or has
/// not read what it was sent before.
bool SendMessage(int socket, const void* message, size_t bytes, int descriptor = -1);

/// What came.
struct Received {
  enum class What { kMessage, kNothing, kEnd } what = What::kEnd;
  size_t bytes = 0;                 ///< of the message; more than there is room for: it was cut
  base::FileDescriptor descriptor;  ///< that came with it, if any
};
/// Takes one message without waiting, or `wait`ing for one. A message of another size than `bytes` is its reader's to
/// refuse.
Received ReceiveMessage(int socket, void* message, size_t bytes, bool wait = false);

}  // namespace slipway::engine::isolated

#pragma once
// A client for tests that sends exactly the bytes it is told and shows exactly what came back.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/descriptor.h"

namespace slipway::net {

struct RawAnswer {
  int status = 0;  ///< 0: the connection ended or nothing came in time
  std::string head, body;
  bool whole = false;  ///< the body came to its end

  /// The value of a header as sent by the server, "" when absent.
  std::string Header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const size_t at = head.find(key);
    if (at == std::string::npos) return "";
    return head.substr(at + key.size(), head.find("\r\n", at + 2) - at - key.size());
  }
};

class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval timeout{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (receive_buffer > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    SetNoDelay(socket_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  /// Through a Unix socket.
  explicit RawClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  /// Reads one answer; `head_only` for answers to HEAD.
  RawAnswer Read(bool head_only = false) {
    RawAnswer answer = ReadHead();
    if (answer.status == 0) return answer;
    if (answer.Header("Transfer-Encoding") == "chunked") {
      while (ReadChunk(answer)) {
      }
      return answer;
    }
    const size_t length = head_only ? 0 : static_cast<size_t>(std::atoll(answer.Header("Content-Length").c_str()));
    while (received_.size() < length) {
      if (!Receive()) break;
    }
    answer.whole = received_.size() >= length;
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
  }

  /// Reads a head alone, of an answer whose chunks are then taken by ReadChunk().
  RawAnswer ReadHead() {
    RawAnswer answer;
    while (received_.find("\r\n\r\n") == std::string::npos) {
      if (!Receive()) return answer;
    }
    const size_t end = received_.find("\r\n\r\n") + 4;
    answer.head = received_.substr(0, end);
    received_.erase(0, end);
    answer.status = std::atoi(answer.head.substr(9, 3).c_str());
    return answer;
  }

  /// Appends one chunk to the body. False: it was the last one (then `whole` is set), or the answer broke off.
  bool ReadChunk(RawAnswer& answer) {
    size_t line = 0;
    while ((line = received_.find("\r\n")) == std::string::npos) {
      if (!Receive()) return false;
    }
    const size_t size = std::strtoull(received_.c_str(), nullptr, 16);
    while (received_.size() < line + 2 + size + 2) {
      if (!Receive()) return false;
    }
    answer.body.append(received_, line + 2, size);
    received_.erase(0, line + 2 + size + 2);
    answer.whole = size == 0;
    return size > 0;
  }

  /// Sends what the server takes without waiting for longer than `milliseconds`; how many bytes it took.
  size_t SendUntilStuck(std::string_view bytes, int milliseconds) {
    size_t taken = 0;
    pollfd ready{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
    while (taken < bytes.size() && ::poll(&ready, 1, milliseconds) == 1) {
      const ssize_t sent =
          ::send(socket_.get(), bytes.data() + taken, bytes.size() - taken, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent <= 0) break;
      taken += static_cast<size_t>(sent);
    }
    return taken;
  }

  void ShutWriting() { ::shutdown(socket_.get(), SHUT_WR); }

  RawAnswer Ask(std::string_view bytes) {
    Send(bytes);
    return Read();
  }

  /// Waits for the server to end the connection; false when it has more to say, or nothing in time.
  bool IsClosed() {
    char byte = 0;
    if (!received_.empty()) return false;
    const ssize_t count = ::recv(socket_.get(), &byte, 1, 0);
    return count == 0 || (count < 0 && errno != EAGAIN);
  }

  void Close() { socket_.Close(); }
  /// Closes with a reset instead of an end.
  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close();
  }

 private:
  bool Receive() {
    char bytes[16384];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }

  Descriptor socket_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace slipway::net

#pragma once
// The bytes of a message, without copying them where it came in one piece.

#include <memory>
#include <string>
#include <string_view>

namespace grpc {
class ByteBuffer;
}

namespace slipway::rpc {

class Service;

/// Holds one message in the making. Thread-safety: one thread.
class MessageBytes {
 public:
  MessageBytes();
  ~MessageBytes();

  /// Takes the message out of `buffer` and its compression off. False: it is too large or broken, and `error` says so.
  bool Take(grpc::ByteBuffer& buffer, Service& service, std::string& error);
  /// Valid until the next Take() or Release().
  std::string_view view() const { return view_; }
  void Release();

 private:
  struct Slices;
  const std::unique_ptr<Slices> slices_;
  std::string whole_, decompressed_;
  std::string_view view_;
};

/// A message to be sent. Large texts are taken over, small ones copied.
grpc::ByteBuffer MakeBuffer(std::string& text);

}  // namespace slipway::rpc

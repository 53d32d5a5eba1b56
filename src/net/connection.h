#pragma once
// One connection of a client: reads requests, has them answered, writes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/byte_buffer.h"
#include "net/chunked_body.h"
#include "net/event_loop.h"
#include "net/io_thread.h"
#include "net/transport.h"

namespace slipway::net {

/// States: kHandshake --TLS agreed--> kHead (a plain connection starts there)
///         kHead --head read--> kBody --body read, answered--> kHead …
///         any --answer not taken at once--> kSending --taken--> kHead
///         any --answered early, to be closed--> kLingering --> kClosed
/// Thread-safety: its io thread only.
class Connection final : public Watcher {
 public:
  Connection(IoThread& io, Transport transport, std::string peer, size_t listener);
  ~Connection() override;

  void OnReady(uint32_t events) override;
  /// Looks at the deadline, and gives memory back that an idle connection does not need.
  void OnTick(base::SteadyTime now);
  /// Closes the connection unless a request has begun or is waiting to be read.
  void OnDrain();
  void GiveUpHandshake(tls::HandshakeOutcome outcome);
  void Close();

  size_t place = 0;  ///< in the thread's list; the thread's business

 private:
  enum class State : uint8_t { kHandshake, kHead, kBody, kSending, kLingering, kClosed };

  void Handshake();
  void EndHandshake(tls::HandshakeOutcome outcome);
  uint32_t ReadEvents() const;
  void WaitFor(uint32_t events);
  void Linger();

  void Receive();
  size_t WantedBytes() const;
  void Advance(ByteBuffer& buffer);
  bool ReadHead(ByteBuffer& buffer);
  bool StartBody(ByteBuffer& buffer);
  bool ReadBody(ByteBuffer& buffer);
  void ReadAgain(const ByteBuffer& buffer);
  void Answer(ByteBuffer& buffer);

  void BeginExchange();
  void Route();
  HttpFault FindFault() const;
  int64_t BodyLimit() const;
  void CallHandler();
  /// Answers with a fault and gives the connection up, since what follows on it cannot be trusted or is not wanted.
  void Refuse(const HttpFault& fault);
  void WriteFault(const HttpFault& fault);

  void Send(bool close, bool unread);
  void WriteHead(bool close);
  void KeepUnsent(size_t sent);
  void Flush();
  void EndAnswer(bool close, bool unread);
  void Discard();
  void SetWaiting(bool waiting);
  void Count();

  IoThread& io_;
  Transport transport_;
  const std::string peer_;
  const size_t listener_;
  State state_ = State::kHead;
  bool idle_ = false;                      ///< between requests
  bool waiting_ = false;                   ///< counted in flight
  uint32_t awaited_;                       ///< events asked of the loop
  HandshakeQueue::Place handshake_place_;  ///< while in kHandshake
  base::SteadyTime deadline_;

  ByteBuffer in_;    ///< bytes that one turn could not use
  size_t seen_ = 0;  ///< of them, looked at for the end of the head
  // The request whose body is being read.
  size_t head_bytes_ = 0;
  size_t content_length_ = 0;
  std::unique_ptr<ChunkedBody> chunked_;
  std::string chunked_body_;
  // The answer being written.
  std::string unsent_;
  size_t unsent_at_ = 0;
  bool close_after_ = false, unread_after_ = false;
};

}  // namespace slipway::net

#pragma once
// One connection of a client: reads requests, has them answered, writes.

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "net/address_table.h"
#include "net/body_reader.h"
#include "net/byte_buffer.h"
#include "net/event_loop.h"
#include "net/io_thread.h"
#include "net/late_answer.h"
#include "net/transport.h"

namespace slipway::net {

inline constexpr HttpFault kNoMemoryInFlight = {503, "http.memory_in_flight",
                                                "requests in flight hold all the memory they may; retry later"};

/// States: kHandshake --TLS agreed--> kHead (a plain connection starts there)
///         kHead --head read--> kBody --body read, answered--> kHead …
///         kHead --head read, body to be answered as it comes--> kStream --answered--> kHead …
///         kHead or kBody --answer put off--> kLate --come--> kHead …
///         any --answer not taken at once--> kSending --taken--> kHead
///         any --answered early, to be closed--> kLingering --> kClosed
/// Thread-safety: its io thread only.
class Connection final : public Watcher {
 public:
  Connection(IoThread& io, Transport transport, std::string peer, size_t listener);
  ~Connection() override;

  void OnReady(uint32_t events) override;
  /// Goes on with bytes read in an earlier turn, after IoThread::GoOnLater().
  void OnLater();
  /// Looks at the deadline, and gives memory back that an idle connection does not need.
  void OnTick(base::SteadyTime now);
  /// Closes the connection unless a request has begun or is waiting to be read; one that is new gets a second for it.
  void OnDrain();
  void GiveUpHandshake(tls::HandshakeOutcome outcome);
  void Close();
  bool closed() const { return state_ == State::kClosed; }
  /// Has the answer that was put off written; without `fill` it will never come.
  void FinishLate(const LateAnswer::Fill& fill);

  size_t place = 0;    ///< in the thread's list; the thread's business
  AddressKey address;  ///< under which it is counted; likewise

 private:
  enum class State : uint8_t { kHandshake, kHead, kBody, kStream, kLate, kSending, kLingering, kClosed };
  struct Body;
  struct Stream;
  struct Late;

  void Handshake();
  void EndHandshake(tls::HandshakeOutcome outcome);
  uint32_t ReadEvents() const;
  void AwaitBytes();
  void WaitFor(uint32_t events);
  void Linger();

  bool Reads() const;
  /// The stream does not read until others have done what it left to them.
  bool IsLent() const;
  void Receive();
  bool IsLongTurn() const;
  void GoOnLater();
  size_t WantedBytes() const;
  void Advance(ByteBuffer& buffer);
  bool ReadHead(ByteBuffer& buffer);
  bool StartBody(ByteBuffer& buffer);
  bool ReadBody(ByteBuffer& buffer);
  void ReadAgain(std::string_view head);
  void Answer(ByteBuffer& buffer);

  /// The exchange at hand: the thread's, or one that outlasts the turn.
  Exchange& exchange() const;
  void BeginExchange();
  void Route();
  HttpFault FindFault() const;
  int64_t BodyLimit() const;
  BodyReader::Options ReaderOptions(int64_t limit) const;
  bool IsCrowded() const;
  void StartRate();
  bool IsTooSlow(base::SteadyTime now);
  void SendContinue();
  bool EndsAfterThis();
  void CallHandler();
  template <typename Call>
  void CallSafely(Call&& call) {
    try {
      call();
    } catch (const std::exception& failure) {
      FailHandler(failure.what());
    }
  }
  void FailHandler(const char* what);
  void AnswerOptions();
  void LogFailure(const char* what);
  /// Answers with a fault and gives the connection up, since what follows on it cannot be trusted or is not wanted.
  void Refuse(const HttpFault& fault);
  void WriteFault(const HttpFault& fault);

  // Answers in pieces (connection_stream.cc).
  bool OpenStream(ByteBuffer& buffer);
  BodyReader::Options StreamOptions() const;
  void FeedStream(ByteBuffer& buffer);
  bool FeedPart(ByteBuffer& buffer);
  template <typename Call>
  bool CallStream(Call&& call);
  void FailStream(const HttpFault& fault);
  void EndStream(bool fine, bool unread);
  bool LeaveToOthers();
  void GoOnWithStream(const LateAnswer::Fill& fill);
  void SendPieces(bool last);
  void OnStreamReady(uint32_t events);
  void OnStreamTick(base::SteadyTime now);
  void AbandonStream();

  // Answers that come later (connection_late.cc).
  void PutOff(ByteBuffer& buffer);
  void Outlast(std::string_view head, LateAnswer::Kept& kept);
  void AwaitLate(const std::function<void(LateAnswer)>& later);
  void OnLateReady(uint32_t events);
  void AbandonLate();

  // What it holds of the memory that all share (connection_memory.cc).
  int64_t HeldBytes() const;
  void CountHeld();
  bool MayGrow(int64_t size, int64_t by) const;
  bool ReserveInput();
  bool KeepPiece(std::string_view piece);
  bool KeepsTooMuch() const;

  void Send(bool close, bool unread);
  /// `length` -1: chunked.
  void WriteHead(bool close, int64_t length);
  std::string_view EncodeContent();
  bool WriteUnsent();
  void Flush();
  void Await(bool close, bool unread);
  void EndAnswer(bool close, bool unread);
  void BecomeIdle();
  void Discard();
  void CheckDeadlines(base::SteadyTime now);
  void SetWaiting(bool waiting);
  void Count();

  IoThread& io_;
  Transport transport_;
  const std::string peer_;
  const size_t listener_;
  State state_ = State::kHead;
  bool idle_ = false;                      ///< between requests
  bool waiting_ = false;                   ///< counted in flight
  bool later_ = false;                     ///< has bytes to go on with, and waits for its next turn
  bool paused_ = false;                    ///< a stream does not read until the peer has taken more of the answer
  uint32_t awaited_;                       ///< events asked of the loop
  HandshakeQueue::Place handshake_place_;  ///< while in kHandshake
  base::SteadyTime deadline_;
  int64_t answers_ = 0;
  int64_t held_ = 0;  ///< as last counted

  ByteBuffer in_;    ///< bytes that one turn could not use
  size_t seen_ = 0;  ///< of them, looked at for the end of the head
  // The request whose body is being read.
  size_t head_bytes_ = 0;
  size_t content_length_ = 0;
  std::unique_ptr<Body> body_;      ///< of one that is chunked or coded, and handled whole
  std::unique_ptr<Stream> stream_;  ///< the request that is answered in pieces
  std::unique_ptr<Late> late_;      ///< the request whose answer was put off
  base::SteadyTime rate_since_;
  int64_t rate_bytes_ = 0;  ///< received since then
  // The answer being written.
  std::string unsent_;
  size_t unsent_at_ = 0;
  bool close_after_ = false, unread_after_ = false;
};

/// A whole body off the wire.
struct Connection::Body {
  explicit Body(const BodyReader::Options& options) : reader(options) {}
  BodyReader reader;
  std::string whole;
};

/// What a request whose answer was put off needs of its connection, so that it can outlast it.
struct LateAnswer::Kept {
  std::string head, body, peer;  ///< what the exchange's views look at
  std::optional<PeerIdentity> identity;
  Exchange exchange;  ///< but for the request, the io thread's alone
};

/// A request that is answered in pieces, with a head of its own.
struct Connection::Stream {
  std::shared_ptr<LateAnswer::Kept> kept = std::make_shared<LateAnswer::Kept>();
  std::unique_ptr<StreamedAnswer> answer;
  std::unique_ptr<BodyReader> reader;
  std::shared_ptr<LateAnswer::State> work;  ///< while others do what was left to them
  bool ending = false;                      ///< OnEnd has been called
  bool close = false;                       ///< as the head of the answer says
  bool done = false;                        ///< OnDone has been called
  int64_t unsent_most = 0;                  ///< bytes of the answer that may wait for the peer before reading pauses
  size_t part_bytes = 4 << 10;              ///< handed on at a time: as many as take their share of a turn
};

/// A request whose answer was put off.
struct Connection::Late {
  std::shared_ptr<LateAnswer::Kept> kept = std::make_shared<LateAnswer::Kept>();
  std::shared_ptr<LateAnswer::State> state;
};

inline bool Connection::IsLent() const {
  return stream_ != nullptr && stream_->work != nullptr;
}

inline bool Connection::Reads() const {
  if (later_) return false;
  return state_ == State::kHead || state_ == State::kBody || (state_ == State::kStream && !paused_ && !IsLent());
}

inline Exchange& Connection::exchange() const {
  if (stream_ != nullptr) return stream_->kept->exchange;
  return late_ == nullptr ? io_.exchange() : late_->kept->exchange;
}

}  // namespace slipway::net

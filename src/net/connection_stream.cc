// Answers in pieces: the body is handed to a StreamedAnswer as it arrives, and what that has to say is sent as it
// comes. Memory is bounded both ways: a piece is read only when the peer has taken enough of the answer.

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>

#include "net/connection.h"

namespace slipway::net {
namespace {

constexpr size_t kPieceText = 256 << 10;  ///< handed to the kernel before more is decoded
constexpr size_t kKeptTaken = 256 << 10;  ///< bytes already taken that may stand before the unsent ones
// Bytes are handed on in parts that take about this long, so that other connections of the thread wait no longer.
constexpr auto kLongPart = std::chrono::microseconds(200);
constexpr size_t kLeastPart = 512, kMostPart = 64 << 10;
constexpr size_t kMostPartForOthers = 16 << 10;  ///< of work that is slow enough to be left to other threads

constexpr HttpFault kTooLarge = {413, "http.body_too_large", "the request body is larger than this route takes"};
constexpr HttpFault kTooManyInFlight = {429, "http.too_many_requests", "too many requests are in flight; retry later"};
constexpr HttpFault kTooSlow = {408, "http.body_too_slow", "the request body arrives too slowly"};
constexpr HttpFault kFailed = {500, "http.internal", "the server failed to answer; its log says why"};

}  // namespace

/// True when the request at the start of `buffer` is one to answer in pieces; it has been begun then.
bool Connection::OpenStream(ByteBuffer& buffer) {
  const Exchange& found = io_.exchange();
  const auto* route = found.request.route;
  if (route == nullptr || !route->stream || found.head.version_1_0) return false;
  auto answer = route->stream(found.request);
  if (answer == nullptr) return false;
  const bool crowded = IsCrowded();
  auto stream = std::make_unique<Stream>();
  stream->answer = std::move(answer);
  stream_ = std::move(stream);
  Outlast(buffer.view().substr(0, head_bytes_), *stream_->kept);
  buffer.Consume(head_bytes_);
  head_bytes_ = 0;
  state_ = State::kStream;
  const RequestHead& head = exchange().head;
  stream_->reader = std::make_unique<BodyReader>(StreamOptions());
  // Many clients send everything before they read. What could be handled whole is not held up by that.
  const bool small = head.content_length >= 0 && head.content_length <= BodyLimit();
  stream_->unsent_most = small ? std::max(BodyLimit(), io_.limits().unsent_bytes) : io_.limits().unsent_bytes;
  StartRate();
  SetWaiting(true);
  if (head.content_length > io_.limits().streamed_bytes) {
    FailStream(kTooLarge);
  } else if (crowded) {
    FailStream(kTooManyInFlight);
  } else if (!CallStream([](StreamedAnswer& a, const Request& q, Response& r) { return a.Start(q, r); })) {
    EndStream(false, true);
  } else {
    if (buffer.empty()) SendContinue();
    FeedStream(buffer);
  }
  return true;
}

BodyReader::Options Connection::StreamOptions() const {
  BodyReader::Options options = ReaderOptions(io_.limits().streamed_bytes);
  options.chunk_count = io_.limits().streamed_bytes;  // nothing of a chunk is kept
  return options;
}

void Connection::FeedStream(ByteBuffer& buffer) {
  const BodyReader& reader = *stream_->reader;
  bool fine = true;
  for (bool more = true; more;) {
    fine = FeedPart(buffer);
    if (state_ != State::kStream || IsLent()) return;
    more = fine && !buffer.empty() && !reader.done() && !reader.fault();
    if (more && IsLongTurn()) {
      if (!paused_) GoOnLater();
      return;
    }
  }
  if (fine && reader.fault()) {
    FailStream(reader.fault());
  } else if (!fine) {
    EndStream(false, !reader.done() || !buffer.empty());
  } else if (reader.done()) {
    stream_->ending = true;
    fine = CallStream([](StreamedAnswer& a, const Request& q, Response& r) { return a.OnEnd(q, r); });
    if (!fine || !LeaveToOthers()) EndStream(fine, !buffer.empty());
  }
}

/// Hands on what comes first in the buffer. False: the answer wants no more.
bool Connection::FeedPart(ByteBuffer& buffer) {
  const base::SteadyTime begun = base::Clock::System().Now();
  size_t& most = stream_->part_bytes;
  std::string_view in = buffer.view().substr(0, most);
  const size_t offered = in.size();
  bool fine = true;
  for (std::string_view piece; fine && state_ == State::kStream && !IsLent() && stream_->reader->Next(in, piece);) {
    fine = CallStream([&](StreamedAnswer& a, const Request& q, Response& r) { return a.OnBody(piece, q, r); });
    if (fine && LeaveToOthers()) continue;
    if (fine && exchange().response.body.size() >= kPieceText) SendPieces(false);
    if (fine && state_ == State::kStream && KeepsTooMuch()) {
      buffer.Consume(offered - in.size());
      FailStream(kNoMemoryInFlight);
      return false;
    }
  }
  buffer.Consume(offered - in.size());
  if (IsLent()) most = std::min(most, kMostPartForOthers);
  const auto spent = base::Clock::System().Now() - begun;
  if (spent > kLongPart) {
    most = std::max(kLeastPart, most / 2);
  } else if (spent < kLongPart / 4 && offered == most) {
    most = std::min(kMostPart, most * 2);
  }
  return fine;
}

template <typename Call>
bool Connection::CallStream(Call&& call) {
  Exchange& exchange = this->exchange();
  try {
    return call(*stream_->answer, exchange.request, exchange.response);
  } catch (const std::exception& failure) {
    LogFailure(failure.what());
    if (exchange.response.begun) {
      stream_->answer->OnFault(kFailed, exchange.request, exchange.response);
      exchange.response.status = kFailed.status;
    } else {
      exchange.response.Clear();
      WriteFault(kFailed);
    }
    return false;
  }
}

/// True when the stream waits until its work is done elsewhere.
bool Connection::LeaveToOthers() {
  Exchange& exchange = this->exchange();
  if (!exchange.response.later) return false;
  const auto later = std::exchange(exchange.response.later, nullptr);
  stream_->work = LateAnswer::Await(*this, io_.loop(), stream_->kept);
  later(LateAnswer(stream_->work));
  return true;
}

/// What was left to others has come back; without `fill` it never will.
void Connection::GoOnWithStream(const LateAnswer::Fill& fill) {
  stream_->work = nullptr;
  StartRate();
  const bool fine = CallStream([&](StreamedAnswer& answer, const Request& request, Response& response) {
    if (!fill) throw std::runtime_error("work of a stream was left to others and never came back");
    fill(request, response);
    return answer.OnWorked(request, response);
  });
  if (!fine) {
    EndStream(false, !stream_->reader->done() || !in_.empty());
  } else if (stream_->ending) {
    EndStream(true, !in_.empty());
  } else {
    FeedStream(in_);
    if (state_ == State::kStream) SendPieces(false);
  }
  AwaitBytes();
  if (Reads() && !in_.empty()) GoOnLater();
  CountHeld();
}

void Connection::FailStream(const HttpFault& fault) {
  Response& response = exchange().response;
  if (response.begun) {
    stream_->answer->OnFault(fault, exchange().request, response);
    response.status = fault.status;
    io_.CountRefusal(fault.code);
  } else {
    WriteFault(fault);
  }
  EndStream(false, true);
}

/// `unread`: the client may have sent more than was read.
void Connection::EndStream(bool fine, bool unread) {
  Response& response = exchange().response;
  stream_->done = true;
  stream_->answer->OnDone(exchange().request, response);
  const bool broken = response.begun && !fine;
  paused_ = false;
  SetWaiting(false);
  if (!response.begun) {
    const bool unfinished = !stream_->reader->done();
    const bool close = EndsAfterThis() || unfinished;
    state_ = State::kHead;
    Send(close, unread);
  } else {
    const bool close = stream_->close || broken || io_.draining();
    SendPieces(fine);
    Count();
    if (state_ == State::kClosed) return;
    if (unsent_.empty()) {
      WaitFor(ReadEvents());
      EndAnswer(close, unread || broken);
    } else {
      Await(close, unread || broken);
    }
  }
  stream_.reset();
  if (state_ == State::kHead) BecomeIdle();
}

/// Sends what the answer has to say so far; `last`: and its end.
void Connection::SendPieces(bool last) {
  Exchange& exchange = this->exchange();
  std::string& text = exchange.response.body;
  const bool had_unsent = !unsent_.empty();
  if (!exchange.response.begun && text.empty()) return;
  if (!std::exchange(exchange.response.begun, true)) {
    stream_->close = EndsAfterThis();
    WriteHead(stream_->close, -1);
    unsent_ += exchange.head_text;
  }
  if (!text.empty()) {
    std::array<char, 18> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
    unsent_.append(size.data(), static_cast<size_t>(end - size.data()));
    unsent_ += "\r\n";
    unsent_ += text;
    unsent_ += "\r\n";
    text.clear();
  }
  if (last) unsent_ += "0\r\n\r\n";
  if (!had_unsent) deadline_ = io_.loop().now() + io_.limits().write_deadline;
  WriteUnsent();
  if (state_ != State::kStream) return;
  if (unsent_at_ > kKeptTaken && unsent_at_ > unsent_.size() / 2) {
    unsent_.erase(0, unsent_at_);
    unsent_at_ = 0;
  }
  const int64_t unsent = std::ssize(unsent_) - static_cast<int64_t>(unsent_at_);
  int64_t most = stream_->unsent_most;
  if (unsent > HttpLimits::kSmallBytes && !io_.MayHold(0)) most = HttpLimits::kSmallBytes;
  if (const bool was = std::exchange(paused_, unsent > (paused_ ? most / 2 : most)); was && !paused_) StartRate();
  AwaitBytes();
}

void Connection::OnStreamReady(uint32_t events) {
  if (IsLent() && (events & static_cast<uint32_t>(EPOLLHUP | EPOLLERR)) != 0) {
    Close();
    return;
  }
  const bool was_paused = paused_;
  if ((events & ~static_cast<uint32_t>(EPOLLIN)) != 0) SendPieces(false);
  if (state_ != State::kStream || paused_ || IsLent()) return;
  if (!in_.empty()) {
    GoOnLater();
    return;
  }
  // Bytes may wait where epoll does not see them, since reading had stopped.
  if (was_paused || transport_.HoldsBytes() || (events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Receive();
}

void Connection::OnStreamTick(base::SteadyTime now) {
  if (!unsent_.empty() && now >= deadline_) {
    Close();
  } else if (later_ || IsLent()) {
    StartRate();  // it is not the peer who is slow
  } else if (!paused_ && IsTooSlow(now)) {
    FailStream(kTooSlow);
  }
}

/// The peer went before the end: nobody to be answered, but somebody who counts.
void Connection::AbandonStream() {
  if (stream_ == nullptr || std::exchange(stream_->done, true)) return;
  if (stream_->work != nullptr) stream_->work->Abandon();
  exchange().response.status = 499;
  stream_->answer->OnDone(exchange().request, exchange().response);
  Count();
}

}  // namespace slipway::net

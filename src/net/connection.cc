#include "net/connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>

#include "base/ids.h"
#include "net/content_coding.h"
#include "net/cors.h"

namespace slipway::net {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kMinimalRead = 4 << 10;
constexpr size_t kKeptInput = 1 << 20;
constexpr size_t kKeptUnsent = 1 << 20;
constexpr int kReadsPerTurn = 4;  ///< so that one fast sender does not starve its neighbours
/// Once a turn of the loop has taken so long, each connection gets one more read or request out of it.
constexpr auto kLongTurn = std::chrono::microseconds(300);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr HttpFault kNotFound = {404, "http.no_route", "there is nothing at this path; GET /models lists the models"};
constexpr HttpFault kWrongMethod = {405, "http.method_not_allowed",
                                    "this path does not take this method; the Allow "
                                    "header lists those it takes"};
constexpr HttpFault kBrokenPath = {400, "http.target", "a percent escape in the path is broken"};
constexpr HttpFault kTooLarge = {413, "http.body_too_large", "the request body is larger than this route takes"};
constexpr HttpFault kUnknownMethod = {501, "http.method_not_implemented", "this server implements no such method"};
constexpr HttpFault kUnknownCoding = {
    415, "http.content_encoding",
    "send the body in one of the codings that the Accept-Encoding header lists, or in "
    "none"};
constexpr HttpFault kNoLength = {411, "http.length_required", "send Content-Length or a chunked body"};
constexpr HttpFault kTooManyInFlight = {429, "http.too_many_requests", "too many requests are in flight; retry later"};
constexpr HttpFault kHandlerFailed = {500, "http.internal", "the server failed to answer; its log says why"};

void AppendNumber(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

}  // namespace

Connection::Connection(IoThread& io, Transport transport, std::string peer, size_t listener)
    : io_(io), transport_(std::move(transport)), peer_(std::move(peer)), listener_(listener), awaited_(EPOLLIN) {
  const HttpLimits& limits = io_.limits();
  deadline_ = io_.loop().now() + (transport_.tls() == nullptr ? limits.idle_timeout : limits.header_deadline);
  if (transport_.tls() == nullptr) return;
  state_ = State::kHandshake;
  handshake_place_ = io_.handshakes().Enter(*this);
}

Connection::~Connection() {
  Close();
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kHandshake) io_.handshakes().Leave(handshake_place_);
  const State last = std::exchange(state_, State::kClosed);
  if (last == State::kStream) AbandonStream();
  if (last == State::kLate) AbandonLate();
  SetWaiting(false);
  io_.Hold(-std::exchange(held_, 0));
  io_.loop().Forget(transport_.descriptor());
  transport_.Close();
  io_.Bury(*this);
}

void Connection::OnReady(uint32_t events) {
  if (later_) return;
  switch (state_) {
    case State::kHandshake:
      Handshake();
      break;
    case State::kHead:
    case State::kBody:
      Receive();
      break;
    case State::kStream:
      OnStreamReady(events);
      break;
    case State::kLate:
      OnLateReady(events);
      break;
    case State::kSending:
      Flush();
      break;
    case State::kLingering:
      Discard();
      break;
    case State::kClosed:
      break;
  }
  // Most requests leave nothing behind, and a connection at rest holds nothing.
  const bool at_rest = state_ == State::kHead && in_.capacity() == 0 && held_ == 0;
  if (!at_rest) CountHeld();
}

void Connection::Receive() {
  for (int round = 0; round < kReadsPerTurn && Reads() && !(round > 0 && IsLongTurn()); ++round) {
    // Most requests arrive whole: they are read into the thread's buffer, and nothing is kept per connection.
    ByteBuffer& buffer = in_.empty() ? io_.scratch() : in_;
    if (&buffer == &in_ && !ReserveInput()) {
      ReadAgain(in_.view());
      Refuse(kNoMemoryInFlight);
      break;
    }
    buffer.Reserve(&buffer == &in_ ? 0 : kReadBytes);
    const size_t room = buffer.free();
    const ssize_t received = transport_.Receive(buffer.tail(), room);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (received <= 0) {
      Close();  // the peer is gone; an unfinished request has nobody to be answered to
      return;
    }
    buffer.Grow(static_cast<size_t>(received));
    rate_bytes_ += received;
    Advance(buffer);
    if (&buffer != &in_ && !buffer.empty()) {
      if (state_ != State::kClosed) in_.Append(buffer.view());
      buffer.Consume(buffer.size());
    }
    if (in_.empty() && in_.capacity() > kKeptInput) in_.Release();
    if (!transport_.MayHaveMore(static_cast<size_t>(received), room)) break;
  }
  if (state_ == State::kStream) SendPieces(false);
  AwaitBytes();
}

/// What TLS holds back, the socket will not tell of; but it is writable, and that ends the wait.
uint32_t Connection::ReadEvents() const {
  return transport_.HoldsBytes() ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

/// Watches for what the state that reads can go on with.
void Connection::AwaitBytes() {
  if (state_ == State::kHead || state_ == State::kBody) {
    WaitFor(ReadEvents());
  } else if (state_ == State::kStream) {
    WaitFor((paused_ || IsLent() ? 0u : ReadEvents()) |
            (unsent_at_ < unsent_.size() ? static_cast<uint32_t>(EPOLLOUT) : 0u));
  }
}

size_t Connection::WantedBytes() const {
  if (in_.free() >= kReadBytes) return 0;
  if (state_ == State::kBody && body_ == nullptr) {
    // Grows with what has arrived: an announced length alone reserves nothing.
    const size_t missing = head_bytes_ + content_length_ - std::min(in_.size(), head_bytes_ + content_length_);
    return std::min(std::max(missing, kMinimalRead), std::max(kReadBytes, in_.size()));
  }
  return state_ == State::kHead ? kMinimalRead : kReadBytes;
}

void Connection::Advance(ByteBuffer& buffer) {
  int begun = 0;
  while (!buffer.empty() && Reads()) {
    if (state_ == State::kStream) {
      FeedStream(buffer);
      continue;
    }
    bool at_hand = false;  // the exchange holds this request
    if (state_ == State::kHead) {
      if (begun == io_.limits().requests_per_turn || (begun > 0 && IsLongTurn())) {
        GoOnLater();
        return;
      }
      ++begun;
      if (!ReadHead(buffer)) return;
      if (!StartBody(buffer)) continue;
      at_hand = true;
    } else if (!ReadBody(buffer)) {
      return;
    }
    if (!at_hand) ReadAgain(buffer.view());
    Answer(buffer);
  }
}

bool Connection::IsLongTurn() const {
  return base::Clock::System().Now() - io_.loop().now() >= kLongTurn;
}

void Connection::GoOnLater() {
  later_ = true;
  io_.GoOnLater(*this);
}

void Connection::OnLater() {
  later_ = false;
  if (state_ != State::kHead && state_ != State::kStream) return;
  Advance(in_);
  if (state_ == State::kStream) SendPieces(false);
  CountHeld();
}

bool Connection::ReadHead(ByteBuffer& buffer) {
  if (seen_ > 0 && !MayEndHead(buffer.view(), seen_, io_.limits())) {
    seen_ = buffer.size();
    return false;
  }
  BeginExchange();
  Exchange& exchange = this->exchange();
  HttpFault fault;
  switch (ParseHead(buffer.view(), io_.limits(), exchange.head, exchange.request.headers, fault)) {
    case HeadState::kIncomplete:
      if (std::exchange(seen_, buffer.size()) == 0) deadline_ = io_.loop().now() + io_.limits().header_deadline;
      idle_ = false;
      return false;
    case HeadState::kRefused:
      Refuse(fault);
      return false;
    case HeadState::kComplete:
      break;
  }
  seen_ = 0;
  idle_ = false;
  return true;
}

/// Looks at what the head at hand announces. True when the request is whole and can be answered.
bool Connection::StartBody(ByteBuffer& buffer) {
  Exchange& exchange = this->exchange();
  const RequestHead& head = exchange.head;
  Route();
  head_bytes_ = head.bytes;
  content_length_ = static_cast<size_t>(std::max<int64_t>(head.content_length, 0));
  body_.reset();
  const bool framed = !head.chunked && buffer.size() >= head_bytes_ + content_length_;
  const bool coded = !head.content_encoding.empty() && (head.chunked || content_length_ > 0);
  const bool fits = head.content_length <= BodyLimit();
  if (!exchange.fault && !(framed && fits && !coded) && OpenStream(buffer)) return false;
  if (!exchange.fault && !fits) exchange.fault = kTooLarge;
  if (framed && (!coded || exchange.fault)) return true;  // Answer() sees to a fault
  if (exchange.fault) {
    Refuse(exchange.fault);
    return false;
  }
  state_ = State::kBody;
  if (head.chunked || coded) {
    body_ = std::make_unique<Body>(ReaderOptions(BodyLimit()));
    if (ReadBody(buffer)) return true;
    if (state_ != State::kBody) return false;
  }
  if (IsCrowded() || !MayGrow(head.content_length, head.content_length)) {
    Refuse(IsCrowded() ? kTooManyInFlight : kNoMemoryInFlight);
    return false;
  }
  if (buffer.size() == head_bytes_) SendContinue();
  deadline_ = io_.loop().now() + io_.limits().body_deadline;
  StartRate();
  SetWaiting(true);
  return false;
}

bool Connection::IsCrowded() const {
  return io_.context().in_flight.load(std::memory_order_relaxed) >= io_.limits().requests_in_flight;
}

void Connection::SendContinue() {
  if (!exchange().head.expects_continue) return;
  transport_.Send(kContinue);
}

int64_t Connection::BodyLimit() const {
  const struct Route* route = exchange().match.route;
  const int64_t general = io_.limits().body_bytes;
  const int64_t limit = route == nullptr ? general : route->body_bytes.value_or(general);
  const int64_t memory = io_.limits().memory_in_flight;
  return memory > 0 ? std::min(limit, memory) : limit;
}

BodyReader::Options Connection::ReaderOptions(int64_t limit) const {
  const HttpLimits& limits = io_.limits();
  const RequestHead& head = exchange().head;
  BodyReader::Options options;
  options.content_length = head.chunked ? -1 : std::max<int64_t>(head.content_length, 0);
  options.coding = ParseContentCoding(head.content_encoding).value_or(ContentCoding::kIdentity);
  options.body_bytes = limit;
  options.chunk_count = limits.chunk_count;
  options.decoded.decoded_bytes = limits.decoded_bytes > 0 ? std::min(limits.decoded_bytes, limit) : limit;
  options.decoded.ratio = limits.decoded_ratio;
  return options;
}

/// True when the body is whole.
bool Connection::ReadBody(ByteBuffer& buffer) {
  if (body_ == nullptr) return buffer.size() >= head_bytes_ + content_length_;
  std::string_view in = buffer.view().substr(head_bytes_);
  const size_t offered = in.size();
  std::string_view piece;
  bool fits = true;
  while (fits && body_->reader.Next(in, piece)) fits = KeepPiece(piece);
  buffer.EraseBehind(head_bytes_, offered - in.size());
  if (!fits || body_->reader.fault()) {
    ReadAgain(buffer.view());
    Refuse(fits ? body_->reader.fault() : kNoMemoryInFlight);
    return false;
  }
  if (body_->reader.done() && body_->whole.empty()) body_->whole.reserve(ByteBuffer::kPadding);
  return body_->reader.done();
}

/// Puts the request whose head stands at the start of `head` back into the exchange. It was within the limits of the
/// time when it came.
void Connection::ReadAgain(std::string_view head) {
  BeginExchange();
  Exchange& exchange = this->exchange();
  HttpFault fault;
  constexpr HttpLimits kAny{.target_bytes = INT64_MAX / 2, .head_bytes = INT64_MAX / 2, .header_count = INT_MAX};
  if (ParseHead(head, kAny, exchange.head, exchange.request.headers, fault) == HeadState::kComplete) {
    Route();
  }
}

void Connection::BeginExchange() {
  Exchange& exchange = this->exchange();
  Request& request = exchange.request;
  request.method = Method::kGet;
  request.head_only = false;
  request.target = request.path = request.query = request.body = {};
  request.headers.clear();
  request.remote_address = peer_;
  request.peer_identity = transport_.peer();
  request.parameter_count = 0;
  request.route = nullptr;
  request.traceparent = {};
  request.trace.reset();
  request.received = io_.loop().now();
  request.waited = io_.loop().waited();
  request.thread = io_.index();
  base::FillRequestId(exchange.own_id);
  request.id = {exchange.own_id.data(), exchange.own_id.size()};
  exchange.head = {};
  exchange.match = {};
  exchange.fault = {};
  exchange.response.Clear();
}

void Connection::Route() {
  Exchange& exchange = this->exchange();
  const RequestHead& head = exchange.head;
  Request& request = exchange.request;
  request.method = head.method == Method::kHead ? Method::kGet : head.method;
  request.head_only = head.method == Method::kHead;
  request.target = head.target;
  request.path = head.path;
  request.query = head.query;
  request.traceparent = head.traceparent;
  if (IsSaneRequestId(head.request_id)) request.id = head.request_id;
  exchange.match = io_.context().options.listeners[listener_].routes.Find(request.method, head.path, request);
  request.route = exchange.match.route;
  exchange.fault = FindFault();
}

HttpFault Connection::FindFault() const {
  const Exchange& exchange = this->exchange();
  const RequestHead& head = exchange.head;
  const auto* route = exchange.match.route;
  if (route == nullptr) {
    const bool exists = !exchange.match.allow.empty();
    if (head.method == Method::kOther && !exists) return kUnknownMethod;  // where there is something, Allow says more
    const bool asks_options = head.method == Method::kOptions && (exists || head.path == "*");
    if (!asks_options) return exists ? kWrongMethod : kNotFound;
  }
  if (exchange.match.broken_parameter) return kBrokenPath;
  if (!head.content_encoding.empty() && !ParseContentCoding(head.content_encoding)) return kUnknownCoding;
  if (route != nullptr && route->requires_body && head.content_length < 0 && !head.chunked) return kNoLength;
  return {};
}

void Connection::Answer(ByteBuffer& buffer) {
  Exchange& exchange = this->exchange();
  exchange.request.body =
      body_ != nullptr ? std::string_view(body_->whole) : buffer.view().substr(head_bytes_, content_length_);
  CallHandler();
  if (exchange.response.in_vain) io_.loop().PreferNewest();
  if (exchange.response.later) [[unlikely]] {
    PutOff(buffer);
    return;
  }
  SetWaiting(false);
  state_ = State::kHead;
  const size_t used = head_bytes_ + (body_ != nullptr ? 0 : content_length_);
  Send(EndsAfterThis(), buffer.size() > used);
  buffer.Consume(used);
  body_.reset();
  if (state_ == State::kHead) BecomeIdle();
}

bool Connection::EndsAfterThis() {
  const Exchange& exchange = this->exchange();
  const int64_t most = io_.limits().requests_per_connection;
  ++answers_;
  return !exchange.head.keep_alive || exchange.response.close || io_.winding_down() || (answers_ >= most && most > 0);
}

void Connection::BecomeIdle() {
  idle_ = true;
  deadline_ = io_.loop().now() + io_.limits().idle_timeout;
}

void Connection::AnswerOptions() {
  Exchange& exchange = this->exchange();
  const std::string_view allow = exchange.match.allow.empty() ? "GET, HEAD, POST, OPTIONS" : exchange.match.allow;
  exchange.response.status = 204;
  exchange.response.AddHeader("Allow", allow);
  const CorsOptions& cors = io_.conduct().cors;
  if (!cors.enabled() || exchange.request.Header("Access-Control-Request-Method").empty()) return;
  std::string lines;
  AppendPreflightHeaders(cors, exchange.head.origin, allow, exchange.request.Header("Access-Control-Request-Headers"),
                         lines);
  exchange.response.AddHeaderLines(lines);
}

void Connection::CallHandler() {
  Exchange& exchange = this->exchange();
  if (exchange.fault) {
    WriteFault(exchange.fault);
    return;
  }
  if (exchange.request.route == nullptr) {  // OPTIONS
    AnswerOptions();
    return;
  }
  CallSafely([&] { exchange.request.route->handler(exchange.request, exchange.response); });
}

void Connection::FailHandler(const char* what) {
  LogFailure(what);
  exchange().response.Clear();
  WriteFault(kHandlerFailed);
}

void Connection::LogFailure(const char* what) {
  if (io_.context().options.log == nullptr) return;
  io_.context()
      .options.log->Line(telemetry::LogLevel::kError, "http.handler_failed")
      .Add("request_id", exchange().request.id)
      .Add("path", exchange().request.path)
      .Add("what", what);
}

void Connection::WriteFault(const HttpFault& fault) {
  Exchange& exchange = this->exchange();
  exchange.match.fault_shape(fault, exchange.request, exchange.response);
  if (fault.status == 405) exchange.response.AddHeader("Allow", exchange.match.allow);
  if (fault.status == 415) exchange.response.AddHeader("Accept-Encoding", kTakenCodings);
  const bool later = fault.status == 429 || fault.status == 503;
  if (later && !exchange.response.HasHeader("Retry-After")) exchange.response.AddHeader("Retry-After", "1");
  io_.CountRefusal(fault.code);
}

void Connection::Refuse(const HttpFault& fault) {
  WriteFault(fault);
  SetWaiting(false);
  Send(true, true);
}

void Connection::WriteHead(bool close, int64_t length) {
  Exchange& exchange = this->exchange();
  const auto& before_head = io_.context().options.before_head;
  if (before_head) before_head(exchange.request, exchange.response);
  const Response& response = exchange.response;
  std::string& text = exchange.head_text;
  if (response.status == 200) {
    text = "HTTP/1.1 200 OK\r\n";
  } else {
    text = "HTTP/1.1 ";
    AppendNumber(text, static_cast<uint64_t>(response.status));
    text += ' ';
    text += StatusPhrase(response.status);
    text += "\r\n";
  }
  text += io_.DateLine();
  if (response.status != 204 && response.status != 304) {
    if (!response.content_type.empty()) {
      text += "Content-Type: ";
      text += response.content_type;
      text += "\r\n";
    }
    if (length < 0) {
      text += "Transfer-Encoding: chunked\r\n";
    } else {
      text += "Content-Length: ";
      AppendNumber(text, static_cast<uint64_t>(length));
      text += "\r\n";
    }
  }
  text += "X-Request-Id: ";
  text += exchange.request.id;
  text += "\r\n";
  text += response.header_text();
  if (const CorsOptions& cors = io_.conduct().cors; cors.enabled()) {
    AppendCorsHeaders(cors, exchange.head.origin, text);
  }
  // HTTP/1.0 clients that asked to keep the connection must be told that it is kept.
  text += close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
}

/// The content as it is sent: coded when the client takes that and it pays.
std::string_view Connection::EncodeContent() {
  Exchange& exchange = this->exchange();
  const std::string_view content = exchange.response.content();
  const CompressionOptions& compression = io_.conduct().compression;
  if (!compression.enabled || std::ssize(content) < compression.min_bytes || exchange.response.content_type.empty()) {
    return content;
  }
  exchange.response.AddHeaderLines("Vary: Accept-Encoding\r\n");
  const ContentCoding coding = ChooseCoding(exchange.request.Header("Accept-Encoding"));
  if (coding == ContentCoding::kIdentity || !io_.encoder().Encode(coding, content, exchange.coded)) return content;
  exchange.response.AddHeaderLines(coding == ContentCoding::kZstd ? "Content-Encoding: zstd\r\n"
                                                                  : "Content-Encoding: gzip\r\n");
  return exchange.coded;
}

void Connection::Send(bool close, bool unread) {
  Exchange& exchange = this->exchange();
  std::string_view content = EncodeContent();
  WriteHead(close, std::ssize(content));
  const bool bodiless =
      exchange.request.head_only || exchange.response.status == 204 || exchange.response.status == 304;
  if (bodiless) content = {};
  const ssize_t sent = transport_.Send(exchange.head_text, content);
  Count();
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    Close();
    return;
  }
  const size_t taken = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  if (taken == exchange.head_text.size() + content.size()) {
    EndAnswer(close, unread);
    return;
  }
  const size_t rest = exchange.head_text.size() + content.size() - taken;
  if (!MayGrow(static_cast<int64_t>(rest), static_cast<int64_t>(rest))) {
    io_.CountRefusal(kNoMemoryInFlight.code);  // too late to say so
    Close();
    return;
  }
  unsent_.clear();
  unsent_at_ = 0;
  const size_t of_head = std::min(taken, exchange.head_text.size());
  unsent_.append(exchange.head_text, of_head);
  unsent_.append(content.substr(taken - of_head));
  Await(close, unread);
}

/// Waits for the peer to take the rest of the answer.
void Connection::Await(bool close, bool unread) {
  close_after_ = close;
  unread_after_ = unread;
  state_ = State::kSending;
  deadline_ = io_.loop().now() + io_.limits().write_deadline;
  SetWaiting(true);
  WaitFor(EPOLLOUT);
}

/// True when everything is written; false when the peer does not take more now, or is gone.
bool Connection::WriteUnsent() {
  while (unsent_at_ < unsent_.size()) {
    const ssize_t sent = transport_.Send(std::string_view(unsent_).substr(unsent_at_));
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent <= 0) {
      Close();
      return false;
    }
    unsent_at_ += static_cast<size_t>(sent);
    deadline_ = io_.loop().now() + io_.limits().write_deadline;
  }
  unsent_at_ = 0;
  if (unsent_.capacity() > kKeptUnsent) std::string().swap(unsent_);
  unsent_.clear();
  return true;
}

void Connection::Flush() {
  if (!WriteUnsent()) return;
  std::string().swap(unsent_);
  SetWaiting(false);
  WaitFor(ReadEvents());
  EndAnswer(close_after_ || io_.draining(), unread_after_);
  if (state_ != State::kHead) return;
  BecomeIdle();
  Advance(in_);  // requests that arrived behind the one just answered
  if (state_ == State::kStream) SendPieces(false);
}

void Connection::EndAnswer(bool close, bool unread) {
  if (!close) {
    state_ = State::kHead;
  } else if (!unread && !transport_.IsReadable()) {
    Close();
  } else {
    Linger();
  }
}

void Connection::Discard() {
  ByteBuffer& scratch = io_.scratch();
  scratch.Reserve(kReadBytes);
  if (transport_.Discard(scratch.tail(), scratch.free())) Close();
}

void Connection::SetWaiting(bool waiting) {
  if (waiting_ == waiting) return;
  waiting_ = waiting;
  io_.context().in_flight.fetch_add(waiting ? 1 : -1, std::memory_order_relaxed);
  io_.context().waiting.Add(waiting ? 1 : -1);
}

void Connection::Count() {
  const Exchange& exchange = this->exchange();
  const ServerContext& context = io_.context();
  const auto elapsed = base::Clock::System().Now() - exchange.request.received;
  const auto& route = exchange.request.route;
  const RouteMetrics& metrics =
      route == nullptr ? context.unrouted : context.route_metrics[listener_][static_cast<size_t>(route->index)];
  metrics.answers[static_cast<size_t>(std::clamp(exchange.response.status / 100, 0, 5))].Add();
  metrics.duration.Observe(elapsed.count());
  if (context.options.on_answer) context.options.on_answer(exchange.request, exchange.response, elapsed);
}

}  // namespace slipway::net

#include "net/connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>

#include "base/ids.h"

namespace slipway::net {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kMinimalRead = 4 << 10;
constexpr size_t kKeptInput = 1 << 20;
constexpr int kReadsPerTurn = 4;  ///< so that one fast sender does not starve its neighbours
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr HttpFault kNotFound = {404, "http.no_route", "there is nothing at this path; GET /models lists the models"};
constexpr HttpFault kWrongMethod = {405, "http.method_not_allowed",
                                    "this path does not take this method; the Allow "
                                    "header lists those it takes"};
constexpr HttpFault kBrokenPath = {400, "http.target", "a percent escape in the path is broken"};
constexpr HttpFault kTooLarge = {413, "http.body_too_large", "the request body is larger than this route takes"};
constexpr HttpFault kNoLength = {411, "http.length_required", "send Content-Length or a chunked body"};
constexpr HttpFault kTooManyInFlight = {429, "http.too_many_requests", "too many requests are in flight; retry later"};
constexpr HttpFault kHeadTimeout = {408, "http.header_timeout", "the request head did not arrive in time"};
constexpr HttpFault kBodyTimeout = {408, "http.body_timeout", "the request body did not arrive in time"};
constexpr HttpFault kHandlerFailed = {500, "http.internal", "the server failed to answer; its log says why"};

bool IsSaneId(std::string_view id) {
  const auto sane = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:+/=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, sane);
}

void AppendNumber(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

}  // namespace

Connection::Connection(IoThread& io, Transport transport, std::string peer, size_t listener)
    : io_(io), transport_(std::move(transport)), peer_(std::move(peer)), listener_(listener), awaited_(EPOLLIN) {
  deadline_ = io_.loop().now() + io_.limits().header_deadline;
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
  state_ = State::kClosed;
  SetWaiting(false);
  io_.loop().Forget(transport_.descriptor());
  transport_.Close();
  io_.Bury(*this);
}

void Connection::OnReady(uint32_t) {
  switch (state_) {
    case State::kHandshake:
      Handshake();
      break;
    case State::kHead:
    case State::kBody:
      Receive();
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
}

void Connection::Receive() {
  for (int round = 0; round < kReadsPerTurn && (state_ == State::kHead || state_ == State::kBody); ++round) {
    // Most requests arrive whole: they are read into the thread's buffer, and nothing is kept per connection.
    ByteBuffer& buffer = in_.empty() ? io_.scratch() : in_;
    buffer.Reserve(&buffer == &in_ ? WantedBytes() : kReadBytes);
    const size_t room = buffer.free();
    const ssize_t received = transport_.Receive(buffer.tail(), room);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (received <= 0) {
      Close();  // the peer is gone; an unfinished request has nobody to be answered to
      return;
    }
    buffer.Grow(static_cast<size_t>(received));
    Advance(buffer);
    if (&buffer != &in_ && !buffer.empty()) {
      if (state_ != State::kClosed) in_.Append(buffer.view());
      buffer.Consume(buffer.size());
    }
    if (in_.empty() && in_.capacity() > kKeptInput) in_.Release();
    if (!transport_.MayHaveMore(static_cast<size_t>(received), room)) break;
  }
  if (state_ == State::kHead || state_ == State::kBody) WaitFor(ReadEvents());
}

/// What TLS holds back, the socket will not tell of; but it is writable, and that ends the wait.
uint32_t Connection::ReadEvents() const {
  return transport_.HoldsBytes() ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

size_t Connection::WantedBytes() const {
  if (in_.free() >= kReadBytes) return 0;
  if (state_ == State::kBody && chunked_ == nullptr) {
    // Grows with what has arrived: an announced length alone reserves nothing.
    const size_t missing = head_bytes_ + content_length_ - std::min(in_.size(), head_bytes_ + content_length_);
    return std::min(std::max(missing, kMinimalRead), std::max(kReadBytes, in_.size()));
  }
  return state_ == State::kBody ? kReadBytes : kMinimalRead;
}

void Connection::Advance(ByteBuffer& buffer) {
  while (!buffer.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    bool at_hand = false;  // the exchange holds this request
    if (state_ == State::kHead) {
      if (!ReadHead(buffer) || !StartBody(buffer)) return;
      at_hand = true;
    } else if (!ReadBody(buffer)) {
      return;
    }
    if (!at_hand) ReadAgain(buffer);
    Answer(buffer);
  }
}

bool Connection::ReadHead(ByteBuffer& buffer) {
  if (seen_ > 0 && !MayEndHead(buffer.view(), seen_, io_.limits())) {
    seen_ = buffer.size();
    return false;
  }
  BeginExchange();
  Exchange& exchange = io_.exchange();
  HttpFault fault;
  switch (ParseHead(buffer.view(), io_.limits(), exchange.head, exchange.request.headers, fault)) {
    case HeadState::kIncomplete:
      seen_ = buffer.size();
      if (std::exchange(idle_, false)) deadline_ = io_.loop().now() + io_.limits().header_deadline;
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
  const Exchange& exchange = io_.exchange();
  const RequestHead& head = exchange.head;
  Route();
  head_bytes_ = head.bytes;
  content_length_ = static_cast<size_t>(std::max<int64_t>(head.content_length, 0));
  chunked_.reset();
  if (!head.chunked && buffer.size() >= head_bytes_ + content_length_) return true;  // Answer() sees to a fault
  if (exchange.fault) {
    Refuse(exchange.fault);
    return false;
  }
  state_ = State::kBody;
  if (head.chunked) {
    chunked_ = std::make_unique<ChunkedBody>();
    chunked_->Reset(BodyLimit(), io_.limits().chunk_count);
    chunked_body_.clear();
    if (ReadBody(buffer)) return true;
    if (state_ != State::kBody) return false;
  }
  if (io_.context().in_flight.load(std::memory_order_relaxed) >= io_.limits().requests_in_flight) {
    Refuse(kTooManyInFlight);
    return false;
  }
  if (head.expects_continue && buffer.size() == head_bytes_) {
    transport_.Send(kContinue);
  }
  deadline_ = io_.loop().now() + io_.limits().body_deadline;
  SetWaiting(true);
  return false;
}

int64_t Connection::BodyLimit() const {
  const struct Route* route = io_.exchange().match.route;
  const int64_t general = io_.limits().body_bytes;
  return route == nullptr ? general : route->body_bytes.value_or(general);
}

/// True when the body is whole.
bool Connection::ReadBody(ByteBuffer& buffer) {
  if (chunked_ == nullptr) return buffer.size() >= head_bytes_ + content_length_;
  const size_t taken = chunked_->Feed(buffer.view().substr(head_bytes_), chunked_body_);
  if (chunked_->fault()) {
    ReadAgain(buffer);
    Refuse(chunked_->fault());
    return false;
  }
  buffer.EraseBehind(head_bytes_, taken);
  if (chunked_->done()) chunked_body_.reserve(chunked_body_.size() + ByteBuffer::kPadding);
  return chunked_->done();
}

/// Puts the request whose head stands at the start of the buffer back into the exchange.
void Connection::ReadAgain(const ByteBuffer& buffer) {
  BeginExchange();
  Exchange& exchange = io_.exchange();
  HttpFault fault;
  if (ParseHead(buffer.view(), io_.limits(), exchange.head, exchange.request.headers, fault) == HeadState::kComplete) {
    Route();
  }
}

void Connection::BeginExchange() {
  Exchange& exchange = io_.exchange();
  Request& request = exchange.request;
  request.method = Method::kGet;
  request.head_only = false;
  request.target = request.path = request.query = request.body = {};
  request.headers.clear();
  request.remote_address = peer_;
  request.peer_identity = transport_.peer();
  request.parameter_count = 0;
  request.route = nullptr;
  request.received = io_.loop().now();
  request.thread = io_.index();
  base::FillRequestId(exchange.own_id);
  request.id = {exchange.own_id.data(), exchange.own_id.size()};
  exchange.head = {};
  exchange.match = {};
  exchange.fault = {};
  exchange.response.Clear();
}

void Connection::Route() {
  Exchange& exchange = io_.exchange();
  const RequestHead& head = exchange.head;
  Request& request = exchange.request;
  request.method = head.method == Method::kHead ? Method::kGet : head.method;
  request.head_only = head.method == Method::kHead;
  request.target = head.target;
  request.path = head.path;
  request.query = head.query;
  if (IsSaneId(head.request_id)) request.id = head.request_id;
  exchange.match = io_.context().options.listeners[listener_].routes.Find(request.method, head.path, request);
  request.route = exchange.match.route;
  exchange.fault = FindFault();
}

HttpFault Connection::FindFault() const {
  const Exchange& exchange = io_.exchange();
  const RequestHead& head = exchange.head;
  const auto* route = exchange.match.route;
  const bool exists = !exchange.match.allow.empty();
  const bool asks_options = head.method == Method::kOptions && (exists || head.path == "*");
  if (route == nullptr && !asks_options) return exists ? kWrongMethod : kNotFound;
  if (exchange.match.broken_parameter) return kBrokenPath;
  if (head.content_length > BodyLimit()) return kTooLarge;
  if (route != nullptr && route->requires_body && head.content_length < 0 && !head.chunked) return kNoLength;
  return {};
}

void Connection::Answer(ByteBuffer& buffer) {
  Exchange& exchange = io_.exchange();
  const bool chunked = chunked_ != nullptr;
  exchange.request.body =
      chunked ? std::string_view(chunked_body_) : buffer.view().substr(head_bytes_, content_length_);
  CallHandler();
  SetWaiting(false);
  state_ = State::kHead;
  const bool close = !exchange.head.keep_alive || exchange.response.close || io_.draining();
  const size_t used = head_bytes_ + (chunked ? 0 : content_length_);
  Send(close, buffer.size() > used);
  buffer.Consume(used);
  chunked_.reset();
  if (chunked_body_.capacity() > kKeptInput) std::string().swap(chunked_body_);
  if (state_ == State::kHead) {
    idle_ = true;
    deadline_ = io_.loop().now() + io_.limits().idle_timeout;
  }
}

void Connection::CallHandler() {
  Exchange& exchange = io_.exchange();
  if (exchange.fault) {
    WriteFault(exchange.fault);
    return;
  }
  if (exchange.request.route == nullptr) {  // OPTIONS
    exchange.response.status = 204;
    exchange.response.AddHeader("Allow",
                                exchange.match.allow.empty() ? "GET, HEAD, POST, OPTIONS" : exchange.match.allow);
    return;
  }
  try {
    exchange.request.route->handler(exchange.request, exchange.response);
  } catch (const std::exception& failure) {
    if (io_.context().options.log != nullptr) {
      io_.context()
          .options.log->Line(telemetry::LogLevel::kError, "http.handler_failed")
          .Add("request_id", exchange.request.id)
          .Add("path", exchange.request.path)
          .Add("what", failure.what());
    }
    exchange.response.Clear();
    WriteFault(kHandlerFailed);
  }
}

void Connection::WriteFault(const HttpFault& fault) {
  Exchange& exchange = io_.exchange();
  exchange.match.fault_shape(fault, exchange.request, exchange.response);
  if (fault.status == 405) exchange.response.AddHeader("Allow", exchange.match.allow);
  if (fault.status == 429 || fault.status == 503) exchange.response.AddHeader("Retry-After", "1");
  io_.CountRefusal(fault.code);
}

void Connection::Refuse(const HttpFault& fault) {
  WriteFault(fault);
  SetWaiting(false);
  Send(true, true);
}

void Connection::WriteHead(bool close) {
  Exchange& exchange = io_.exchange();
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
    text += "Content-Length: ";
    AppendNumber(text, response.content().size());
    text += "\r\n";
  }
  text += "X-Request-Id: ";
  text += exchange.request.id;
  text += "\r\n";
  text += response.header_text();
  // HTTP/1.0 clients that asked to keep the connection must be told that it is kept.
  text += close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
}

void Connection::Send(bool close, bool unread) {
  Exchange& exchange = io_.exchange();
  WriteHead(close);
  const bool bodiless =
      exchange.request.head_only || exchange.response.status == 204 || exchange.response.status == 304;
  const std::string_view content = bodiless ? std::string_view() : exchange.response.content();
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
  unsent_.clear();
  unsent_at_ = 0;
  const size_t of_head = std::min(taken, exchange.head_text.size());
  unsent_.append(exchange.head_text, of_head);
  unsent_.append(content.substr(taken - of_head));
  close_after_ = close;
  unread_after_ = unread;
  state_ = State::kSending;
  deadline_ = io_.loop().now() + io_.limits().write_deadline;
  SetWaiting(true);
  WaitFor(EPOLLOUT);
}

void Connection::Flush() {
  while (unsent_at_ < unsent_.size()) {
    const ssize_t sent = transport_.Send(std::string_view(unsent_).substr(unsent_at_));
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent <= 0) {
      Close();
      return;
    }
    unsent_at_ += static_cast<size_t>(sent);
    deadline_ = io_.loop().now() + io_.limits().write_deadline;
  }
  std::string().swap(unsent_);
  SetWaiting(false);
  WaitFor(ReadEvents());
  EndAnswer(close_after_ || io_.draining(), unread_after_);
  if (state_ != State::kHead) return;
  idle_ = true;
  deadline_ = io_.loop().now() + io_.limits().idle_timeout;
  Advance(in_);  // requests that arrived behind the one just answered
}

void Connection::EndAnswer(bool close, bool unread) {
  if (!close) {
    state_ = State::kHead;
  } else if (!unread) {
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

void Connection::OnTick(base::SteadyTime now) {
  if (idle_ && in_.empty() && in_.capacity() > 0) in_.Release();
  if (now < deadline_) return;
  const bool begun = !in_.empty();
  if (state_ == State::kHandshake) {
    GiveUpHandshake(tls::HandshakeOutcome::kTimeout);
  } else if (state_ == State::kHead && begun) {
    BeginExchange();
    Refuse(kHeadTimeout);
  } else if (state_ == State::kBody) {
    ReadAgain(in_);
    Refuse(kBodyTimeout);
  } else {
    Close();
  }
}

void Connection::OnDrain() {
  if (state_ == State::kHandshake || (state_ == State::kHead && in_.empty() && !transport_.IsReadable())) Close();
}

void Connection::SetWaiting(bool waiting) {
  if (waiting_ == waiting) return;
  waiting_ = waiting;
  io_.context().in_flight.fetch_add(waiting ? 1 : -1, std::memory_order_relaxed);
  io_.context().waiting.Add(waiting ? 1 : -1);
}

void Connection::Count() {
  const Exchange& exchange = io_.exchange();
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

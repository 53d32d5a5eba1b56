// A whole connection: bytes go through a socket pair, cut as the input says, into a real IoThread with a few routes. No
// crash, no hang, every answer well-formed, and never more answers than a strict reader of the same bytes finds
// requests.
//
// The first byte tells how the rest is cut: 0 sends all at once, n sends n bytes a turn.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/body_reader.h"
#include "net/io_thread.h"

using namespace slipway::net;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

class Echo final : public StreamedAnswer {
 public:
  bool Start(const Request&, Response&) override { return true; }
  bool OnBody(std::string_view piece, const Request&, Response& response) override {
    response.body += piece;
    return true;
  }
  bool OnEnd(const Request&, Response&) override { return true; }
  void OnFault(const HttpFault& fault, const Request&, Response& response) override { response.body += fault.code; }
  void OnDone(const Request&, const Response&) override {}
};

ServerContext& Context() {
  static ServerContext* context = [] {
    auto* made = new ServerContext;
    RouteTable routes;
    (void)routes.Add({.method = Method::kGet,
                      .pattern = "/g",
                      .permission = "public",
                      .handler = [](const Request&, Response& response) { response.body = "got"; }});
    const Handler echo = [](const Request& request, Response& response) { response.body = request.body; };
    (void)routes.Add({.method = Method::kPost, .pattern = "/e", .permission = "public", .handler = echo});
    (void)routes.Add({.method = Method::kPost,
                      .pattern = "/s",
                      .permission = "public",
                      .handler = echo,
                      .stream = [](const Request&) { return std::make_unique<Echo>(); }});
    made->options.listeners.emplace_back().routes = std::move(routes);
    made->options.conduct.limits.body_bytes = 4096;
    made->options.conduct.limits.streamed_bytes = 8192;
    made->options.conduct.limits.head_bytes = 2048;
    made->options.conduct.limits.requests_per_turn = 4;
    made->RegisterMetrics();
    return made;
  }();
  return *context;
}

/// How many answers the bytes allow at most, by reading them as RFC 9112 says: one a request, and one for what is
/// refused.
int MostAnswers(std::string_view bytes) {
  int answers = 0;
  const HttpLimits& limits = Context().options.conduct.limits;
  while (!bytes.empty()) {
    RequestHead head;
    std::vector<HeaderField> headers;
    HttpFault fault;
    const HeadState state = ParseHead(bytes, limits, head, headers, fault);
    if (state == HeadState::kIncomplete) break;
    ++answers;
    if (state == HeadState::kRefused || !head.keep_alive) break;
    if (head.expects_continue) ++answers;
    bytes.remove_prefix(head.bytes);
    BodyReader::Options options;
    options.content_length = head.chunked ? -1 : std::max<int64_t>(head.content_length, 0);
    options.body_bytes = limits.streamed_bytes;
    options.chunk_count = 1 << 20;
    BodyReader reader(options);
    for (std::string_view part; reader.Next(bytes, part);) {
    }
    if (!reader.done()) break;
  }
  return answers;
}

bool TakeChunked(std::string_view& text, bool ended) {
  for (;;) {
    const size_t line = text.find("\r\n");
    if (line == std::string_view::npos) return Check(ended), false;
    const size_t size = std::strtoull(std::string(text.substr(0, line)).c_str(), nullptr, 16);
    if (text.size() < line + 2 + size + 2) return Check(ended), false;
    Check(text.substr(line + 2 + size, 2) == "\r\n");
    text.remove_prefix(line + 2 + size + 2);
    if (size == 0) return true;
  }
}

/// Counts well-formed answers. Only a chunked one may break off, and then the connection has ended.
int CountAnswers(std::string_view text, bool ended) {
  int answers = 0;
  while (!text.empty()) {
    Check(text.starts_with("HTTP/1.1 "));
    const size_t end = text.find("\r\n\r\n");
    Check(end != std::string_view::npos);
    const std::string_view head = text.substr(0, end + 2);
    text.remove_prefix(end + 4);
    ++answers;
    if (head.starts_with("HTTP/1.1 100")) continue;
    if (head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string_view::npos) {
      if (!TakeChunked(text, ended)) return answers;
      continue;
    }
    const size_t at = head.find("\r\nContent-Length: ");
    if (at == std::string_view::npos) continue;  // 204
    const size_t length = std::strtoull(std::string(head.substr(at + 18)).c_str(), nullptr, 10);
    // An answer to HEAD has a length and no body: what follows is the next answer, or nothing.
    if (text.empty() || (length > 0 && text.starts_with("HTTP/1.1 "))) continue;
    Check(text.size() >= length);
    text.remove_prefix(length);
  }
  return answers;
}

bool Drain(int socket, std::string& received) {
  char bytes[65536];
  for (;;) {
    const ssize_t count = ::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count <= 0) return count == 0;
    received.append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 32768) return 0;
  const size_t piece = data[0] == 0 ? size : data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return 0;
  auto io = IoThread::Create(Context(), 0);
  Check(io.has_value());
  (*io)->Adopt(Descriptor(pair[1]), 0);
  Descriptor mine(pair[0]);
  std::string received;
  bool ended = false;
  for (std::string_view rest = bytes; !rest.empty() && !ended;) {
    const ssize_t sent = ::send(mine.get(), rest.data(), std::min(piece, rest.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) rest.remove_prefix(static_cast<size_t>(sent));
    (*io)->Turn();
    ended = Drain(mine.get(), received) || (sent < 0 && errno == EPIPE);
  }
  for (int turn = 0; turn < 64; ++turn) {
    const size_t before = received.size();
    (*io)->Turn();
    ended |= Drain(mine.get(), received);
    if (turn > 8 && received.size() == before) break;
  }
  ::shutdown(mine.get(), SHUT_WR);
  (*io)->Turn();
  (*io)->Turn();
  ended |= Drain(mine.get(), received);
  Check(CountAnswers(received, ended) <= MostAnswers(bytes));
  io->reset();
  Check(Context().connections == 0 && Context().in_flight == 0);
  return 0;
}

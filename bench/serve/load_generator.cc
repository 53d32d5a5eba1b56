// load_generator: sends HTTP requests over keep-alive connections and measures the answers.
//
//   load_generator --port N --path PATH --rows FILE [--expect FILE --field NAME] [--connections N] [--rate R]
//                  [--seconds S] [--header LINE] [--deadline S] [--slice S] [--then-rate R --then-seconds S]
//   load_generator (--port N | --unix SOCKET) --script FILE [--connections N] [--rate R] [--seconds S] [--sleep 1]
//
// Closed loop (no --rate): each connection sends its next request when the last one is answered. Open loop (--rate R):
// requests are planned ahead at R a second with exponential gaps (a fixed seed), sent on any free connection, and their
// latency counts from the planned time, so that a server that stalls is charged for everyone who waited.
// Rows are sent in turn. With --expect, line i of that file is the number that the answer to row i must give as NAME,
// up to 1e-6 + 1e-5 relative (float32 sums in another order). A script holds whole requests, each with the exact body
// of its answer: four bytes of length (little-endian) before either. Prints one JSON object: counts, errors by kind,
// latency quantiles in µs.
//
// --deadline: callers of an open loop wait so long. An answer within it is "good"; a request that no connection was
// free for until then is never sent ("unsent"). --then-rate: the rate after --seconds, for --then-seconds more.
// --slice: what became of the requests planned in each slice of the run.
//
// An open loop spins, so that planned times are kept, which takes a core of its own; with --sleep it waits in the
// kernel.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "load_report.h"

namespace slipway {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  std::string path, rows, expect, field, header, script, unix_socket;
  int connections = 16;
  bool sleeps = false;
  double rate = 0, seconds = 3, then_rate = 0, then_seconds = 0, deadline = 0, slice = 0;
};

Clock::duration Seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

struct Connection {
  int socket = -1;
  bool busy = false;
  size_t row = 0;
  Clock::time_point due;
  std::string in;
};

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Takes a length of four bytes and as many bytes off the front of `text`.
std::string TakeCounted(std::string_view& text) {
  uint32_t size = 0;
  if (text.size() < sizeof size) return {};
  std::memcpy(&size, text.data(), sizeof size);
  std::string taken(text.substr(sizeof size, size));
  text.remove_prefix(std::min(text.size(), sizeof size + size));
  return taken;
}

/// The value of a header of a response head, whose lines all end in CRLF; `name` in lower case.
std::string_view HeaderOf(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return a == (b | 0x20); })) continue;
    const size_t value = line.find_first_not_of(' ', name.size() + 1);
    return line.substr(std::min(value, line.size()));
  }
  return {};
}

/// The body of a whole answer; nullopt when more of it is to come.
std::optional<std::string> BodyOf(std::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view head = answer.substr(0, end + 2);
  std::string_view rest = answer.substr(end + 4);
  if (HeaderOf(head, "transfer-encoding") != "chunked") {
    const size_t size = std::strtoul(std::string(HeaderOf(head, "content-length")).c_str(), nullptr, 10);
    if (rest.size() < size) return std::nullopt;
    return std::string(rest.substr(0, size));
  }
  for (std::string body;;) {
    const size_t line = rest.find("\r\n");
    if (line == std::string_view::npos) return std::nullopt;
    const size_t size = std::strtoul(std::string(rest.substr(0, line)).c_str(), nullptr, 16);
    if (rest.size() < line + 2 + size + 2) return std::nullopt;
    body += rest.substr(line + 2, size);
    rest.remove_prefix(line + 2 + size + 2);
    if (size == 0) return body;
  }
}

class Generator {
 public:
  explicit Generator(Options options)
      : options_(std::move(options)),
        deadline_(options_.deadline > 0 ? Seconds(options_.deadline) : Clock::duration::max()),
        report_(deadline_, Seconds(options_.slice)) {
    if (!options_.script.empty()) {
      std::ifstream file(options_.script, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      for (std::string_view rest = bytes; !rest.empty();) {
        requests_.push_back(TakeCounted(rest));
        answers_.push_back(TakeCounted(rest));
      }
      return;
    }
    for (const auto& row : ReadLines(options_.rows)) {
      requests_.push_back(
          fmt::format("POST {} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{}"
                      "Content-Length: {}\r\n\r\n{}",
                      options_.path, options_.header.empty() ? "" : options_.header + "\r\n", row.size(), row));
    }
    if (!options_.expect.empty()) {
      for (const auto& line : ReadLines(options_.expect)) expected_.push_back(std::strtod(line.c_str(), nullptr));
    }
    needle_ = "\"" + options_.field + "\":";
  }

  void Run() {
    epoll_ = ::epoll_create1(0);
    connections_.resize(static_cast<size_t>(options_.connections));
    for (auto& connection : connections_) Open(connection);
    for (auto& connection : std::views::reverse(connections_)) free_.push_back(&connection);
    start_ = Clock::now();
    turn_ = start_ + Seconds(options_.seconds);
    end_ = turn_ + Seconds(options_.then_seconds);
    next_due_ = start_;
    report_.Begin(start_);
    if (options_.rate <= 0) {
      for (auto& connection : connections_) Send(connection, Clock::now());
    }
    const auto give_up = end_ + std::chrono::seconds(2);
    while (Clock::now() < give_up && (Clock::now() < end_ || busy_ > 0 || !waiting_.empty())) {
      PlanDue();
      Poll();
    }
    elapsed_ = std::chrono::duration<double>(std::min(Clock::now(), end_) - start_).count();
  }

  void Print() { report_.Print(elapsed_, busy_ + static_cast<int64_t>(waiting_.size())); }

 private:
  void Open(Connection& connection) {
    connection = {};
    if (!(options_.unix_socket.empty() ? ConnectTcp(connection) : ConnectUnix(connection))) {
      fmt::print(stderr, "cannot connect to {}{}: {}\n", options_.port, options_.unix_socket, std::strerror(errno));
      std::exit(1);
    }
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
  }

  bool ConnectTcp(Connection& connection) const {
    connection.socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return ::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool ConnectUnix(Connection& connection) const {
    connection.socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    options_.unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  /// Requests whose time has come are sent, or wait for a connection.
  void PlanDue() {
    if (options_.rate <= 0) return;
    const auto now = Clock::now();
    while (next_due_ <= now && next_due_ < end_) {
      waiting_.push_back(next_due_);
      const double rate = next_due_ < turn_ ? options_.rate : options_.then_rate;
      next_due_ += Seconds(gap_(random_) / rate);
    }
    while (!waiting_.empty() && now - waiting_.front() > deadline_) {
      report_.CountUnsent(waiting_.front());
      waiting_.pop_front();
    }
    while (!waiting_.empty() && !free_.empty()) {
      Connection& connection = *free_.back();
      free_.pop_back();
      // Callers with a deadline do not queue behind each other: a connection that becomes free serves who asks then.
      const bool newest = options_.deadline > 0;
      Send(connection, newest ? waiting_.back() : waiting_.front());
      newest ? waiting_.pop_back() : waiting_.pop_front();
    }
  }

  void Send(Connection& connection, Clock::time_point due) {
    connection.busy = true;
    ++busy_;
    connection.row = next_row_;
    next_row_ = (next_row_ + 1) % requests_.size();
    connection.due = due;
    const std::string& text = requests_[connection.row];
    for (size_t at = 0; at < text.size();) {
      const ssize_t sent = ::send(connection.socket, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) {
        Lose(connection);
        return;
      }
      at += static_cast<size_t>(sent);
    }
    report_.CountSent();
  }

  void Poll() {
    std::array<epoll_event, 256> events;
    timespec wait{};
    if (options_.sleeps || options_.rate <= 0) {
      const auto left =
          options_.rate > 0 && next_due_ < end_ ? next_due_ - Clock::now() : std::chrono::milliseconds(100);
      const auto count = std::clamp<int64_t>(std::chrono::nanoseconds(left).count(), 0, 100'000'000);
      wait.tv_nsec = waiting_.empty() ? static_cast<long>(count) : 100'000;
    }
    const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &wait, nullptr);
    for (int i = 0; i < count; ++i) Receive(*static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr));
  }

  void Receive(Connection& connection) {
    std::array<char, 65536> bytes;
    const ssize_t received = ::recv(connection.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) {
      Lose(connection);
      return;
    }
    connection.in.append(bytes.data(), static_cast<size_t>(received));
    if (const auto body = BodyOf(connection.in)) Finish(connection, *body);
  }

  void Finish(Connection& connection, std::string_view body) {
    const auto now = Clock::now();
    report_.CountAnswer(connection.due, now, end_, Judge(connection, body));
    connection.in.clear();
    connection.busy = false;
    --busy_;
    GoOn(connection, now);
  }

  /// A connection that is free again.
  void GoOn(Connection& connection, Clock::time_point now) {
    if (options_.rate > 0) {
      free_.push_back(&connection);
    } else if (now < end_) {
      Send(connection, now);
    }
  }

  LoadReport::Answer Judge(const Connection& connection, std::string_view body) const {
    if (!std::string_view(connection.in).starts_with("HTTP/1.1 200")) return LoadReport::Answer::kRefused;
    if (!answers_.empty() && body != answers_[connection.row]) {
      fmt::print(stderr, "wrong answer to request {}: {:.300}\n", connection.row, body);
      return LoadReport::Answer::kWrong;
    }
    const bool right = expected_.empty() || Agrees(body, expected_[connection.row]);
    return right ? LoadReport::Answer::kRight : LoadReport::Answer::kWrong;
  }

  bool Agrees(std::string_view body, double expected) const {
    const size_t at = body.find(needle_);
    if (at == std::string_view::npos) return false;
    const std::string text(body.substr(at + needle_.size(), 40));
    return std::abs(std::strtod(text.c_str(), nullptr) - expected) <= 1e-6 + 1e-5 * std::abs(expected);
  }

  void Lose(Connection& connection) {
    const bool busy = connection.busy;  // a connection that idled is closed in good order
    ::close(connection.socket);
    Open(connection);
    if (!busy) return;
    report_.CountBroken();
    --busy_;
    GoOn(connection, Clock::now());
  }

  const Options options_;
  const Clock::duration deadline_;
  LoadReport report_;
  std::vector<std::string> requests_, answers_;
  std::vector<double> expected_;
  std::string needle_;
  std::vector<Connection> connections_;
  std::vector<Connection*> free_;
  std::deque<Clock::time_point> waiting_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_{1.0};
  int epoll_ = -1;
  size_t next_row_ = 0;
  int64_t busy_ = 0;
  Clock::time_point start_, turn_, end_, next_due_;
  double elapsed_ = 0;
};

int Main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port") options.port = std::stoi(value);
    if (name == "--path") options.path = value;
    if (name == "--rows") options.rows = value;
    if (name == "--expect") options.expect = value;
    if (name == "--field") options.field = value;
    if (name == "--header") options.header = value;
    if (name == "--script") options.script = value;
    if (name == "--unix") options.unix_socket = value;
    if (name == "--sleep") options.sleeps = value == "1";
    if (name == "--connections") options.connections = std::stoi(value);
    if (name == "--rate") options.rate = std::stod(value);
    if (name == "--seconds") options.seconds = std::stod(value);
    if (name == "--then-rate") options.then_rate = std::stod(value);
    if (name == "--then-seconds") options.then_seconds = std::stod(value);
    if (name == "--deadline") options.deadline = std::stod(value);
    if (name == "--slice") options.slice = std::stod(value);
  }
  const bool plain = !options.path.empty() && !options.rows.empty();
  if ((options.port == 0 && options.unix_socket.empty()) || (!plain && options.script.empty())) {
    fmt::print(
        stderr,
        "usage: load_generator --port N --path PATH --rows FILE [--expect FILE --field NAME] "
        "[--connections N] [--rate R] [--seconds S] [--header LINE] [--deadline S] [--slice S] "
        "[--then-rate R --then-seconds S]\n"
        "       load_generator (--port N | --unix SOCKET) --script FILE [--connections N] [--rate R] [--seconds S] "
        "[--sleep 1]\n");
    return 2;
  }
  Generator generator(std::move(options));
  generator.Run();
  generator.Print();
  return 0;
}

}  // namespace
}  // namespace slipway

int main(int argc, char** argv) {
  return slipway::Main(argc, argv);
}

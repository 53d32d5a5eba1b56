// load_generator: sends HTTP requests over keep-alive connections and measures the answers.
//
//   load_generator --port N --path PATH --rows FILE [--expect FILE --field NAME] [--connections N] [--rate R]
//                  [--seconds S] [--header LINE]
//
// Closed loop (no --rate): each connection sends its next request when the last one is answered. Open loop (--rate R):
// requests are planned ahead at R a second with exponential gaps (a fixed seed), sent on any free connection, and their
// latency counts from the planned time, so that a server that stalls is charged for everyone who waited.
// Rows are sent in turn. With --expect, line i of that file is the number that the answer to row i must give as NAME,
// up to 1e-6 + 1e-5 relative (float32 sums in another order). Prints one JSON object: counts, errors by kind, latency
// quantiles in µs.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace slipway {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  std::string path, rows, expect, field, header;
  int connections = 16;
  double rate = 0, seconds = 3;
};

struct Connection {
  int socket = -1;
  bool busy = false;
  size_t row = 0;
  Clock::time_point due;
  std::string in;
};

struct Counts {
  int64_t sent = 0, answered = 0, wrong = 0, refused = 0, broken = 0;
};

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

class Generator {
 public:
  explicit Generator(Options options) : options_(std::move(options)) {
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
    start_ = Clock::now();
    end_ = start_ + std::chrono::nanoseconds(static_cast<int64_t>(options_.seconds * 1e9));
    next_due_ = start_;
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

  void Print() {
    std::ranges::sort(latencies_);
    const auto quantile = [&](double q) {
      if (latencies_.empty()) return 0.0;
      return latencies_[std::min(latencies_.size() - 1,
                                 static_cast<size_t>(q * static_cast<double>(latencies_.size())))];
    };
    fmt::print(
        "{{\"sent\":{},\"answered\":{},\"wrong\":{},\"refused\":{},\"broken\":{},\"unanswered\":{},\"seconds\":{:.3f},"
        "\"per_second\":{:.1f},\"p50_us\":{:.1f},\"p90_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:."
        "1f}}}\n",
        counts_.sent, counts_.answered, counts_.wrong, counts_.refused, counts_.broken,
        busy_ + static_cast<int64_t>(waiting_.size()), elapsed_, static_cast<double>(in_time_) / elapsed_,
        quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), quantile(1));
  }

 private:
  void Open(Connection& connection) {
    connection = {};
    connection.socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fmt::print(stderr, "cannot connect to port {}: {}\n", options_.port, std::strerror(errno));
      std::exit(1);
    }
    const int one = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
  }

  /// Requests whose time has come are sent, or wait for a connection.
  void PlanDue() {
    if (options_.rate <= 0) return;
    const auto now = Clock::now();
    while (next_due_ <= now && next_due_ < end_) {
      waiting_.push_back(next_due_);
      next_due_ += std::chrono::nanoseconds(static_cast<int64_t>(gap_(random_) / options_.rate * 1e9));
    }
    if (waiting_.empty()) return;
    for (auto& connection : connections_) {
      if (connection.busy) continue;
      Send(connection, waiting_.front());
      waiting_.pop_front();
      if (waiting_.empty()) return;
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
    ++counts_.sent;
  }

  void Poll() {
    std::array<epoll_event, 256> events;
    // An open loop spins, so that planned times are kept; the generator has a core of its own.
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), options_.rate > 0 ? 0 : 100);
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
    const size_t head = connection.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const size_t body = BodySize(std::string_view(connection.in).substr(0, head + 2));
    if (connection.in.size() < head + 4 + body) return;
    Finish(connection, std::string_view(connection.in).substr(head + 4, body));
  }

  static size_t BodySize(std::string_view head) {
    for (size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
      constexpr std::string_view kName = "content-length:";
      const std::string_view line = head.substr(at + 2);
      if (line.size() < kName.size()) break;
      if (std::equal(kName.begin(), kName.end(), line.begin(), [](char a, char b) { return a == (b | 0x20); })) {
        return std::strtoul(line.data() + kName.size(), nullptr, 10);
      }
    }
    return 0;
  }

  void Finish(Connection& connection, std::string_view body) {
    const auto now = Clock::now();
    latencies_.push_back(std::chrono::duration<double, std::micro>(now - connection.due).count());
    ++counts_.answered;
    in_time_ += now <= end_;
    if (!std::string_view(connection.in).starts_with("HTTP/1.1 200")) {
      ++counts_.refused;
    } else if (!expected_.empty() && !Agrees(body, expected_[connection.row])) {
      ++counts_.wrong;
    }
    connection.in.clear();
    connection.busy = false;
    --busy_;
    if (options_.rate <= 0 && now < end_) Send(connection, now);
  }

  bool Agrees(std::string_view body, double expected) const {
    const size_t at = body.find(needle_);
    if (at == std::string_view::npos) return false;
    const std::string text(body.substr(at + needle_.size(), 40));
    return std::abs(std::strtod(text.c_str(), nullptr) - expected) <= 1e-6 + 1e-5 * std::abs(expected);
  }

  void Lose(Connection& connection) {
    ++counts_.broken;
    if (connection.busy) --busy_;
    ::close(connection.socket);
    Open(connection);
    if (options_.rate <= 0 && Clock::now() < end_) Send(connection, Clock::now());
  }

  const Options options_;
  std::vector<std::string> requests_;
  std::vector<double> expected_;
  std::string needle_;
  std::vector<Connection> connections_;
  std::deque<Clock::time_point> waiting_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_{1.0};
  int epoll_ = -1;
  size_t next_row_ = 0;
  int64_t busy_ = 0, in_time_ = 0;
  Counts counts_;
  std::vector<double> latencies_;
  Clock::time_point start_, end_, next_due_;
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
    if (name == "--connections") options.connections = std::stoi(value);
    if (name == "--rate") options.rate = std::stod(value);
    if (name == "--seconds") options.seconds = std::stod(value);
  }
  if (options.port == 0 || options.path.empty() || options.rows.empty()) {
    fmt::print(stderr,
               "usage: load_generator --port N --path PATH --rows FILE [--expect FILE --field NAME] "
               "[--connections N] [--rate R] [--seconds S] [--header LINE]\n");
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

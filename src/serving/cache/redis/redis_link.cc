#include "serving/cache/redis/redis_link.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace slipway::serving {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

std::unexpected<base::Error> Broken(std::string_view what) {
  return base::Fail(base::Code::kUnavailable, "redis.broken", std::string(what));
}

std::unexpected<base::Error> BrokenBySystem(std::string_view what) {
  return Broken(fmt::format("{}: {}", what, std::strerror(errno)));
}

struct FreeContext {
  void operator()(redisContext* context) const { ::redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};

/// hiredis resolves and opens the connection, and reads and writes the protocol's form; bytes are moved here, since its
/// own way waits for each piece anew, and raises SIGPIPE.
class HiredisLink final : public RedisLink {
 public:
  explicit HiredisLink(redisContext* context) : context_(context) {}

  base::Result<void> SetUp(const RedisAddress& address, base::SteadyTime deadline);
  base::Result<std::vector<RedisReply>> Ask(const std::vector<RedisCommand>& commands,
                                            base::SteadyTime deadline) override;
  bool Stale() const override {
    char byte = 0;
    return ::recv(context_->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  base::Result<void> Await(short events, base::SteadyTime deadline) const;
  base::Result<void> Send(std::string_view bytes, base::SteadyTime deadline) const;
  base::Result<RedisReply> Receive(base::SteadyTime deadline);

  const std::unique_ptr<redisContext, FreeContext> context_;
  int64_t received_ = 0;  ///< bytes, of the replies to the commands at hand
};

base::Result<void> HiredisLink::Await(short events, base::SteadyTime deadline) const {
  pollfd waited{.fd = context_->fd, .events = events, .revents = 0};
  while (true) {
    const auto left = std::chrono::nanoseconds(deadline - base::Clock::System().Now()).count();
    if (left <= 0) return base::Fail(base::Code::kUnavailable, "redis.timeout", "it did not answer in time");
    const timespec time{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    const int ready = ::ppoll(&waited, 1, &time, nullptr);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return BrokenBySystem("waiting failed");
  }
}

base::Result<void> HiredisLink::Send(std::string_view bytes, base::SteadyTime deadline) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(context_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      SLIPWAY_TRY(Await(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return BrokenBySystem("sending failed");
    }
  }
  return {};
}

RedisReply::Kind KindOf(int type) {
  switch (type) {
    case REDIS_REPLY_NIL:
      return RedisReply::Kind::kNothing;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return RedisReply::Kind::kText;
    case REDIS_REPLY_INTEGER:
      return RedisReply::Kind::kInteger;
    case REDIS_REPLY_ERROR:
      return RedisReply::Kind::kError;
    default:
      return RedisReply::Kind::kOther;
  }
}

base::Result<RedisReply> HiredisLink::Receive(base::SteadyTime deadline) {
  std::array<char, kPieceBytes> piece;
  while (true) {
    void* found = nullptr;
    if (::redisReaderGetReply(context_->reader, &found) != REDIS_OK) return Broken(context_->reader->errstr);
    if (found != nullptr) {
      const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(found));
      RedisReply made{.kind = KindOf(reply->type), .text = {}, .integer = reply->integer};
      if (reply->str != nullptr) made.text.assign(reply->str, reply->len);
      return made;
    }
    const ssize_t came = ::recv(context_->fd, piece.data(), piece.size(), MSG_DONTWAIT);
    if (came > 0) {
      received_ += came;
      if (received_ > kRedisRepliesMost) return Broken("the reply is larger than any answer");
      if (::redisReaderFeed(context_->reader, piece.data(), static_cast<size_t>(came)) != REDIS_OK) {
        return Broken(context_->reader->errstr);
      }
    } else if (came == 0) {
      return Broken("it closed the connection");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      SLIPWAY_TRY(Await(POLLIN, deadline));
    } else if (errno != EINTR) {
      return BrokenBySystem("receiving failed");
    }
  }
}

base::Result<std::vector<RedisReply>> HiredisLink::Ask(const std::vector<RedisCommand>& commands,
                                                       base::SteadyTime deadline) {
  std::string bytes;
  for (const RedisCommand& command : commands) {
    std::vector<const char*> words;
    std::vector<size_t> sizes;
    for (const std::string_view word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    char* formed = nullptr;
    const int size = ::redisFormatCommandArgv(&formed, static_cast<int>(words.size()), words.data(), sizes.data());
    if (size < 0) return Broken("no memory is left for a command");
    bytes.append(formed, static_cast<size_t>(size));
    ::redisFreeCommand(formed);
  }
  received_ = 0;
  SLIPWAY_TRY(Send(bytes, deadline));
  std::vector<RedisReply> replies;
  for (size_t i = 0; i < commands.size(); ++i) {
    SLIPWAY_ASSIGN(auto reply, Receive(deadline));
    replies.push_back(std::move(reply));
  }
  return replies;
}

base::Result<void> HiredisLink::SetUp(const RedisAddress& address, base::SteadyTime deadline) {
  SLIPWAY_TRY(Await(POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    errno = error;
    return BrokenBySystem("connecting failed");
  }
  const int on = 1;
  ::setsockopt(context_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::vector<RedisCommand> commands;
  if (!address.password.empty() && address.user.empty()) commands.push_back({"AUTH", address.password});
  if (!address.password.empty() && !address.user.empty()) commands.push_back({"AUTH", address.user, address.password});
  const std::string database = std::to_string(address.database);
  if (address.database != 0) commands.push_back({"SELECT", database});
  commands.push_back({"PING"});
  SLIPWAY_ASSIGN(const auto replies, Ask(commands, deadline));
  for (const RedisReply& reply : replies) {
    if (reply.kind == RedisReply::Kind::kText) continue;
    return base::Fail(base::Code::kUnavailable, "redis.refused",
                      reply.kind == RedisReply::Kind::kError ? base::Shorten(reply.text, 200) : "it answers no PING");
  }
  return {};
}

}  // namespace

base::Result<std::unique_ptr<RedisLink>> ConnectToRedis(const RedisAddress& address, base::SteadyTime deadline) {
  redisContext* const context = ::redisConnectNonBlock(address.host.c_str(), address.port);
  if (context == nullptr) return Broken("no memory is left for a connection");
  auto link = std::make_unique<HiredisLink>(context);
  if (context->err != 0) return Broken(context->errstr);
  SLIPWAY_TRY(link->SetUp(address, deadline));
  return link;
}

}  // namespace slipway::serving

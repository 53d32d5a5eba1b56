#pragma once
// Answers that come after their handler has returned: the work is done elsewhere, or waits for something.
//
//   response.later = [&loader, name](LateAnswer answer) {          // the handler's last act
//     loader.Load(name, [answer](base::Result<void> loaded) {      // on any thread, once
//       answer.Finish([loaded](const Request&, Response& response) { … });   // back on the io thread
//     });
//   };

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>

#include "net/http_message.h"

namespace slipway::net {

class Connection;
class EventLoop;

/// One request that waits for its answer. Copies mean the same request; the first Finish() counts. When the last copy
/// goes without one, the request is answered with status 500.
///
/// Thread-safety: all methods from any thread. May outlive the server.
class LateAnswer {
 public:
  /// Writes the answer, on the request's io thread; must not block. It gets the request as the handler had it (same
  /// id, body and time) and an empty response, and may put the answer off once more.
  using Fill = std::function<void(const Request& request, Response& response)>;

  /// Has `fill` called in a later turn of the io thread, unless nobody waits any more.
  void Finish(Fill fill) const;
  /// Requested when the client has gone or the server gives the request up.
  std::stop_token abandoned() const;
  /// The request as the handler had it, for as long as a copy of this lives, whatever becomes of the client.
  const Request& request() const;

  /// Who waits for an answer: a connection, or a call of another transport. Thread-safety: all methods from any thread.
  class Waiting {
   public:
    virtual ~Waiting() = default;
    /// Has `fill` answer, the first time; an empty one means that no answer came.
    virtual void Post(Fill fill) = 0;
    virtual const Request& request() const = 0;
    virtual std::stop_token abandoned() const = 0;
  };
  explicit LateAnswer(std::shared_ptr<Waiting> waiting);

 private:
  friend class Connection;
  struct Kept;
  struct State;
  struct Handle;
  static std::shared_ptr<State> Await(Connection& connection, EventLoop& loop, std::shared_ptr<const Kept> kept);
  std::shared_ptr<const Handle> handle_;
};

/// Shared with the connection that waits.
struct LateAnswer::State final : Waiting, std::enable_shared_from_this<State> {
  void Post(Fill fill) override;
  const Request& request() const override;
  std::stop_token abandoned() const override { return stop.get_token(); }
  /// Nobody waits any more. On the io thread.
  void Abandon();

  std::shared_ptr<const Kept> kept;
  Connection* waiting = nullptr;  ///< looked at on the io thread only
  std::stop_source stop;
  std::mutex mutex;           ///< guards what follows
  EventLoop* loop = nullptr;  ///< nullptr: finished or abandoned
};

}  // namespace slipway::net

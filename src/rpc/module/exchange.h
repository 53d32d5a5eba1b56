#pragma once
// Exchange: one call from its arrival to its end.
//
//   awaited -> arrived -> [reading -> ready -> handled -> writing]… -> finished
//
// It goes by itself when its last event has come. Thread-safety: its worker's thread.

#include <cstddef>

namespace slipway::rpc {

class Worker;

class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Has the worker's queue take one more call when one comes.
  static void Await(Worker& worker);

  /// Hands the message that has come to its handler.
  virtual void Handle() = 0;
  /// Ends a stream whose client has nothing under way.
  virtual void EndIfIdle() = 0;

  size_t place = 0;  ///< kept by the worker
};

}  // namespace slipway::rpc

#pragma once
// OrderedWork runs one function over numbered items on several threads and hands the results back in order, holding no
// more than a few items at a time.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error.h"

namespace slipway::base {

/// Lifecycle of a slot: filled by the caller's `fill`, worked on by one worker, drained in order by the caller.
/// `fill` and `drain` run on the calling thread; `work(slot, worker)` on worker threads. The first error of
/// `work` or `drain` ends the run; what was filled before an error of `fill` is still worked on and drained.
class OrderedWork {
 public:
  /// `slots` items are in flight at most; `work` is given the slot's number and the worker's.
  struct Plan {
    int workers = 1;
    int slots = 2;
    std::function<Result<bool>(int slot)> fill;  ///< false: no more items
    std::function<Result<void>(int slot, int worker)> work;
    std::function<Result<void>(int slot)> drain;
  };

  static Result<void> Run(const Plan& plan);
};

}  // namespace slipway::base

#pragma once
// Lane: the server's end of one way into a child, for one run at a time. Its other end is a thread of the child with a
// session of its own (host.h).

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "engine/engine.h"
#include "engine/isolated/lane_memory.h"
#include "engine/isolated/wire.h"

namespace slipway::engine::isolated {

/// Why a lane has no answer.
struct LaneFault {
  enum class What : uint8_t {
    kGone,       ///< the child has ended, or is about to
    kViolation,  ///< it wrote what no child of ours writes: `text` says what
    kLate,       ///< the deadline passed; the run may still be going on
    kStopped,    ///< the deadline's stop was asked for, likewise
    kMemory,     ///< there is none for the tensors: `text`
  };
  What what;
  std::string text;
};

/// When the deadline is by the clock of the system, which a child has too.
base::SteadyTime RealTime(const base::Deadline& deadline);

/// Thread-safety: Run() by one thread at a time; Answered() and sequence() by any.
class Lane {
 public:
  /// `socket`: the server's end. The child may have answers of up to `most` bytes.
  static base::Result<std::shared_ptr<Lane>> Create(base::FileDescriptor socket, size_t most);

  /// As Session::Run(), with outputs of `specs`. The outer error: there is no answer. After kLate and kStopped the lane
  /// can be used again: the next run begins when the one before has ended.
  std::expected<base::Result<void>, LaneFault> Run(std::span<const TensorView> inputs,
                                                   std::span<const TensorSpec> specs, std::span<Tensor> outputs,
                                                   const base::Deadline& deadline);
  /// The number of the run that was asked for last.
  uint64_t sequence() const { return sequence_; }
  /// Whether the child is done with that run, or gone.
  bool Answered(uint64_t sequence) const;

 private:
  using Fault = std::unexpected<LaneFault>;
  Lane(base::FileDescriptor socket, base::FileDescriptor nudge, size_t most)
      : socket_(std::move(socket)), nudge_(std::move(nudge)), most_(most) {}
  std::expected<void, LaneFault> FinishLast(const base::Deadline& deadline);
  std::expected<void, LaneFault> Ask(std::span<const TensorView> inputs, const base::Deadline& deadline);
  std::expected<Signal, LaneFault> Await(const base::Deadline& deadline);
  std::expected<Signal, LaneFault> Take();
  std::expected<void, LaneFault> Grow(size_t bytes);

  base::FileDescriptor socket_;
  base::FileDescriptor nudge_;  ///< an eventfd: what stops a wait
  const size_t most_;
  LaneMemory memory_;
  std::atomic<uint64_t> sequence_{0};
  std::atomic<bool> running_{false};  ///< a run was asked for and is not answered
};

}  // namespace slipway::engine::isolated

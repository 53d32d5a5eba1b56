#include "engine/isolated/lane.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "engine/isolated/lane_socket.h"

namespace slipway::engine::isolated {
namespace {

using What = LaneFault::What;

std::unexpected<LaneFault> Faulty(What what, std::string text = {}) {
  return std::unexpected(LaneFault{what, std::move(text)});
}

void Nudge(int eventfd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(eventfd, &one, sizeof(one));
}

void TakeNudges(int eventfd) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(eventfd, &count, sizeof(count));
}

}  // namespace

base::SteadyTime RealTime(const base::Deadline& deadline) {
  if (deadline.at == base::SteadyTime::max() || deadline.clock == &base::Clock::System()) return deadline.at;
  return std::chrono::steady_clock::now() + (deadline.at - deadline.clock->Now());
}

base::Result<std::shared_ptr<Lane>> Lane::Create(base::FileDescriptor socket, size_t most) {
  base::FileDescriptor nudge(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (nudge.ok()) return std::shared_ptr<Lane>(new Lane(std::move(socket), std::move(nudge), most));
  return base::Fail(base::Code::kUnavailable, "engine.child", "no descriptor is left for a way to a model's process");
}

std::expected<base::Result<void>, LaneFault> Lane::Run(std::span<const TensorView> inputs,
                                                       std::span<const TensorSpec> specs, std::span<Tensor> outputs,
                                                       const base::Deadline& deadline) {
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  if (deadline.stop.stop_possible()) on_stop.emplace(deadline.stop, [fd = nudge_.get()] { Nudge(fd); });
  if (auto free = FinishLast(deadline); !free) return Fault(std::move(free).error());
  if (auto asked = Ask(inputs, deadline); !asked) return Fault(std::move(asked).error());
  auto signal = Await(deadline);
  if (signal && signal->kind == Signal::kTooSmall) {
    if (signal->at <= memory_.bytes().size() || signal->at > most_) {
      return Faulty(What::kViolation, "it asked for memory that it has, or may not have");
    }
    if (auto grown = Grow(signal->at); !grown) return Fault(std::move(grown).error());
    running_ = true;
    signal = Await(deadline);
  }
  if (!signal) return Fault(std::move(signal).error());
  if (signal->kind != Signal::kAnswer) return Faulty(What::kViolation, "it asked for memory twice");
  auto answer = ReadAnswer(memory_.bytes(), *signal, specs, outputs);
  if (!answer) return Faulty(What::kViolation, std::move(answer).error().message);
  return std::move(answer->ran);
}

bool Lane::Answered(uint64_t sequence) const {
  pollfd wait{socket_.get(), POLLIN, 0};
  return !running_ || sequence_ != sequence || ::poll(&wait, 1, 0) != 0;
}

/// A run that was given up goes on until the child sees that its time is over.
std::expected<void, LaneFault> Lane::FinishLast(const base::Deadline& deadline) {
  if (!running_) return {};
  auto last = Await(deadline);
  if (!last) return Fault(std::move(last).error());
  return {};
}

std::expected<void, LaneFault> Lane::Ask(std::span<const TensorView> inputs, const base::Deadline& deadline) {
  Packing packing;
  PackRequest(RealTime(deadline), inputs, packing);
  if (packing.bytes() > memory_.bytes().size()) {
    if (packing.bytes() > most_)
      return Faulty(What::kMemory, "these inputs are larger than the model's process may be");
    if (auto grown = Grow(packing.bytes()); !grown) return grown;
  }
  Signal signal{.kind = Signal::kRun, .sequence = ++sequence_};
  packing.Write(memory_.bytes(), signal);
  if (!SendMessage(socket_.get(), &signal, sizeof(signal))) return Faulty(What::kGone);
  running_ = true;
  return {};
}

std::expected<void, LaneFault> Lane::Grow(size_t bytes) {
  auto larger = LaneMemory::Create(bytes);
  if (!larger) return Faulty(What::kMemory, std::move(larger).error().message);
  memory_ = *std::move(larger);
  const Signal signal{.kind = Signal::kMemory, .sequence = sequence_};
  if (!SendMessage(socket_.get(), &signal, sizeof(signal), memory_.file())) return Faulty(What::kGone);
  return {};
}

std::expected<Signal, LaneFault> Lane::Await(const base::Deadline& deadline) {
  const base::SteadyTime until = RealTime(deadline);
  const bool stoppable = deadline.stop.stop_possible();
  pollfd waits[] = {{socket_.get(), POLLIN, 0}, {nudge_.get(), POLLIN, 0}};
  while (true) {
    timespec left{};
    if (until != base::SteadyTime::max()) {
      const auto rest = std::chrono::nanoseconds(until - std::chrono::steady_clock::now()).count();
      if (rest > 0) left = {rest / 1'000'000'000, rest % 1'000'000'000};
    }
    const int ready = ::ppoll(waits, stoppable ? 2 : 1, until == base::SteadyTime::max() ? nullptr : &left, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (waits[0].revents != 0) return Take();
    if (stoppable && waits[1].revents != 0) {
      TakeNudges(nudge_.get());
      if (deadline.Stopped()) return Faulty(What::kStopped);
    } else {
      return Faulty(What::kLate);
    }
  }
}

/// The signal that has come.
std::expected<Signal, LaneFault> Lane::Take() {
  Signal signal;
  const Received received = ReceiveMessage(socket_.get(), &signal, sizeof(signal));
  if (received.what != Received::What::kMessage) return Faulty(What::kGone);
  if (received.bytes != sizeof(signal) || (signal.kind != Signal::kAnswer && signal.kind != Signal::kTooSmall) ||
      signal.sequence != sequence_) {
    return Faulty(What::kViolation, "a message of no known form");
  }
  running_ = false;
  return signal;
}

}  // namespace slipway::engine::isolated

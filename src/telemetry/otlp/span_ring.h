#pragma once
// SpanRing: spans on their way from one thread that makes them to the one that sends them, without a lock, so that a
// sender which is slow or not scheduled never holds up a request. When it is full, spans are lost.

#include <atomic>
#include <bit>
#include <cstddef>
#include <vector>

#include "telemetry/otlp/span.h"

namespace slipway::telemetry::otlp {

/// Thread-safety: Reserve() and Publish() by one thread, Take() by another, size() by any.
class SpanRing {
 public:
  /// `capacity` is rounded up to a power of two.
  explicit SpanRing(size_t capacity) : slots_(std::bit_ceil(capacity)) {}

  /// A cleared span to fill, or nullptr when the ring is full. Publish() hands it on.
  Span* Reserve() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == slots_.size()) return nullptr;
    Span& span = slots_[head & (slots_.size() - 1)];
    span.Clear();
    return &span;
  }
  void Publish() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Calls take(const Span&) with the oldest span and frees its place; false when there is none.
  template <typename Taker>
  bool Take(Taker&& take) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    take(static_cast<const Span&>(slots_[tail & (slots_.size() - 1)]));
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  size_t size() const { return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire); }
  size_t capacity() const { return slots_.size(); }

 private:
  std::vector<Span> slots_;
  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace slipway::telemetry::otlp

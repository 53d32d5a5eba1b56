#pragma once
// SpanExporter: sends spans to a collector in batches, from a thread of its own at the lowest priority. It never holds
// up those that make spans: what the collector does not take in time is lost, and counted.
//
//   if (Span* span = exporter.Reserve(thread, 1)) { …; exporter.Publish(thread); }

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp/options.h"
#include "telemetry/otlp/span_json.h"
#include "telemetry/otlp/span_ring.h"
#include "telemetry/otlp/span_sender.h"

namespace slipway::telemetry::otlp {

/// Memory: at most Options::queue_spans spans and one batch of a megabyte.
/// Thread-safety: Reserve() and Publish() by one thread per index; Stop() by any, once the others have ended.
class SpanExporter {
 public:
  /// `threads` that make spans. `metrics` and `log` outlive the exporter. Errors: unavailable "otlp.thread".
  static base::Result<std::unique_ptr<SpanExporter>> Start(const Options& options, std::unique_ptr<SpanSender> sender,
                                                           int threads, MetricRegistry& metrics, Log& log);
  ~SpanExporter();  ///< stops

  /// A cleared span to fill, or nullptr when the collector is behind: `spans`, it and its parts, are then counted as
  /// dropped.
  Span* Reserve(int thread, int64_t spans);
  void Publish(int thread);

  /// Sends what waits, for at most Options::flush_timeout. Idempotent.
  void Stop();

 private:
  SpanExporter(const Options& options, std::unique_ptr<SpanSender> sender, int threads, MetricRegistry& metrics,
               Log& log);
  void Run();
  bool Collect();
  void Deliver();
  bool Attempt();
  void NoteFailure(const std::string& text);
  void Wait(std::chrono::nanoseconds most);
  void Wake() const;
  bool stopping() const { return stop_at_.load(std::memory_order_acquire) != 0; }
  bool PastEnd() const;

  const Options options_;
  const std::unique_ptr<SpanSender> sender_;
  Log& log_;
  base::FileDescriptor wake_;  ///< an eventfd: a ring is half full, or the end has come
  std::vector<std::unique_ptr<SpanRing>> rings_;
  Counter exported_, queue_full_, rejected_, undelivered_, at_shutdown_;
  std::atomic<int64_t> stop_at_{0};  ///< steady nanoseconds by which all must be over; 0: not stopping
  // Of the exporter's thread.
  SpanBatch batch_;
  std::chrono::nanoseconds retry_after_{0};
  bool failing_ = false;  ///< since the last batch that was delivered
  std::once_flag stopped_;
  std::jthread thread_;
};

}  // namespace slipway::telemetry::otlp

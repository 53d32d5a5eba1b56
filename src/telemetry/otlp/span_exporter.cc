#include "telemetry/otlp/span_exporter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/ids.h"
#include "base/thread_priority.h"

namespace slipway::telemetry::otlp {
namespace {

using std::chrono::nanoseconds;

constexpr int64_t kBatchSpans = 4096;
constexpr size_t kBatchBytes = 1 << 20;
constexpr size_t kLeastRing = 64;
constexpr nanoseconds kLongestBackoff = std::chrono::seconds(30);
constexpr nanoseconds kLongestRetryAfter = std::chrono::minutes(5);
constexpr int kLowestPriority = 19;

int64_t NowNanoseconds() {
  return base::Clock::System().Now().time_since_epoch().count();
}

/// Between half of it and all of it, so that many servers do not come back at once.
nanoseconds WithJitter(nanoseconds wait) {
  const auto half = static_cast<uint64_t>(wait.count()) / 2;
  return nanoseconds(static_cast<int64_t>(half + base::RandomBits() % (half + 1)));
}

}  // namespace

base::Result<std::unique_ptr<SpanExporter>> SpanExporter::Start(const Options& options,
                                                                std::unique_ptr<SpanSender> sender, int threads,
                                                                MetricRegistry& metrics, Log& log) {
  std::unique_ptr<SpanExporter> exporter(new SpanExporter(options, std::move(sender), threads, metrics, log));
  if (!exporter->wake_.ok()) {
    return base::Fail(base::Code::kUnavailable, "otlp.thread", "no descriptor is left for the exporter of traces");
  }
  exporter->thread_ = std::jthread([self = exporter.get()] { self->Run(); });
  return exporter;
}

SpanExporter::SpanExporter(const Options& options, std::unique_ptr<SpanSender> sender, int threads,
                           MetricRegistry& metrics, Log& log)
    : options_(options),
      sender_(std::move(sender)),
      log_(log),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      batch_(options_.resource, options_.program_version) {
  const size_t each = std::max(options_.queue_spans / static_cast<size_t>(std::max(threads, 1)), kLeastRing);
  for (int i = 0; i < threads; ++i) rings_.push_back(std::make_unique<SpanRing>(each));
  exported_ = metrics.AddCounter({"slipway_otlp_spans_exported_total", "Spans that the collector took.", {}}).With({});
  const auto dropped = metrics.AddCounter({"slipway_otlp_spans_dropped_total",
                                           "Spans lost: the queue was full, the collector refused them, or could not "
                                           "be reached in time, or the program ended.",
                                           {"reason"}});
  queue_full_ = dropped.With({"queue_full"});
  rejected_ = dropped.With({"rejected"});
  undelivered_ = dropped.With({"undelivered"});
  at_shutdown_ = dropped.With({"shutdown"});
}

SpanExporter::~SpanExporter() {
  Stop();
}

Span* SpanExporter::Reserve(int thread, int64_t spans) {
  Span* span = rings_[static_cast<size_t>(thread)]->Reserve();
  if (span == nullptr) queue_full_.Add(static_cast<uint64_t>(spans));
  return span;
}

void SpanExporter::Publish(int thread) {
  SpanRing& ring = *rings_[static_cast<size_t>(thread)];
  ring.Publish();
  if (ring.size() == ring.capacity() / 2) Wake();
}

void SpanExporter::Wake() const {
  const uint64_t one = 1;
  const auto written = ::write(wake_.get(), &one, sizeof one);  // fails only when it is set already
  static_cast<void>(written);
}

void SpanExporter::Stop() {
  int64_t expected = 0;
  stop_at_.compare_exchange_strong(expected, NowNanoseconds() + options_.flush_timeout.count());
  Wake();
  std::call_once(stopped_, [this] {
    if (thread_.joinable()) thread_.join();
  });
}

bool SpanExporter::PastEnd() const {
  const int64_t end = stop_at_.load(std::memory_order_acquire);
  return end != 0 && NowNanoseconds() >= end;
}

/// Until woken, or the end.
void SpanExporter::Wait(nanoseconds most) {
  if (stopping()) return;
  pollfd waited{.fd = wake_.get(), .events = POLLIN, .revents = 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(most).count();
  if (::poll(&waited, 1, static_cast<int>(milliseconds)) <= 0) return;
  uint64_t count = 0;
  const auto read = ::read(wake_.get(), &count, sizeof count);
  static_cast<void>(read);
}

void SpanExporter::Run() {
  base::LowerThreadPriority(kLowestPriority);
  while (true) {
    Wait(options_.delay);
    while (Collect()) Deliver();
    if (stopping()) break;
  }
  // Nobody makes spans any more: what came while the last batch was under way is still here.
  while (Collect()) Deliver();
}

/// Fills the batch with what waits; false when nothing does.
bool SpanExporter::Collect() {
  batch_.Begin();
  const auto has_room = [&] { return batch_.spans() < kBatchSpans && batch_.text().size() < kBatchBytes; };
  for (const auto& ring : rings_) {
    while (has_room() && ring->Take([&](const Span& span) { batch_.Append(span); })) {
    }
  }
  batch_.End();
  return batch_.spans() > 0;
}

/// Until the batch is delivered or lost.
void SpanExporter::Deliver() {
  nanoseconds backoff = options_.backoff;
  for (int attempt = 1; !PastEnd(); ++attempt) {
    const bool last = stopping();  // one that began before the end is followed by another
    if (Attempt()) return;
    if (attempt >= options_.attempts || last) break;
    const nanoseconds wait =
        retry_after_.count() > 0 ? std::min(retry_after_, kLongestRetryAfter) : WithJitter(backoff);
    backoff = std::min(backoff * 2, kLongestBackoff);
    const int64_t until = NowNanoseconds() + wait.count();
    for (int64_t now = NowNanoseconds(); now < until && !stopping(); now = NowNanoseconds())
      Wait(nanoseconds(until - now));
  }
  (stopping() ? at_shutdown_ : undelivered_).Add(static_cast<uint64_t>(batch_.spans()));
}

/// False: to be tried again.
bool SpanExporter::Attempt() {
  const int64_t end = NowNanoseconds() + options_.timeout.count();
  const auto answer = sender_->Send(batch_.text(), [&] { return NowNanoseconds() >= end || PastEnd(); });
  retry_after_ = answer.retry_after;
  const int64_t spans = batch_.spans();
  if (answer.outcome == SpanSender::Outcome::kDelivered) {
    const int64_t lost = std::clamp<int64_t>(answer.rejected_spans, 0, spans);
    exported_.Add(static_cast<uint64_t>(spans - lost));
    rejected_.Add(static_cast<uint64_t>(lost));
    if (std::exchange(failing_, false)) log_.Line(LogLevel::kInfo, "otlp.recovered").Add("url", options_.url);
    return true;
  }
  NoteFailure(answer.text);
  if (answer.outcome == SpanSender::Outcome::kRetry) return false;
  rejected_.Add(static_cast<uint64_t>(spans));
  return true;
}

/// Once until the collector is well again.
void SpanExporter::NoteFailure(const std::string& text) {
  if (std::exchange(failing_, true)) return;
  log_.Line(LogLevel::kWarning, "otlp.failing").Add("url", options_.url).Add("message", text);
}

}  // namespace slipway::telemetry::otlp

#include "serving/health.h"

#include <algorithm>
#include <array>
#include <utility>

namespace slipway::serving {
namespace {

using base::Value;

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Health::Health(HealthOptions options, const live::LiveSet& live)
    : options_(std::move(options)),
      live_(live),
      started_(options_.clock->Now()),
      requests_(options_.threads),
      refused_(options_.threads),
      loop_lag_(options_.threads),
      thresholds_(options_.thresholds) {}

void Health::SetThresholds(const HealthThresholds& thresholds) {
  const std::lock_guard lock(mutex_);
  thresholds_ = thresholds;
}

HealthThresholds Health::Thresholds() const {
  const std::lock_guard lock(mutex_);
  return thresholds_;
}

void Health::Record(int thread, std::chrono::nanoseconds elapsed, int status) {
  const auto now = options_.clock->Now();
  requests_.Record(thread, now, elapsed, status >= 500);
  if (status == 429) refused_.Record(thread, now, elapsed);
}

Health::Verdict Health::Judge(double value, const Threshold& threshold) {
  if (threshold.fail && value > *threshold.fail) return Verdict::kFail;
  if (threshold.warn && value > *threshold.warn) return Verdict::kWarn;
  return Verdict::kPass;
}

Health::Check Health::Finish(std::string_view name, double value, const Threshold& threshold, Value details) const {
  if (threshold.warn) details.Set("warn", *threshold.warn);
  if (threshold.fail) details.Set("fail", *threshold.fail);
  return {name, Judge(value, threshold), std::move(details)};
}

Health::Check Health::CheckMemory(const Threshold& threshold) const {
  const base::Bytes resident = options_.resident_memory();
  Value details = Value::Map().Set("resident_bytes", resident.count);
  if (!options_.memory_limit) return {"memory", Verdict::kPass, std::move(details)};
  const double share = static_cast<double>(resident.count) / static_cast<double>(options_.memory_limit->count);
  details.Set("limit_bytes", options_.memory_limit->count).Set("share", share);
  return Finish("memory", share, threshold, std::move(details));
}

Health::Check Health::CheckLatency(const telemetry::RecentWindow::Summary& requests, const Threshold& threshold) const {
  return Finish("latency", Seconds(requests.p99), threshold,
                Value::Map()
                    .Set("requests", requests.count)
                    .Set("p50_seconds", Seconds(requests.p50))
                    .Set("p90_seconds", Seconds(requests.p90))
                    .Set("p99_seconds", Seconds(requests.p99))
                    .Set("max_seconds", Seconds(requests.max)));
}

Health::Check Health::CheckErrors(const telemetry::RecentWindow::Summary& requests, const Threshold& threshold) const {
  return Finish("errors", requests.failure_rate(), threshold,
                Value::Map()
                    .Set("requests", requests.count)
                    .Set("errors", requests.failures)
                    .Set("rate", requests.failure_rate()));
}

/// What is refused for want of time or places: the others are answered in time, and look well.
Health::Check Health::CheckOverload(const telemetry::RecentWindow::Summary& requests,
                                    const Threshold& threshold) const {
  const int64_t refused = refused_.Read(options_.clock->Now()).count;
  const double share =
      requests.count > 0 ? static_cast<double>(refused) / static_cast<double>(std::max(requests.count, refused)) : 0;
  return Finish("overload", share, threshold,
                Value::Map().Set("requests", requests.count).Set("refused", refused).Set("rate", share));
}

Health::Check Health::CheckLoop(const Threshold& threshold) const {
  const auto lag = loop_lag_.Read(options_.clock->Now());
  return Finish("event_loop", Seconds(lag.p99), threshold,
                Value::Map().Set("p99_seconds", Seconds(lag.p99)).Set("max_seconds", Seconds(lag.max)));
}

Health::Check Health::CheckModels() const {
  Value models = Value::List();
  int64_t ready = 0, cold = 0, failed = 0, loading = 0;
  for (const auto& status : live_.Statuses()) {
    ready += status.state == live::ModelState::kReady;
    cold += status.state == live::ModelState::kCold;
    failed += status.wanted && status.state == live::ModelState::kFailed;
    loading += status.state == live::ModelState::kWanted || status.state == live::ModelState::kLoading;
    Value model = Value::Map();
    if (!status.name.empty()) model.Set("model", status.name).Set("version", status.version);
    model.Set("state", live::ModelStateName(status.state));
    if (status.state == live::ModelState::kFailed) model.Set("code", status.error.reason);
    models.Add(std::move(model));
  }
  const Verdict verdict = ready + cold == 0 ? Verdict::kFail : failed > 0 ? Verdict::kWarn : Verdict::kPass;
  Value details = Value::Map().Set("ready", ready).Set("loading", loading).Set("failed", failed);
  if (cold > 0) details.Set("cold", cold);
  return {"models", verdict, std::move(details.Set("models", std::move(models)))};
}

std::array<Health::Check, 6> Health::CheckAll() const {
  const HealthThresholds thresholds = Thresholds();
  const auto requests = requests_.Read(options_.clock->Now());
  return {CheckModels(),
          CheckMemory(thresholds.memory),
          CheckLatency(requests, thresholds.latency_seconds),
          CheckErrors(requests, thresholds.error_rate),
          CheckOverload(requests, thresholds.overload),
          CheckLoop(thresholds.loop_lag_seconds)};
}

std::string_view Health::State() const {
  if (draining_.load(std::memory_order_relaxed)) return "draining";
  return started_serving_.load(std::memory_order_relaxed) ? "serving" : "starting";
}

std::string_view Health::UnreadyReason() const {
  const std::string_view state = State();
  if (state != "serving") return state;
  for (const Check& check : CheckAll()) {
    if (check.verdict == Verdict::kFail) return check.name;
  }
  return {};
}

Value Health::Report() const {
  constexpr std::string_view kNames[] = {"pass", "warn", "fail"};
  const auto now = options_.clock->Now();
  const std::string_view state = State();
  Verdict worst = state == "serving" ? Verdict::kPass : Verdict::kFail;
  Value checks = Value::Map();
  for (Check& check : CheckAll()) {
    worst = std::max(worst, check.verdict);
    Value entry = Value::Map().Set("verdict", kNames[static_cast<size_t>(check.verdict)]);
    for (auto& [key, value] : check.details.map()) entry.Set(key, std::move(value));
    checks.Set(std::string(check.name), std::move(entry));
  }
  return Value::Map()
      .Set("status", kNames[static_cast<size_t>(worst)])
      .Set("state", state)
      .Set("version", options_.program_version)
      .Set("uptime_seconds", Seconds(now - started_))
      .Set("window_seconds", telemetry::RecentWindow::kSpan.count())
      .Set("checks", std::move(checks));
}

}  // namespace slipway::serving

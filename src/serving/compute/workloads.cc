#include "serving/compute/workloads.h"

#include <string>
#include <utility>
#include <vector>

namespace slipway::serving {

std::shared_ptr<Workload> Workloads::Of(const live::LoadedModel& model,
                                        const std::function<std::shared_ptr<Workload>()>& make) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[model.index];
  if (auto known = entry.workload.lock()) return known;
  std::erase_if(entries_,
                [&](const auto& other) { return other.first != model.index && other.second.workload.expired(); });
  auto made = make();
  entry = {model.name, model.version_text, made};
  return made;
}

std::shared_ptr<Workload> Workloads::Find(int index) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(index);
  return found == entries_.end() ? nullptr : found->second.workload.lock();
}

void Workloads::ForEach(
    const std::function<void(const std::string& name, const std::string& version, const Workload&)>& read) const {
  std::vector<std::pair<Entry, std::shared_ptr<Workload>>> held;  // let go outside the lock
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [index, entry] : entries_) {
      if (auto workload = entry.workload.lock()) held.emplace_back(entry, std::move(workload));
    }
  }
  for (const auto& [entry, workload] : held) read(entry.name, entry.version, *workload);
}

void AddWorkloadReaders(const std::shared_ptr<const Workloads>& workloads,
                        const std::shared_ptr<const ComputePool>& pool, telemetry::MetricRegistry& registry) {
  using telemetry::MetricSamples;
  using Value = std::function<int64_t(const Workload&)>;
  const auto each = [workloads](Value value) {
    return [workloads, value = std::move(value)](MetricSamples& samples) {
      workloads->ForEach([&](const std::string& name, const std::string& version, const Workload& workload) {
        samples.Add({name, version}, value(workload));
      });
    };
  };
  registry.AddCounterReader({"slipway_batch_runs_total", "Runs of models on compute threads.", {"model", "version"}},
                            each([](const Workload& w) { return w.ReadRuns().runs; }));
  registry.AddCounterReader({"slipway_batch_calls_total", "Calls that those runs answered.", {"model", "version"}},
                            each([](const Workload& w) { return w.ReadRuns().calls; }));
  registry.AddCounterReader(
      {"slipway_batch_calls_together_total", "Calls that shared their run with others.", {"model", "version"}},
      each([](const Workload& w) { return w.ReadRuns().together; }));
  registry.AddCounterReader({"slipway_overload_refusals_total",
                             "Calls refused because they could not be answered in time.",
                             {"model", "version"}},
                            each([](const Workload& w) { return w.refused(); }));
  registry.AddGaugeReader(
      {"slipway_queue_length", "Calls that wait for a compute thread or for the model.", {"model", "version"}},
      each([](const Workload& w) { return w.Waiting(); }));
  registry.AddGaugeReader(
      {"slipway_model_heavy", "1: calls of the model run on compute threads.", {"model", "version"}},
      each([](const Workload& w) { return int64_t{w.heavy()}; }));
  registry.AddGaugeReader(
      {"slipway_breaker_open", "1: the model failed repeatedly and is not asked.", {"model", "version"}},
      each([](const Workload& w) { return int64_t{w.breaker().state() != CircuitBreaker::State::kClosed}; }));
  registry.AddCounterReader(
      {"slipway_breaker_openings_total", "Times that a model's circuit breaker opened.", {"model", "version"}},
      each([](const Workload& w) { return w.breaker().openings(); }));
  registry.AddGaugeReader({"slipway_compute_threads", "Compute threads started.", {}},
                          [pool] { return static_cast<double>(pool->Read().threads); });
  registry.AddGaugeReader({"slipway_compute_threads_busy", "Compute threads at work, or waiting for a model.", {}},
                          [pool] { return static_cast<double>(pool->Read().busy); });
}

}  // namespace slipway::serving

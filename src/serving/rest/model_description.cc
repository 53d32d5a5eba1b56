#include "serving/rest/model_description.h"

#include <chrono>

#include "base/quantities.h"
#include "data/timestamp.h"
#include "schema/schema.h"

namespace slipway::serving::rest {
namespace {

using base::Value;

std::string TimeText(base::WallTime time) {
  std::string text;
  data::AppendTimestamp(text, std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
  return text;
}

std::string_view StateOf(const live::LoadedModel& model) {
  return live::ModelStateName(model.cold() ? live::ModelState::kCold : live::ModelState::kReady);
}

Value DescribeVersions(const live::Snapshot::Entry& entry) {
  Value versions = Value::List();
  for (const auto& model : entry.versions) {
    Value version =
        Value::Map().Set("version", model->version_text).Set("state", StateOf(*model)).Set("digest", model->digest);
    if (model->contract->whole) {  // it was loaded once at least
      version.Set("loaded_at", TimeText(model->loaded_at)).Set("golden", model->golden.ToValue());
    }
    versions.Add(std::move(version));
  }
  return versions;
}

Value DescribeOutputs(const scoring::Contract& contract) {
  Value outputs = Value::List();
  for (const auto& field : contract.output_fields) {
    Value output = Value::Map().Set("name", field.name).Set("type", field.type.ToString());
    if (!field.labels.empty()) {
      Value labels = Value::List();
      for (const auto& label : field.labels) labels.Add(label);
      output.Set("labels", std::move(labels));
    }
    outputs.Add(std::move(output));
  }
  return outputs;
}

/// What a version costs, and what calls make of it.
void AddUse(const live::ModelStatus& status, const Predictor& predictor, Value& bundle) {
  using enum live::ModelState;
  if (status.bytes > 0 && status.state != kFailed) bundle.Set("bytes", status.bytes);
  if (status.load_time.count() > 0) bundle.Set("load_seconds", std::chrono::duration<double>(status.load_time).count());
  const live::ModelUse use = predictor.UseOf(status);
  if (use.waiting > 0) bundle.Set("waiting", use.waiting);
  if (use.last == base::SteadyTime()) return;
  const auto& clock = predictor.clock();
  bundle.Set("last_used",
             TimeText(clock.WallNow() - std::chrono::duration_cast<base::WallTime::duration>(clock.Now() - use.last)));
}

Value DescribeProcess(const engine::ProcessReading& process) {
  int64_t restarts = 0;
  Value reasons = Value::Map();
  for (const auto& [reason, count] : process.restarts) {
    restarts += count;
    reasons.Set(reason, count);
  }
  Value value = Value::Map().Set("up", process.up).Set("restarts", restarts);
  if (process.up) value.Set("pid", process.pid).Set("memory_bytes", process.memory.count);
  if (restarts == 0) return value;
  if (!process.up) value.Set("next_start_seconds", std::chrono::duration<double>(process.next_start).count());
  return value.Set("restarts_by_reason", std::move(reasons))
      .Set("last_end", Value::Map()
                           .Set("reason", process.last_reason)
                           .Set("message", process.last_end)
                           .Set("at", TimeText(process.ended_at)));
}

}  // namespace

Value DescribeModels(const live::LiveSet& live, const Predictor& predictor) {
  const auto snapshot = live.Current();
  Value models = Value::List();
  for (const auto& entry : snapshot->entries()) {
    models.Add(Value::Map()
                   .Set("name", entry.name)
                   .Set("stable", entry.stable->version_text)
                   .Set("description", entry.stable->contract->manifest.description)
                   .Set("versions", DescribeVersions(entry)));
  }
  Value bundles = Value::List();
  for (const auto& status : live.Statuses()) {
    Value bundle = Value::Map().Set("source", status.source).Set("state", live::ModelStateName(status.state));
    if (!status.wanted) bundle.Set("wanted", false);
    if (!status.name.empty()) bundle.Set("model", status.name).Set("version", status.version);
    if (status.state == live::ModelState::kFailed) {
      bundle.Set("error", Value::Map().Set("code", status.error.reason).Set("detail", status.error.Text()));
    }
    if (!status.name.empty()) AddUse(status, predictor, bundle);
    bundles.Add(std::move(bundle));
  }
  return Value::Map().Set("models", std::move(models)).Set("bundles", std::move(bundles));
}

Value DescribeModel(const live::LoadedModel& model, const live::Snapshot& snapshot) {
  const auto& manifest = model.contract->manifest;
  Value limits = Value::Map().Set("max_batch_rows", manifest.limits.max_batch_rows);
  if (manifest.limits.timeout) limits.Set("timeout", base::FormatDuration(*manifest.limits.timeout));
  if (manifest.limits.rate) limits.Set("rate", *manifest.limits.rate);
  if (manifest.limits.concurrency) limits.Set("concurrency", *manifest.limits.concurrency);
  Value description = Value::Map()
                          .Set("name", model.name)
                          .Set("version", model.version_text)
                          .Set("state", StateOf(model))
                          .Set("description", manifest.description)
                          .Set("digest", model.digest)
                          .Set("engine", model.contract->model.engine)
                          .Set("loaded_at", TimeText(model.loaded_at))
                          .Set("load_seconds", std::chrono::duration<double>(model.load_time).count())
                          .Set("golden_records", model.golden.checked)
                          .Set("golden", model.golden.ToValue());
  const auto process = model.scorer != nullptr ? model.scorer->process() : std::nullopt;
  description.Set("isolation", process ? "process" : "none");
  if (process) description.Set("process", DescribeProcess(*process));
  Value contract = schema::ToValue(model.contract->schema);
  if (contract.is_map()) {
    for (auto& [key, value] : contract.map()) description.Set(key, std::move(value));
  }
  description.Set("outputs", DescribeOutputs(*model.contract)).Set("limits", std::move(limits));
  if (const auto* entry = snapshot.Find(model.name)) {
    description.Set("stable", entry->stable->version_text).Set("versions", DescribeVersions(*entry));
  }
  return description;
}

}  // namespace slipway::serving::rest

#include "serving/oip/description.h"

#include <chrono>
#include <filesystem>
#include <span>

#include "serving/tensors/contract.h"
#include "serving/version_reference.h"

namespace slipway::serving::oip {
namespace {

using base::Value;
using tensors::Contract;
using tensors::Port;

Value List(std::span<const int64_t> numbers) {
  Value list = Value::List();
  for (const int64_t number : numbers) list.Add(number);
  return list;
}

Value DescribePorts(const std::vector<Port>& ports) {
  Value list = Value::List();
  for (const Port& port : ports) {
    list.Add(Value::Map()
                 .Set("name", port.name)
                 .Set("datatype", DatatypeName(port.datatype))
                 .Set("shape", List(port.shape)));
  }
  return list;
}

/// Configurations leave the number of rows out, and have at least one dimension.
Value ConfigPort(const Port& port) {
  std::span<const int64_t> dimensions = port.shape;
  if (port.rows_first) dimensions = dimensions.subspan(1);
  Value config = Value::Map().Set("name", port.name).Set("data_type", ConfigDatatypeName(port.datatype));
  if (!dimensions.empty()) return config.Set("dims", List(dimensions));
  return config.Set("dims", Value::List().Add(1)).Set("reshape", Value::Map().Set("shape", Value::List()));
}

Value Duration(int64_t count, int64_t nanoseconds) {
  return Value::Map().Set("count", count).Set("ns", nanoseconds);
}

std::string Platform(const live::LoadedModel& model) {
  return "slipway_" + model.contract->model.engine;
}

}  // namespace

Value DescribeServer(std::string_view program_version) {
  Value extensions = Value::List();
  for (const char* name : {"binary_tensor_data", "classification", "model_configuration", "statistics"}) {
    extensions.Add(name);
  }
  return Value::Map().Set("name", "slipway").Set("version", program_version).Set("extensions", std::move(extensions));
}

Value DescribeModel(const live::LoadedModel& model, const live::Snapshot& snapshot) {
  const Contract contract = Contract::Of(*model.contract);
  Value versions = Value::List();
  if (const auto* entry = snapshot.Find(model.name)) {
    for (const auto& version : entry->versions) versions.Add(version->version_text);
  }
  return Value::Map()
      .Set("name", model.name)
      .Set("versions", std::move(versions))
      .Set("platform", Platform(model))
      .Set("inputs", DescribePorts(contract.inputs))
      .Set("outputs", DescribePorts(contract.outputs));
}

Value DescribeConfig(const live::LoadedModel& model) {
  const Contract contract = Contract::Of(*model.contract);
  Value inputs = Value::List(), outputs = Value::List();
  for (const Port& port : contract.inputs) inputs.Add(ConfigPort(port).Set("optional", port.optional));
  for (const Port& port : contract.outputs) outputs.Add(ConfigPort(port).Set("label_filename", ""));
  return Value::Map()
      .Set("name", model.name)
      .Set("platform", Platform(model))
      .Set("backend", "slipway")
      .Set("version_policy", Value::Map().Set("all", Value::Map()))
      .Set("max_batch_size", contract.batched ? contract.max_rows : int64_t{0})
      .Set("input", std::move(inputs))
      .Set("output", std::move(outputs))
      .Set("instance_group", Value::List())
      .Set("default_model_filename", model.contract->manifest.model.file)
      .Set("parameters", Value::Map())
      .Set("response_cache", Value::Map().Set("enable", false))
      .Set("model_transaction_policy", Value::Map().Set("decoupled", false));
}

namespace {

/// `version`: as the answer names it.
Value StatisticsOf(const live::LoadedModel& model, std::string_view version, const Predictor& predictor) {
  const CallTotals totals = predictor.statistics().Read(model.name, model.version_text);
  const int64_t calls = totals[CallTotal::kSucceeded];
  const int64_t input = totals[CallTotal::kInputTime], infer = totals[CallTotal::kInferTime],
                output = totals[CallTotal::kOutputTime];
  int64_t last = 0;
  if (totals.last != 0) {
    const auto& clock = predictor.clock();
    const auto ago = clock.Now().time_since_epoch() - std::chrono::nanoseconds(totals.last);
    last = std::chrono::duration_cast<std::chrono::milliseconds>(clock.WallNow().time_since_epoch() - ago).count();
  }
  // Calls run to their end on the thread that read them: there is no queue to wait in, and no cache yet.
  Value stats = Value::Map()
                    .Set("success", Duration(calls, input + infer + output))
                    .Set("fail", Duration(totals.failed(), totals[CallTotal::kFailedTime]))
                    .Set("queue", Duration(calls, 0))
                    .Set("compute_input", Duration(calls, input))
                    .Set("compute_infer", Duration(calls, infer))
                    .Set("compute_output", Duration(calls, output))
                    .Set("cache_hit", Duration(0, 0))
                    .Set("cache_miss", Duration(0, 0));
  return Value::Map()
      .Set("name", model.name)
      .Set("version", version)
      .Set("last_inference", last)
      .Set("inference_count", totals[CallTotal::kRows])
      .Set("execution_count", totals[CallTotal::kRuns])
      .Set("inference_stats", std::move(stats))
      .Set("batch_stats", Value::List())
      .Set("memory_usage", Value::List())
      .Set("response_stats", Value::Map());
}

void AddStatisticsOfAll(const live::Snapshot::Entry& entry, const Predictor& predictor, Value& list) {
  for (const auto& model : entry.versions) list.Add(StatisticsOf(*model, model->version_text, predictor));
}

}  // namespace

base::Result<Value> DescribeAllStatistics(const live::LiveSet& live, const Predictor& predictor, std::string_view name,
                                          std::string_view version) {
  const auto snapshot = live.Current();
  Value list = Value::List();
  if (name.empty()) {
    for (const auto& entry : snapshot->entries()) AddStatisticsOfAll(entry, predictor, list);
    return Value::Map().Set("model_stats", std::move(list));
  }
  std::string reference;
  ComposeReference(live, name, version, reference);
  SLIPWAY_ASSIGN(const auto model, snapshot->Resolve(reference));
  if (reference == model->name) {
    AddStatisticsOfAll(*snapshot->Find(reference), predictor, list);
  } else {
    // perf_analyzer knows versions as integers only, and looks for the one that it asked for.
    list.Add(StatisticsOf(*model, IsInteger(version) ? version : std::string_view(model->version_text), predictor));
  }
  return Value::Map().Set("model_stats", std::move(list));
}

Value DescribeTraceSettings() {
  return Value::Map()
      .Set("trace_file", "")
      .Set("trace_level", Value::List().Add("OFF"))
      .Set("trace_rate", "1000")
      .Set("trace_count", "-1")
      .Set("log_frequency", "0")
      .Set("trace_mode", "triton");
}

Value DescribeLogSettings() {
  return Value::Map()
      .Set("log_file", "")
      .Set("log_info", true)
      .Set("log_warning", true)
      .Set("log_error", true)
      .Set("log_verbose_level", 0)
      .Set("log_format", "default");
}

namespace {

/// In Triton's words.
std::string_view RepositoryState(live::ModelState state) {
  if (state == live::ModelState::kWanted || state == live::ModelState::kLoading) return "LOADING";
  return state == live::ModelState::kDraining ? "UNLOADING" : "UNAVAILABLE";
}

std::string_view RepositoryReason(const live::ModelStatus& status) {
  if (status.state == live::ModelState::kFailed) return status.error.reason;
  if (status.state == live::ModelState::kCold) return "cold";
  return status.state == live::ModelState::kResident ? "unloaded" : "";
}

}  // namespace

Value DescribeRepository(const live::LiveSet& live, bool ready) {
  Value index = Value::List();
  const auto add = [&](std::string_view name, std::string_view version, std::string_view state,
                       std::string_view reason) {
    index.Add(Value::Map().Set("name", name).Set("version", version).Set("state", state).Set("reason", reason));
  };
  const auto snapshot = live.Current();
  for (const auto& entry : snapshot->entries()) {
    for (const auto& model : entry.versions) {
      if (!model->cold()) add(entry.name, model->version_text, "READY", "");
    }
  }
  if (ready) return index;
  for (const auto& status : live.Statuses()) {
    if (status.state == live::ModelState::kReady) continue;
    const std::string name =
        status.name.empty() ? std::filesystem::path(status.source).filename().string() : status.name;
    add(name, status.version, RepositoryState(status.state), RepositoryReason(status));
  }
  return index;
}

}  // namespace slipway::serving::oip

#include "serving/grpc/triton_messages.h"

#include "rpc/wire_writer.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireWriter;
using Kind = FieldShape;

constexpr FieldShape kServerFields[] = {{"name", 1}, {"version", 2}, {"extensions", 3}};

constexpr FieldShape kTensorFields[] = {{"name", 1}, {"datatype", 2}, {"shape", 3, Kind::kInteger}};
constexpr MessageShape kTensor = {kTensorFields};
constexpr FieldShape kModelFields[] = {{"name", 1},
                                       {"versions", 2},
                                       {"platform", 3},
                                       {"inputs", 4, Kind::kMessage, &kTensor},
                                       {"outputs", 5, Kind::kMessage, &kTensor}};

constexpr WordNumber kDataTypes[] = {{"TYPE_BOOL", 1},    {"TYPE_UINT8", 2}, {"TYPE_UINT16", 3}, {"TYPE_UINT32", 4},
                                     {"TYPE_UINT64", 5},  {"TYPE_INT8", 6},  {"TYPE_INT16", 7},  {"TYPE_INT32", 8},
                                     {"TYPE_INT64", 9},   {"TYPE_FP16", 10}, {"TYPE_FP32", 11},  {"TYPE_FP64", 12},
                                     {"TYPE_STRING", 13}, {"TYPE_BF16", 14}};
constexpr MessageShape kNothing = {};
constexpr FieldShape kReshapeFields[] = {{"shape", 1, Kind::kInteger}};
constexpr MessageShape kReshape = {kReshapeFields};
constexpr FieldShape kConfigInputFields[] = {{"name", 1},
                                             {"data_type", 2, Kind::kWord, nullptr, kDataTypes},
                                             {"dims", 4, Kind::kInteger},
                                             {"reshape", 5, Kind::kMessage, &kReshape},
                                             {"optional", 8, Kind::kFlag}};
constexpr MessageShape kConfigInput = {kConfigInputFields};
constexpr FieldShape kConfigOutputFields[] = {{"name", 1},
                                              {"data_type", 2, Kind::kWord, nullptr, kDataTypes},
                                              {"dims", 3, Kind::kInteger},
                                              {"label_filename", 4},
                                              {"reshape", 5, Kind::kMessage, &kReshape}};
constexpr MessageShape kConfigOutput = {kConfigOutputFields};
constexpr FieldShape kVersionPolicyFields[] = {{"all", 2, Kind::kMessage, &kNothing}};
constexpr MessageShape kVersionPolicy = {kVersionPolicyFields};
constexpr FieldShape kCacheFields[] = {{"enable", 1, Kind::kFlag}};
constexpr MessageShape kCache = {kCacheFields};
constexpr FieldShape kTransactionFields[] = {{"decoupled", 1, Kind::kFlag}};
constexpr MessageShape kTransaction = {kTransactionFields};
constexpr FieldShape kConfigFields[] = {{"name", 1},
                                        {"platform", 2},
                                        {"version_policy", 3, Kind::kMessage, &kVersionPolicy},
                                        {"max_batch_size", 4, Kind::kInteger},
                                        {"input", 5, Kind::kMessage, &kConfigInput},
                                        {"output", 6, Kind::kMessage, &kConfigOutput},
                                        {"default_model_filename", 8},
                                        {"backend", 17},
                                        {"model_transaction_policy", 19, Kind::kMessage, &kTransaction},
                                        {"response_cache", 24, Kind::kMessage, &kCache}};
constexpr MessageShape kConfig = {kConfigFields};
constexpr FieldShape kConfigResponseFields[] = {{"config", 1, Kind::kMessage, &kConfig}};

constexpr FieldShape kDurationFields[] = {{"count", 1, Kind::kInteger}, {"ns", 2, Kind::kInteger}};
constexpr MessageShape kDuration = {kDurationFields};
constexpr FieldShape kInferStatisticsFields[] = {
    {"success", 1, Kind::kMessage, &kDuration},       {"fail", 2, Kind::kMessage, &kDuration},
    {"queue", 3, Kind::kMessage, &kDuration},         {"compute_input", 4, Kind::kMessage, &kDuration},
    {"compute_infer", 5, Kind::kMessage, &kDuration}, {"compute_output", 6, Kind::kMessage, &kDuration},
    {"cache_hit", 7, Kind::kMessage, &kDuration},     {"cache_miss", 8, Kind::kMessage, &kDuration}};
constexpr MessageShape kInferStatistics = {kInferStatisticsFields};
constexpr FieldShape kStatisticsFields[] = {{"name", 1},
                                            {"version", 2},
                                            {"last_inference", 3, Kind::kInteger},
                                            {"inference_count", 4, Kind::kInteger},
                                            {"execution_count", 5, Kind::kInteger},
                                            {"inference_stats", 6, Kind::kMessage, &kInferStatistics}};
constexpr MessageShape kStatistics = {kStatisticsFields};
constexpr FieldShape kStatisticsResponseFields[] = {{"model_stats", 1, Kind::kMessage, &kStatistics}};

constexpr FieldShape kIndexFields[] = {{"name", 1}, {"version", 2}, {"state", 3}, {"reason", 4}};
constexpr MessageShape kIndex = {kIndexFields};
constexpr FieldShape kIndexResponseFields[] = {{"models", 1, Kind::kMessage, &kIndex}};

/// One entry of `settings`; `append` writes the setting's message.
template <typename Append>
void AppendSetting(std::string_view name, std::string& out, Append append) {
  WireWriter writer(out);
  const auto entry = writer.Begin(1);
  writer.Text(1, name);
  const auto value = writer.Begin(2);
  append(writer);
  writer.End(value);
  writer.End(entry);
}

}  // namespace

const MessageShape kServerMetadata = {kServerFields}, kModelMetadata = {kModelFields},
                   kModelConfigResponse = {kConfigResponseFields},
                   kModelStatisticsResponse = {kStatisticsResponseFields},
                   kRepositoryIndexResponse = {kIndexResponseFields};

void AppendTraceSettings(const base::Value& settings, std::string& out) {
  for (const auto& [name, value] : settings.map()) {
    AppendSetting(name, out, [&](WireWriter& writer) {
      if (value.is_string()) {
        writer.Text(1, value.string());
      } else {
        for (const auto& element : value.list()) writer.Text(1, element.string());
      }
    });
  }
}

void AppendLogSettings(const base::Value& settings, std::string& out) {
  for (const auto& [name, value] : settings.map()) {
    AppendSetting(name, out, [&](WireWriter& writer) {
      if (value.is_boolean()) {
        writer.Boolean(1, value.boolean());
      } else if (value.is_integer()) {
        writer.Integer(2, value.integer());
      } else {
        writer.Text(3, value.string());
      }
    });
  }
}

}  // namespace slipway::serving::grpc

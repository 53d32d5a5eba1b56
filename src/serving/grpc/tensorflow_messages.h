#pragma once
// What TensorFlow Serving's messages share: which model a request is for, and how models are described.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "live/live_set.h"
#include "serving/grpc/value_message.h"

namespace slipway::serving::grpc {

/// ModelSpec; views into its bytes.
struct ModelSpec {
  std::string_view name, label, signature;
  std::optional<int64_t> version;

  /// "name@version"
  std::string Reference(const live::LiveSet& live) const;
};
/// Of the message's field 1. Errors: "grpc.message".
base::Result<ModelSpec> ReadModelSpec(std::string_view message);

/// Appends a ModelSpec that tells which version answered.
void AppendModelSpec(uint32_t field, const live::LoadedModel& model, std::string_view signature, std::string& out);

/// GetModelMetadataResponse and GetModelStatusResponse.
void AppendMetadata(const live::LoadedModel& model, std::string& out);
void AppendStatus(const live::Snapshot& snapshot, const live::LoadedModel& model, bool all, std::string& out);

}  // namespace slipway::serving::grpc

#pragma once
// The messages of inference.GRPCInferenceService that describe something: which field has which number.

#include "serving/grpc/value_message.h"

namespace slipway::serving::grpc {

extern const MessageShape kServerMetadata, kModelMetadata, kModelConfigResponse, kModelStatisticsResponse,
    kRepositoryIndexResponse;

/// {"trace_level":["OFF"],…} as TraceSettingResponse: every value is a list of texts.
void AppendTraceSettings(const base::Value& settings, std::string& out);
/// {"log_info":true,…} as LogSettingsResponse.
void AppendLogSettings(const base::Value& settings, std::string& out);

}  // namespace slipway::serving::grpc

#pragma once
// Which form a body of /invocations has.

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::serving::mlflow {

enum class Content : uint8_t { kJson, kCsv };

/// JSON when there is no Content-Type. nullopt: another type, a charset other than UTF-8, or a parameter other than
/// charset, as MLflow refuses them.
std::optional<Content> ContentOf(std::string_view content_type);

}  // namespace slipway::serving::mlflow

#pragma once
// Which form a body of the native routes has.

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::serving::rest {

enum class BodyForm : uint8_t { kJson, kJsonLines, kCsv };

/// By Content-Type; JSON when there is none. nullopt: a type, or a charset other than UTF-8, that these routes do not
/// take.
std::optional<BodyForm> BodyFormOf(std::string_view content_type);

/// For the answer.
std::string_view MediaTypeOf(BodyForm form);

inline constexpr std::string_view kKnownMediaTypes =
    "application/json, application/x-ndjson, application/jsonl, text/csv";

}  // namespace slipway::serving::rest

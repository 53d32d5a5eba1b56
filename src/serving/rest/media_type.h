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

struct ChosenForm {
  BodyForm form;
  std::string_view media_type;  ///< for the answer; a literal
};

/// What to answer in, by Accept: the form with the highest quality, `natural` where it is among equals. Nothing asked
/// for means `natural`; nullopt: nothing asked for can be had.
std::optional<ChosenForm> ChooseForm(std::string_view accept, BodyForm natural);

inline constexpr std::string_view kAnswerMediaTypes = "application/json, application/x-ndjson, text/csv";
inline constexpr std::string_view kKnownMediaTypes =
    "application/json, application/x-ndjson, application/jsonl, text/csv";

}  // namespace slipway::serving::rest

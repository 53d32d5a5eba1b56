#pragma once
// Values written for people, which no typed column reads: "1,234.56", "12,5", "$ 30", "45 %", "01/31/2023", "Jan 5,
// 2023". A column full of them is data that needs one more step before it is a feature.

#include <cstdint>
#include <string_view>

namespace slipway::profile {

enum class Writing : uint8_t { kNone, kNumber, kDate };

/// How a text that is neither a number nor an ISO 8601 timestamp is written. Numbers: digits with separators of
/// thousands, a decimal comma, a currency or a percent sign. Dates: day, month and year in another order or with
/// month names.
Writing WritingOf(std::string_view text);

/// More than three words on end: a sentence rather than a category.
bool IsSentence(std::string_view text);

}  // namespace slipway::profile

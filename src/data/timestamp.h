#pragma once
// Timestamps as text: a strict subset of ISO 8601.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::data {

/// Microseconds since 1970-01-01T00:00:00Z of `YYYY-MM-DD`, `YYYY-MM-DD[T ]HH:MM[:SS[.fraction]]` with optional `Z` or
/// `+HH[:]MM`. Years 0001 to 9999, real calendar days only, second 60 refused, digits past microseconds are cut.
/// A text without offset is taken at `zone_minutes` from UTC. nullopt: not such a text.
std::optional<int64_t> ParseTimestamp(std::string_view text, int zone_minutes = 0);

/// `2013-07-04T08:15:00Z`, with six digits of fraction when there is one.
void AppendTimestamp(std::string& out, int64_t microseconds);

struct CivilTime {
  int64_t year;
  int month, day, hour, minute, second, microsecond;
  int weekday;      ///< Monday 0 … Sunday 6 (Python's)
  int day_of_year;  ///< 1-based
};
/// Proleptic Gregorian calendar at UTC; add zone minutes before the call for local time. Source: H. Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms".
CivilTime ToCivil(int64_t microseconds);

}  // namespace slipway::data

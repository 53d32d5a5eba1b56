#include "tables/duckdb/stored_type.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace slipway::tables::duckdb {

std::optional<data::DataType> TypeOf(std::string_view stored) {
  static constexpr std::array<std::pair<std::string_view, data::ScalarType>, 23> kTypes = {{
      {"BOOLEAN", data::ScalarType::kBoolean},
      {"TINYINT", data::ScalarType::kInteger},
      {"SMALLINT", data::ScalarType::kInteger},
      {"INTEGER", data::ScalarType::kInteger},
      {"BIGINT", data::ScalarType::kInteger},
      {"UTINYINT", data::ScalarType::kInteger},
      {"USMALLINT", data::ScalarType::kInteger},
      {"UINTEGER", data::ScalarType::kInteger},
      {"UBIGINT", data::ScalarType::kInteger},
      {"HUGEINT", data::ScalarType::kNumber},
      {"UHUGEINT", data::ScalarType::kNumber},
      {"FLOAT", data::ScalarType::kNumber},
      {"DOUBLE", data::ScalarType::kNumber},
      {"DECIMAL", data::ScalarType::kNumber},
      {"VARCHAR", data::ScalarType::kString},
      {"ENUM", data::ScalarType::kString},
      {"UUID", data::ScalarType::kString},
      {"DATE", data::ScalarType::kTimestamp},
      {"TIMESTAMP", data::ScalarType::kTimestamp},
      {"TIMESTAMP_S", data::ScalarType::kTimestamp},
      {"TIMESTAMP_MS", data::ScalarType::kTimestamp},
      {"TIMESTAMP_NS", data::ScalarType::kTimestamp},
      {"TIMESTAMP WITH TIME ZONE", data::ScalarType::kTimestamp},
  }};
  const size_t bracket = stored.find('[');
  const std::string_view element = stored.substr(0, std::min(bracket, stored.find('(')));
  for (const auto& [name, scalar] : kTypes) {
    if (name != element) continue;
    data::DataType type{scalar, {}};
    // DuckDB writes the outermost dimension last: INTEGER[3][] is a list of arrays of three.
    for (size_t at = bracket; at < stored.size(); at = stored.find('[', at + 1)) {
      const auto size = base::ParseInt64(stored.substr(at + 1, stored.find(']', at) - at - 1));
      type.shape.insert(type.shape.begin(), size.value_or(-1));
    }
    return type;
  }
  return std::nullopt;
}

bool HasOurText(std::string_view stored) {
  const auto type = TypeOf(stored);
  return type && type->is_scalar() && !stored.starts_with("DECIMAL") && !stored.ends_with("HUGEINT");
}

}  // namespace slipway::tables::duckdb

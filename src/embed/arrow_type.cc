#include "embed/arrow_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.h"

namespace slipway::embed {
namespace {

struct SimpleFormat {
  std::string_view format;
  ArrowKind kind;
  std::string_view name;
  int64_t per_second = 1;
};

constexpr SimpleFormat kSimpleFormats[] = {
    {"n", ArrowKind::kNull, "null"},
    {"b", ArrowKind::kBoolean, "bool"},
    {"c", ArrowKind::kInt8, "int8"},
    {"s", ArrowKind::kInt16, "int16"},
    {"i", ArrowKind::kInt32, "int32"},
    {"l", ArrowKind::kInt64, "int64"},
    {"C", ArrowKind::kUint8, "uint8"},
    {"S", ArrowKind::kUint16, "uint16"},
    {"I", ArrowKind::kUint32, "uint32"},
    {"L", ArrowKind::kUint64, "uint64"},
    {"e", ArrowKind::kHalf, "float16"},
    {"f", ArrowKind::kFloat, "float32"},
    {"g", ArrowKind::kDouble, "float64"},
    {"u", ArrowKind::kText, "utf8"},
    {"U", ArrowKind::kLargeText, "large_utf8"},
    {"vu", ArrowKind::kTextView, "utf8_view"},
    {"tdD", ArrowKind::kDate, "date32"},
    {"tdm", ArrowKind::kTime, "date64", 1000},
    {"+l", ArrowKind::kList, "list"},
    {"+L", ArrowKind::kLargeList, "large_list"},
    {"z", ArrowKind::kUnusable, "binary"},
    {"Z", ArrowKind::kUnusable, "large_binary"},
    {"vz", ArrowKind::kUnusable, "binary_view"},
    {"tts", ArrowKind::kUnusable, "time32[s]"},
    {"ttm", ArrowKind::kUnusable, "time32[ms]"},
    {"ttu", ArrowKind::kUnusable, "time64[us]"},
    {"ttn", ArrowKind::kUnusable, "time64[ns]"},
    {"tDs", ArrowKind::kUnusable, "duration[s]"},
    {"tDm", ArrowKind::kUnusable, "duration[ms]"},
    {"tDu", ArrowKind::kUnusable, "duration[us]"},
    {"tDn", ArrowKind::kUnusable, "duration[ns]"},
    {"tiM", ArrowKind::kUnusable, "interval[months]"},
    {"tiD", ArrowKind::kUnusable, "interval[days]"},
    {"tin", ArrowKind::kUnusable, "interval[month, day, nano]"},
    {"+vl", ArrowKind::kUnusable, "list_view"},
    {"+vL", ArrowKind::kUnusable, "large_list_view"},
    {"+s", ArrowKind::kUnusable, "struct"},
    {"+m", ArrowKind::kUnusable, "map"},
    {"+r", ArrowKind::kUnusable, "run_end_encoded"},
};

/// "tsu:Europe/Paris"
std::optional<ArrowType> ParseTimestampFormat(std::string_view format) {
  static constexpr std::string_view kUnits = "smun";
  static constexpr int64_t kPerSecond[] = {1, 1000, 1'000'000, 1'000'000'000};
  if (!format.starts_with("ts") || format.size() < 4 || format[3] != ':') return std::nullopt;
  const size_t unit = kUnits.find(format[2]);
  if (unit == std::string_view::npos) return std::nullopt;
  static constexpr std::string_view kUnitNames[] = {"s", "ms", "us", "ns"};
  const std::string_view zone = format.substr(4);
  ArrowType type{.kind = ArrowKind::kTime, .name = {}, .per_second = kPerSecond[unit], .has_zone = !zone.empty()};
  type.name = fmt::format("timestamp[{}{}{}]", kUnitNames[unit], zone.empty() ? "" : ", ", base::Shorten(zone));
  return type;
}

/// "d:19,10" or "d:19,10,256"
std::optional<ArrowType> ParseDecimalFormat(std::string_view format) {
  if (!format.starts_with("d:")) return std::nullopt;
  int64_t numbers[3] = {0, 0, 128};
  int count = 0;
  for (std::string_view rest = format.substr(2); count < 3; ++count) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const auto number = base::ParseInt64(rest.substr(0, comma));
    if (!number || *number < -1000 || *number > 1000) return std::nullopt;
    numbers[count] = *number;
    if (comma == rest.size()) {
      ++count;
      break;
    }
    rest.remove_prefix(comma + 1);
  }
  if (count < 2) return std::nullopt;
  const int64_t bits = numbers[2];
  ArrowType type{.name = fmt::format("decimal{}({}, {})", bits, numbers[0], numbers[1])};
  if (bits == 32 || bits == 64 || bits == 128) type.kind = ArrowKind::kDecimal;
  type.bytes = static_cast<int>(bits / 8);
  type.scale = static_cast<int>(numbers[1]);
  return type;
}

}  // namespace

ArrowType ParseFormat(std::string_view format) {
  const auto* simple = std::ranges::find(kSimpleFormats, format, &SimpleFormat::format);
  if (simple != std::end(kSimpleFormats)) {
    ArrowType type{.kind = simple->kind, .name = std::string(simple->name), .per_second = simple->per_second};
    return type;
  }
  if (auto timestamp = ParseTimestampFormat(format)) return *timestamp;
  if (auto decimal = ParseDecimalFormat(format)) return *decimal;
  if (format.starts_with("+w:")) {
    const auto size = base::ParseInt64(format.substr(3));
    if (size && *size >= 0 && *size <= INT32_MAX) {
      return {.kind = ArrowKind::kFixedSizeList, .name = fmt::format("fixed_size_list[{}]", *size), .size = *size};
    }
  }
  if (format.starts_with("w:")) return {.name = fmt::format("fixed_size_binary[{}]", base::Shorten(format.substr(2)))};
  if (format.starts_with("+u")) return {.name = "union"};
  return {.name = fmt::format("{:?}", base::Shorten(format))};
}

}  // namespace slipway::embed

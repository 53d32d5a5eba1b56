#include "schema/literal.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "data/timestamp.h"
#include "schema/schema.h"

namespace slipway::schema {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

std::unexpected<base::Error> Unfit(const base::Value& value, std::string_view what, std::string_view should) {
  return base::Fail(base::Code::kInvalidArgument, "manifest.value",
                    fmt::format("{} is {}: {}", what, ValueText(value), should), Where(value.position()));
}

base::Result<Literal> ReadInteger(const base::Value& value, std::string_view what) {
  if (value.is_integer()) return Literal{.integer = value.integer()};
  if (value.is_number() && std::trunc(value.number()) == value.number() && std::abs(value.number()) <= kExactIntegers) {
    return Literal{.integer = static_cast<int64_t>(value.number())};
  }
  return Unfit(value, what, "the column is an integer, write a whole number");
}

base::Result<Literal> ReadTimestamp(const base::Value& value, int zone_minutes, std::string_view what) {
  constexpr std::string_view kAdvice = "the column is a timestamp, write it as \"2013-07-04T08:15:00Z\"";
  if (!value.is_string()) return Unfit(value, what, kAdvice);
  const auto parsed = data::ParseTimestamp(value.string(), zone_minutes);
  if (!parsed) return Unfit(value, what, kAdvice);
  return Literal{.integer = *parsed};
}

}  // namespace

base::Result<Literal> ReadLiteral(const base::Value& value, const data::Field& field, std::string_view what) {
  switch (field.type.scalar) {
    case data::ScalarType::kBoolean:
      if (!value.is_boolean()) return Unfit(value, what, "the column is a boolean, write true or false");
      return Literal{.boolean = value.boolean()};
    case data::ScalarType::kInteger:
      return ReadInteger(value, what);
    case data::ScalarType::kNumber:
      if (!value.is_number()) return Unfit(value, what, "the column is a number, write a number");
      return Literal{.number = value.number()};
    case data::ScalarType::kString:
      if (!value.is_string()) return Unfit(value, what, "the column is a string, write it in quotes");
      if (value.string().size() > kMaxTextBytes) return Unfit(value, what, "it is longer than 65536 bytes, shorten it");
      if (!base::IsValidUtf8(value.string())) return Unfit(value, what, "it is not valid UTF-8");
      return Literal{.text = value.string()};
    case data::ScalarType::kTimestamp:
      return ReadTimestamp(value, field.zone_minutes, what);
  }
  return Unfit(value, what, "the column's type is unknown");
}

std::string ValueText(const base::Value& value) {
  switch (value.kind()) {
    case base::Value::Kind::kString:
      return fmt::format("\"{}\"", base::Shorten(value.string()));
    case base::Value::Kind::kList:
      return "a list";
    case base::Value::Kind::kMap:
      return "a map";
    case base::Value::Kind::kNumber:
      return NumberText(value.number());
    default:
      return base::ToJson(value);
  }
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", value);
}

std::string TimestampText(int64_t microseconds) {
  std::string text;
  data::AppendTimestamp(text, microseconds);
  return text;
}

}  // namespace slipway::schema

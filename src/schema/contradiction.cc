#include "schema/contradiction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"
#include "schema/literal.h"

namespace slipway::schema {
namespace {

using data::ScalarType;
using PositionOf = std::function<base::Position(std::string_view key)>;

struct KeyUse {
  std::string_view key;
  std::string_view types;  ///< for the message
  bool tensors;
  bool boolean, integer, number, string, timestamp;
};

constexpr KeyUse kKeyUses[] = {
    {"min", "integers, numbers and timestamps", true, false, true, true, false, true},
    {"max", "integers, numbers and timestamps", true, false, true, true, false, true},
    {"values", "single booleans, integers, numbers and strings", false, true, true, true, true, false},
    {"unknown", "single booleans, integers, numbers and strings", false, true, true, true, true, false},
    {"pattern", "single strings", false, false, false, false, true, false},
    {"length", "single strings", false, false, false, false, true, false},
    {"min_length", "single strings", false, false, false, false, true, false},
    {"max_length", "single strings", false, false, false, false, true, false},
    {"allow_non_finite", "numbers", true, false, false, true, false, false},
    {"zone", "timestamps", true, false, false, false, false, true},
    {"default", "single values", false, true, true, true, true, true},
};

bool Applies(const KeyUse& use, const data::DataType& type) {
  if (!use.tensors && !type.is_scalar()) return false;
  switch (type.scalar) {
    case ScalarType::kBoolean:
      return use.boolean;
    case ScalarType::kInteger:
      return use.integer;
    case ScalarType::kNumber:
      return use.number;
    case ScalarType::kString:
      return use.string;
    case ScalarType::kTimestamp:
      return use.timestamp;
  }
  return false;
}

/// The checks of one column.
class ColumnReview {
 public:
  ColumnReview(const ColumnRules& column, const PositionOf& position_of) : column_(column), position_of_(position_of) {}

  base::Result<void> Run() const {
    SLIPWAY_TRY(CheckName());
    SLIPWAY_TRY(CheckShape());
    SLIPWAY_TRY(CheckKeys());
    SLIPWAY_TRY(CheckBounds());
    SLIPWAY_TRY(CheckPolicies());
    SLIPWAY_TRY(CheckSizes());
    return {};
  }

 private:
  const std::string& name() const { return column_.field.name; }

  std::unexpected<base::Error> Refuse(std::string_view key, std::string message,
                                      std::string_view reason = "manifest.contradiction") const {
    return base::Fail(base::Code::kInvalidArgument, std::string(reason), std::move(message), Where(position_of_(key)));
  }

  base::Result<void> CheckName() const {
    if (name().empty()) return Refuse("", "a column has an empty name: give it one", "manifest.value");
    const bool control =
        std::ranges::any_of(name(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (name().size() > kMaxNameBytes || control || !base::IsValidUtf8(name())) {
      return Refuse(
          "",
          fmt::format("the column name \"{}\" is longer than {} bytes, or holds control characters or invalid "
                      "UTF-8: rename it",
                      base::Shorten(name()), kMaxNameBytes),
          "manifest.value");
    }
    return {};
  }

  base::Result<void> CheckShape() const {
    const auto& shape = column_.field.type.shape;
    if (static_cast<int64_t>(shape.size()) > kMaxRank) {
      return Refuse("type", fmt::format("{} has {} dimensions, more than {}", name(), shape.size(), kMaxRank),
                    "manifest.limit");
    }
    int64_t elements = 1;
    for (const int64_t size : shape) {
      if (size == -1) continue;
      if (size < 1) {
        return Refuse("type",
                      fmt::format("a dimension of {} is {}: write 1 or more, or ? where it varies", name(), size),
                      "manifest.value");
      }
      if (size > kMaxElements / elements) {
        return Refuse("type", fmt::format("a row of {} has more than {} elements", name(), kMaxElements),
                      "manifest.limit");
      }
      elements *= size;
    }
    return {};
  }

  base::Result<void> CheckKeys() const {
    const auto check = [&](bool written, std::string_view key) -> base::Result<void> {
      return written ? CheckKeyApplies(key, column_, position_of_(key)) : base::Result<void>();
    };
    const bool number = column_.field.type.scalar == ScalarType::kNumber;
    if ((column_.min || column_.max) && !number) {
      return Refuse("min", fmt::format("{} is no number, but its bounds are", name()));
    }
    if ((column_.min_integer || column_.max_integer) && number) {
      return Refuse("min", fmt::format("{} is a number, but its bounds are integers", name()));
    }
    SLIPWAY_TRY(check(column_.min_integer.has_value(), "min"));
    SLIPWAY_TRY(check(column_.max_integer.has_value(), "max"));
    SLIPWAY_TRY(check(!column_.values.empty(), "values"));
    SLIPWAY_TRY(check(column_.unknown != UnknownValue::kViolation, "unknown"));
    SLIPWAY_TRY(check(!column_.pattern.empty(), "pattern"));
    SLIPWAY_TRY(check(column_.min_length.has_value(), "min_length"));
    SLIPWAY_TRY(check(column_.max_length.has_value(), "max_length"));
    SLIPWAY_TRY(check(column_.allow_non_finite, "allow_non_finite"));
    SLIPWAY_TRY(check(column_.field.zone_minutes != 0, "zone"));
    SLIPWAY_TRY(check(column_.default_value.has_value(), "default"));
    return {};
  }

  base::Result<void> CheckBounds() const {
    if ((column_.min && !std::isfinite(*column_.min)) || (column_.max && !std::isfinite(*column_.max))) {
      return Refuse(column_.min && !std::isfinite(*column_.min) ? "min" : "max",
                    fmt::format("a bound of {} is not finite: leave it out", name()), "manifest.value");
    }
    if (column_.min && column_.max && *column_.min > *column_.max) {
      return RefuseOrder("min", NumberText(*column_.min), "max", NumberText(*column_.max));
    }
    if (column_.min_integer && column_.max_integer && *column_.min_integer > *column_.max_integer) {
      const bool time = column_.field.type.scalar == ScalarType::kTimestamp;
      const auto text = [&](int64_t bound) { return time ? TimestampText(bound) : std::to_string(bound); };
      return RefuseOrder("min", text(*column_.min_integer), "max", text(*column_.max_integer));
    }
    if (column_.min_length.value_or(0) < 0 || column_.max_length.value_or(0) < 0) {
      return Refuse(column_.min_length.value_or(0) < 0 ? "min_length" : "max_length",
                    fmt::format("a length of {} is below 0", name()), "manifest.value");
    }
    if (column_.min_length && column_.max_length && *column_.min_length > *column_.max_length) {
      return RefuseOrder("min_length", std::to_string(*column_.min_length), "max_length",
                         std::to_string(*column_.max_length));
    }
    return {};
  }

  base::Result<void> RefuseOrder(std::string_view low, const std::string& low_value, std::string_view high,
                                 const std::string& high_value) const {
    return Refuse(low, fmt::format("{} {} of {} is above its {} {}: no value could pass", low, low_value, name(), high,
                                   high_value));
  }

  base::Result<void> CheckPolicies() const {
    const bool bounded = column_.min || column_.max || column_.min_integer || column_.max_integer;
    if (column_.on_violation == Policy::kClamp && !bounded) {
      return Refuse("on_violation", fmt::format("on_violation: clamp of {} has nothing to clamp to: add min or max, or "
                                                "choose reject, impute, null or warn",
                                                name()));
    }
    const bool imputes = column_.missing == Missing::kImpute || column_.on_violation == Policy::kImpute;
    if (imputes && !column_.field.type.is_scalar()) {
      return Refuse(column_.missing == Missing::kImpute ? "missing" : "on_violation",
                    fmt::format("{} is a tensor, which cannot be imputed: choose reject or null", name()));
    }
    if (column_.default_value && !imputes) {
      return Refuse(
          "default",
          fmt::format("the default of {} is never used: add missing: impute or on_violation: impute", name()));
    }
    if (column_.unknown != UnknownValue::kViolation && column_.values.empty()) {
      return Refuse(
          "unknown",
          fmt::format("unknown of {} says what to do outside values, but there are none: add values", name()));
    }
    if (column_.unknown == UnknownValue::kOther && column_.field.type.scalar != ScalarType::kString) {
      return Refuse("unknown", fmt::format("unknown: other of {} makes a text, but the column is of type {}: choose "
                                           "reject or null",
                                           name(), column_.field.type.ToString()));
    }
    return {};
  }

  base::Result<void> CheckSizes() const {
    if (static_cast<int64_t>(column_.values.size()) > kMaxValues) {
      return Refuse("values",
                    fmt::format("{} lists {} values, more than {}: use a pattern, or leave values out", name(),
                                column_.values.size(), kMaxValues),
                    "manifest.limit");
    }
    size_t bytes = 0;
    for (const auto& value : column_.values) bytes += value.is_string() ? value.string().size() : 0;
    if (bytes > kMaxTextBytes * 1024) {
      return Refuse("values", fmt::format("the values of {} take more than {} bytes", name(), kMaxTextBytes * 1024),
                    "manifest.limit");
    }
    if (static_cast<int64_t>(column_.field.null_texts.size()) > kMaxNullValues) {
      return Refuse("null_values", fmt::format("{} lists more than {} null_values", name(), kMaxNullValues),
                    "manifest.limit");
    }
    return {};
  }

  const ColumnRules& column_;
  const PositionOf& position_of_;
};

}  // namespace

base::Result<void> CheckKeyApplies(std::string_view key, const ColumnRules& column, const base::Position& position) {
  const auto* use = std::ranges::find(kKeyUses, key, &KeyUse::key);
  if (use == std::end(kKeyUses) || Applies(*use, column.field.type)) return {};
  return base::Fail(base::Code::kInvalidArgument, "manifest.contradiction",
                    fmt::format("{} is for {}, but {} is of type {}: remove it or change the type", key, use->types,
                                column.field.name, column.field.type.ToString()),
                    Where(position));
}

base::Result<void> CheckContradictions(const ColumnRules& column, const PositionOf& position_of) {
  return ColumnReview(column, position_of).Run();
}

}  // namespace slipway::schema

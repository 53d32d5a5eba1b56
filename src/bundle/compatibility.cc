#include "bundle/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace slipway::bundle {
namespace {

using schema::ColumnRules;
using schema::Missing;
using schema::Policy;
using schema::UnknownValue;

/// Collects the changes of one column or output.
class Comparison {
 public:
  Comparison(std::string path, std::vector<Change>& changes) : path_(std::move(path)), changes_(changes) {}

  void Add(std::string_view key, Bump bump, std::string message) {
    changes_.push_back({key.empty() ? path_ : fmt::format("{}.{}", path_, key), bump, std::move(message)});
  }

  /// `narrower(a, b)`: what b allows, a does not. An absent bound allows everything.
  template <typename T, typename Narrower>
  void Bound(std::string_view key, const std::optional<T>& before, const std::optional<T>& after, Narrower narrower) {
    if (before == after) return;
    const bool breaks = after && (!before || narrower(*after, *before));
    const auto text = [](const std::optional<T>& bound) { return bound ? fmt::format("{}", *bound) : "none"; };
    Add(key, breaks ? Bump::kMajor : Bump::kMinor,
        fmt::format("the bound {} went from {} to {}", key, text(before), text(after)));
  }

  /// Any difference has the same weight.
  template <typename T>
  void Same(std::string_view key, const T& before, const T& after, Bump bump, std::string_view what) {
    if (!(before == after)) Add(key, bump, fmt::format("{} changed", what));
  }

 private:
  std::string path_;
  std::vector<Change>& changes_;
};

bool MayBeAbsent(const ColumnRules& column) {
  return column.optional || (column.missing != Missing::kReject && !column.must_be_present);
}

bool Contains(const std::vector<base::Value>& values, const base::Value& value) {
  return std::ranges::find(values, value) != values.end();
}

void CompareValues(const ColumnRules& before, const ColumnRules& after, Comparison& comparison) {
  if (before.values == after.values && before.unknown == after.unknown) return;
  const auto allowed = [](const ColumnRules& rules, const base::Value& value) {
    return rules.values.empty() || Contains(rules.values, value);
  };
  const bool all_kept = std::ranges::all_of(before.values, [&](const auto& value) { return allowed(after, value); });
  const bool closes = before.values.empty() && !after.values.empty();
  if (after.unknown == UnknownValue::kViolation) {
    const bool was_open = before.unknown != UnknownValue::kViolation && !before.values.empty() && !after.values.empty();
    const bool breaks = closes || was_open || !all_kept;
    comparison.Add("values", breaks ? Bump::kMajor : Bump::kMinor,
                   breaks ? "values that were accepted are refused" : "more values are accepted");
  } else {
    comparison.Add("values", Bump::kMinor, "the set of values changed; others are still taken");
  }
}

bool Repairs(Policy policy) {
  return policy != Policy::kReject;
}

void CompareColumn(const ColumnRules& before, const ColumnRules& after, std::vector<Change>& changes) {
  Comparison comparison(fmt::format("inputs.{}", after.field.name), changes);
  if (!(before.field.type == after.field.type)) {
    comparison.Add(
        "type", Bump::kMajor,
        fmt::format("the type went from {} to {}", before.field.type.ToString(), after.field.type.ToString()));
    return;
  }
  const auto smaller = [](auto a, auto b) { return a < b; };
  const auto larger = [](auto a, auto b) { return a > b; };
  comparison.Bound("min", before.min, after.min, larger);
  comparison.Bound("max", before.max, after.max, smaller);
  comparison.Bound("min", before.min_integer, after.min_integer, larger);
  comparison.Bound("max", before.max_integer, after.max_integer, smaller);
  comparison.Bound("min_length", before.min_length, after.min_length, larger);
  comparison.Bound("max_length", before.max_length, after.max_length, smaller);
  CompareValues(before, after, comparison);
  if (MayBeAbsent(before) != MayBeAbsent(after)) {
    comparison.Add("optional", MayBeAbsent(after) ? Bump::kMinor : Bump::kMajor,
                   MayBeAbsent(after) ? "the field may be absent now" : "the field is required now");
  }
  if ((before.missing == Missing::kReject) != (after.missing == Missing::kReject)) {
    const bool breaks = after.missing == Missing::kReject;
    comparison.Add("missing", breaks ? Bump::kMajor : Bump::kMinor,
                   breaks ? "null is refused now" : "null is taken now");
  } else {
    comparison.Same("missing", before.missing, after.missing, Bump::kMinor, "what null becomes");
  }
  if (before.on_violation != after.on_violation) {
    const bool breaks = Repairs(before.on_violation);
    comparison.Add("on_violation", breaks ? Bump::kMajor : Bump::kMinor,
                   breaks ? "what was repaired or let pass is treated otherwise" : "what was refused is taken now");
  }
  if (before.pattern != after.pattern) {
    comparison.Add("pattern", after.pattern.empty() ? Bump::kMinor : Bump::kMajor,
                   after.pattern.empty() ? "any text is accepted" : "texts that were accepted may be refused");
  }
  if (before.allow_non_finite != after.allow_non_finite) {
    comparison.Add("allow_non_finite", after.allow_non_finite ? Bump::kMinor : Bump::kMajor,
                   after.allow_non_finite ? "NaN and infinities are taken now" : "NaN and infinities are refused now");
  }
  comparison.Same("unit", before.unit, after.unit, Bump::kMajor, "the unit");
  comparison.Same("zone", before.field.zone_minutes, after.field.zone_minutes, Bump::kMajor, "the time zone");
  comparison.Same("null_values", before.field.null_texts, after.field.null_texts, Bump::kMajor,
                  "which texts mean null");
  comparison.Same("default", before.default_value, after.default_value, Bump::kMinor, "the default");
  comparison.Same("personal", before.personal, after.personal, Bump::kPatch, "the handling of personal data");
  comparison.Same("description", before.description, after.description, Bump::kPatch, "the description");
}

const ColumnRules* FindColumn(const schema::Schema& schema, const std::string& name) {
  const auto found = std::ranges::find(schema.columns, name, [](const auto& column) { return column.field.name; });
  return found == schema.columns.end() ? nullptr : &*found;
}

void CompareRules(const schema::Schema& before, const schema::Schema& after, std::vector<Change>& changes) {
  const auto has = [](const schema::Schema& schema, const std::string& check) {
    return std::ranges::count(schema.rules, check, &schema::CrossFieldRule::check) > 0;
  };
  for (const auto& rule : after.rules) {
    if (!has(before, rule.check)) {
      changes.push_back({"rules", Bump::kMajor, fmt::format("new rule: {}", base::Shorten(rule.check))});
    }
  }
  for (const auto& rule : before.rules) {
    if (!has(after, rule.check)) {
      changes.push_back({"rules", Bump::kMinor, fmt::format("rule removed: {}", base::Shorten(rule.check))});
    }
  }
}

}  // namespace

std::string_view BumpName(Bump bump) {
  return bump == Bump::kMajor ? "major" : bump == Bump::kMinor ? "minor" : "patch";
}

std::vector<Change> CompareSchemas(const schema::Schema& before, const schema::Schema& after) {
  std::vector<Change> changes;
  const bool ignores = after.unknown_fields == data::UnknownFields::kIgnore;
  for (const ColumnRules& column : after.columns) {
    if (const ColumnRules* old = FindColumn(before, column.field.name); old != nullptr) {
      CompareColumn(*old, column, changes);
      continue;
    }
    const bool breaks = !MayBeAbsent(column) || before.unknown_fields == data::UnknownFields::kIgnore;
    changes.push_back({fmt::format("inputs.{}", column.field.name), breaks ? Bump::kMajor : Bump::kMinor,
                       !MayBeAbsent(column) ? "new required field"
                       : breaks             ? "new field, under a name that was ignored before"
                                            : "new field that may be absent"});
  }
  for (const ColumnRules& column : before.columns) {
    if (FindColumn(after, column.field.name) != nullptr) continue;
    changes.push_back({fmt::format("inputs.{}", column.field.name), ignores ? Bump::kMinor : Bump::kMajor,
                       ignores ? "field removed; it is ignored" : "field removed; records that carry it are refused"});
  }
  if (before.unknown_fields != after.unknown_fields) {
    changes.push_back({"unknown_fields", ignores ? Bump::kMinor : Bump::kMajor,
                       ignores ? "unknown fields are ignored now" : "unknown fields are refused now"});
  }
  CompareRules(before, after, changes);
  return changes;
}

std::vector<Change> CompareOutputs(std::span<const OutputSpec> before, std::span<const OutputSpec> after) {
  std::vector<Change> changes;
  const auto find = [](std::span<const OutputSpec> outputs, const std::string& name) -> const OutputSpec* {
    const auto found = std::ranges::find(outputs, name, &OutputSpec::name);
    return found == outputs.end() || found->hidden ? nullptr : &*found;
  };
  for (const OutputSpec& output : after) {
    if (output.hidden) continue;
    Comparison comparison(fmt::format("outputs.{}", output.name), changes);
    const OutputSpec* old = find(before, output.name);
    if (old == nullptr) {
      comparison.Add(
          "", before.empty() ? Bump::kMajor : Bump::kMinor,
          before.empty() ? "the answer had the model's own outputs, now declared ones" : "new field of the answer");
      continue;
    }
    const auto type = [](const OutputSpec& o) { return o.type.value_or(o.when.empty() ? "" : "boolean"); };
    comparison.Same("type", type(*old), type(output), Bump::kMajor, "the type");
    comparison.Same("top", old->top.has_value(), output.top.has_value(), Bump::kMajor, "the form of the answer");
    comparison.Same("labels", old->labels, output.labels, Bump::kMajor, "the labels");
    comparison.Same("when", old->when, output.when, Bump::kMinor, "the condition");
    comparison.Same("from", old->from, output.from, Bump::kMinor, "the source");
    comparison.Same("expr", old->expr, output.expr, Bump::kMinor, "the formula");
    comparison.Same("description", old->description, output.description, Bump::kPatch, "the description");
  }
  for (const OutputSpec& output : before) {
    if (output.hidden || find(after, output.name) != nullptr) continue;
    changes.push_back({fmt::format("outputs.{}", output.name), Bump::kMajor, "field of the answer removed"});
  }
  return changes;
}

Bump DemandedBump(std::span<const Change> changes) {
  const auto largest = std::ranges::max_element(changes, {}, &Change::bump);
  return largest == changes.end() ? Bump::kPatch : largest->bump;
}

base::Result<void> CheckBump(const Version& before, const Version& after, std::span<const Change> changes) {
  const auto refuse = [&](std::string_view rule) {
    return base::Fail(base::Code::kFailedPrecondition, "version.not_bumped",
                      fmt::format("version {} does not follow {}: {}", after.ToString(), before.ToString(), rule));
  };
  if (after <= before) return refuse("it must be larger");
  Bump demanded = DemandedBump(changes);
  if (before.major == 0 && after.major == 0 && demanded != Bump::kPatch) {
    demanded = demanded == Bump::kMajor ? Bump::kMinor : Bump::kPatch;
  }
  const Bump made = after.major != before.major   ? Bump::kMajor
                    : after.minor != before.minor ? Bump::kMinor
                                                  : Bump::kPatch;
  // The numbers of a pre-release are not taken yet: 2.0.0-rc.2 and 2.0.0 follow 2.0.0-rc.1 whatever changed.
  if (made >= demanded || !before.prerelease.empty()) return {};
  const auto change = std::ranges::max_element(changes, {}, &Change::bump);
  return refuse(fmt::format("{}: {}, which asks for a {} step", change->path, change->message, BumpName(demanded)));
}

}  // namespace slipway::bundle

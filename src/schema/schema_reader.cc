// ParseSchema: the manifest's map becomes a Schema.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/text.h"
#include "schema/column_plan.h"
#include "schema/contradiction.h"
#include "schema/literal.h"
#include "schema/schema.h"

namespace slipway::schema {
namespace {

using base::Value;

const std::vector<std::string> kColumnKeys = {
    "type",    "shape",        "description", "unit",     "optional", "nullable",    "missing",
    "default", "on_violation", "min",         "max",      "values",   "unknown",     "pattern",
    "length",  "min_length",   "max_length",  "personal", "zone",     "null_values", "allow_non_finite"};
const std::vector<std::string> kRuleKeys = {"check", "message"};
const std::vector<std::string> kTypeNames = {"boolean", "integer", "number", "string", "timestamp"};

std::unexpected<base::Error> Refuse(std::string_view reason, std::string message, const base::Position& position) {
  return base::Fail(base::Code::kInvalidArgument, std::string(reason), std::move(message), Where(position));
}

base::Result<void> CheckKeys(const Value& map, std::span<const std::string> known, std::string_view owner) {
  for (const auto& [key, value] : map.map()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return Refuse("manifest.unknown_key",
                  fmt::format("{} has no key \"{}\"{}; the keys are {}", owner, base::Shorten(key),
                              base::DidYouMean(key, known), fmt::join(known, ", ")),
                  value.position());
  }
  return {};
}

/// Other languages' words for our types.
std::string_view OurWord(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kWords = {{
      {"bool", "boolean"},   {"int", "integer"},        {"int32", "integer"},  {"int64", "integer"},
      {"long", "integer"},   {"bigint", "integer"},     {"float", "number"},   {"float32", "number"},
      {"float64", "number"}, {"double", "number"},      {"decimal", "number"}, {"numeric", "number"},
      {"str", "string"},     {"text", "string"},        {"varchar", "string"}, {"category", "string"},
      {"date", "timestamp"}, {"datetime", "timestamp"}, {"time", "timestamp"}, {"datetime64", "timestamp"},
  }};
  const auto* word = std::ranges::find(kWords, type, &std::pair<std::string_view, std::string_view>::first);
  return word == kWords.end() ? std::string_view() : word->second;
}

/// One entry of `inputs`.
class ColumnReader {
 public:
  ColumnReader(const std::string& name, const Value& body) : body_(body) {
    column_.field.name = name;
    column_.position = body.position();
  }

  base::Result<ColumnRules> Read() {
    if (body_.is_string()) {  // `origin: string`
      SLIPWAY_TRY(ReadType(body_));
    } else {
      if (!body_.is_map()) {
        return Refuse(
            "manifest.type",
            fmt::format("the column {} is {}: write its type, as in {{type: number}}", shown(), ValueText(body_)),
            body_.position());
      }
      SLIPWAY_TRY(CheckKeys(body_, kColumnKeys, "the column " + shown()));
      SLIPWAY_TRY(ReadBody());
    }
    SLIPWAY_TRY(ColumnPlan::Compile(column_, [this](std::string_view key) { return PositionOf(key); }, nullptr));
    return std::move(column_);
  }

 private:
  std::string shown() const { return base::Shorten(column_.field.name); }

  base::Position PositionOf(std::string_view key) const {
    const Value* value = body_.Find(key);
    if (!value && (key == "min_length" || key == "max_length")) value = body_.Find("length");
    return value && value->position().line > 0 ? value->position() : body_.position();
  }

  base::Result<void> ReadBody() {
    const Value* type = body_.Find("type");
    if (!type) {
      return Refuse("manifest.missing_key",
                    fmt::format("the column {} has no type: write one of {}", shown(), fmt::join(kTypeNames, ", ")),
                    body_.position());
    }
    SLIPWAY_TRY(ReadType(*type));
    for (const auto& [key, value] : body_.map()) SLIPWAY_TRY(CheckKeyApplies(key, column_, value.position()));
    SLIPWAY_TRY(ReadText("description", column_.description));
    SLIPWAY_TRY(ReadText("unit", column_.unit));
    SLIPWAY_TRY(ReadText("pattern", column_.pattern));
    SLIPWAY_TRY(ReadFlag("allow_non_finite", column_.allow_non_finite));
    column_.field.null_elements_are_nan = column_.allow_non_finite && !column_.field.type.is_scalar();
    SLIPWAY_TRY(ReadZone());
    SLIPWAY_TRY(ReadNullTexts());
    SLIPWAY_TRY(ReadPersonal());
    SLIPWAY_TRY(ReadBounds());
    SLIPWAY_TRY(ReadLengths());
    SLIPWAY_TRY(ReadValues());
    SLIPWAY_TRY(ReadPolicies());
    return ReadPresence();
  }

  /// "number", "number[4]", "integer[?,16]", and `shape`.
  base::Result<void> ReadType(const Value& value) {
    if (!value.is_string()) return WrongKind("type", value, "a text such as number");
    const std::string_view text = base::Trim(value.string());
    const size_t bracket = text.find('[');
    const std::string word(base::Trim(text.substr(0, bracket)));
    const auto known = std::ranges::find(kTypeNames, word);
    if (known == kTypeNames.end()) {
      const std::string_view ours = OurWord(word);
      return Refuse(
          "manifest.value",
          fmt::format("the column {} has the unknown type \"{}\"{}; the types are {}", shown(), base::Shorten(word),
                      ours.empty() ? base::DidYouMean(word, kTypeNames) : fmt::format(" (write {})", ours),
                      fmt::join(kTypeNames, ", ")),
          value.position());
    }
    SLIPWAY_ASSIGN(column_.field.type.scalar, data::ParseScalarType(word));
    if (bracket != std::string_view::npos) SLIPWAY_TRY(ReadDimensions(text.substr(bracket), value));
    return ReadShape();
  }

  base::Result<void> ReadDimensions(std::string_view text, const Value& value) {
    const auto malformed = [&] {
      return Refuse("manifest.value",
                    fmt::format("the type \"{}\" of {} has no readable shape: write it as number[4] or number[28,28], "
                                "with ? for a size that varies",
                                base::Shorten(value.string()), shown()),
                    value.position());
    };
    if (!text.ends_with(']')) return malformed();
    text = text.substr(1, text.size() - 2);
    for (bool more = true; more;) {
      const size_t comma = text.find(',');
      const std::string_view word = base::Trim(text.substr(0, comma));
      const auto size = base::ParseInt64(word);
      if (word != "?" && (!size || *size < 1)) return malformed();
      column_.field.type.shape.push_back(word == "?" ? -1 : *size);
      more = comma != std::string_view::npos;
      if (more) text = text.substr(comma + 1);
    }
    return {};
  }

  base::Result<void> ReadShape() {
    const Value* shape = body_.Find("shape");
    if (!shape) return {};
    if (!column_.field.type.shape.empty()) {
      return Refuse("manifest.contradiction",
                    fmt::format("the column {} gives its shape twice: leave out shape", shown()), shape->position());
    }
    if (!shape->is_list() || shape->list().empty())
      return WrongKind("shape", *shape, "a list of sizes such as [28, 28]");
    for (const auto& size : shape->list()) {
      const bool varies = (size.is_string() && size.string() == "?") || (size.is_integer() && size.integer() == -1);
      if (!varies && (!size.is_integer() || size.integer() < 1)) {
        return WrongKind("shape", size, "a size of 1 or more, or \"?\" where it varies");
      }
      column_.field.type.shape.push_back(varies ? -1 : size.integer());
    }
    return {};
  }

  base::Result<void> ReadZone() {
    const Value* zone = body_.Find("zone");
    if (!zone) return {};
    const std::string_view text = zone->is_string() ? std::string_view(zone->string()) : std::string_view();
    if (text == "UTC" || text == "Z") return {};
    const auto digits = [&](size_t at) -> int {
      const char a = text[at], b = text[at + 1];
      return a >= '0' && a <= '9' && b >= '0' && b <= '9' ? (a - '0') * 10 + (b - '0') : 99;
    };
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' || digits(1) > 18 || digits(4) > 59) {
      return WrongKind("zone", *zone, "an offset from UTC such as \"+05:30\", or UTC; names of zones are not known");
    }
    column_.field.zone_minutes = (digits(1) * 60 + digits(4)) * (text[0] == '-' ? -1 : 1);
    return {};
  }

  base::Result<void> ReadNullTexts() {
    const Value* texts = body_.Find("null_values");
    if (!texts) return {};
    if (!texts->is_list()) return WrongKind("null_values", *texts, "a list of texts such as [\"NA\", \"-\"]");
    for (const auto& text : texts->list()) {
      if (!text.is_string() || text.string().size() > kMaxNameBytes || !base::IsValidUtf8(text.string())) {
        return WrongKind("null_values", text, "a short text in quotes");
      }
      column_.field.null_texts.push_back(text.string());
    }
    return {};
  }

  base::Result<void> ReadPersonal() {
    const Value* value = body_.Find("personal");
    if (!value) return {};
    if (value->is_boolean()) {
      column_.personal = value->boolean() ? Personal::kPersonal : Personal::kNo;
    } else {
      SLIPWAY_ASSIGN(const int choice,
                     Choose("personal", *value, {"pseudonymize", "drop"}, "true, pseudonymize or drop"));
      column_.personal = choice == 0 ? Personal::kPseudonymize : Personal::kDrop;
    }
    column_.field.personal = column_.personal != Personal::kNo;
    return {};
  }

  base::Result<void> ReadBounds() {
    const bool number = column_.field.type.scalar == data::ScalarType::kNumber;
    for (const bool lower : {true, false}) {
      const std::string_view key = lower ? "min" : "max";
      const Value* value = body_.Find(key);
      if (!value) continue;
      SLIPWAY_ASSIGN(const Literal literal, ReadLiteral(*value, column_.field, fmt::format("{} of {}", key, shown())));
      if (number) {
        (lower ? column_.min : column_.max) = literal.number;
      } else {
        (lower ? column_.min_integer : column_.max_integer) = literal.integer;
      }
    }
    return {};
  }

  base::Result<void> ReadLengths() {
    std::optional<int64_t> length;
    SLIPWAY_TRY(ReadCount("length", length));
    SLIPWAY_TRY(ReadCount("min_length", column_.min_length));
    SLIPWAY_TRY(ReadCount("max_length", column_.max_length));
    if (!length) return {};
    if (column_.min_length || column_.max_length) {
      return Refuse("manifest.contradiction",
                    fmt::format("the column {} has length beside min_length or max_length: keep one of them", shown()),
                    PositionOf("length"));
    }
    column_.min_length = column_.max_length = length;
    return {};
  }

  base::Result<void> ReadCount(std::string_view key, std::optional<int64_t>& count) const {
    const Value* value = body_.Find(key);
    if (!value) return {};
    if (!value->is_integer() || value->integer() < 0) return WrongKind(key, *value, "a whole number of 0 or more");
    count = value->integer();
    return {};
  }

  base::Result<void> ReadValues() {
    if (const Value* values = body_.Find("values")) {
      if (!values->is_list() || values->list().empty()) {
        return WrongKind("values", *values, "a list of at least one allowed value");
      }
      column_.values = values->list();
    }
    if (const Value* value = body_.Find("default")) {
      SLIPWAY_ASSIGN(const Literal literal, ReadLiteral(*value, column_.field, "the default of " + shown()));
      const bool timestamp = column_.field.type.scalar == data::ScalarType::kTimestamp;
      column_.default_value = timestamp ? Value(TimestampText(literal.integer)) : *value;
    }
    if (const Value* value = body_.Find("unknown")) {
      SLIPWAY_ASSIGN(const int choice, Choose("unknown", *value, {"reject", "other", "null"}, "reject, other or null"));
      column_.unknown = static_cast<UnknownValue>(choice);
    }
    return {};
  }

  base::Result<void> ReadPolicies() {
    if (const Value* value = body_.Find("on_violation")) {
      SLIPWAY_ASSIGN(const int choice, Choose("on_violation", *value, {"reject", "clamp", "impute", "null", "warn"},
                                              "reject, clamp, impute, null or warn"));
      column_.on_violation = static_cast<Policy>(choice);
    }
    return {};
  }

  /// `optional`, `nullable`, `missing` and `default` say one thing in four ways.
  base::Result<void> ReadPresence() {
    bool optional = false;
    bool nullable = false;
    SLIPWAY_TRY(ReadFlag("optional", optional));
    SLIPWAY_TRY(ReadFlag("nullable", nullable));
    const Value* missing = body_.Find("missing");
    if (missing) {
      SLIPWAY_ASSIGN(const int choice,
                     Choose("missing", *missing, {"reject", "null", "impute"}, "reject, null or impute"));
      column_.missing = static_cast<Missing>(choice);
    }
    const Value* written = body_.Find("nullable");
    if (written && missing && nullable != (column_.missing == Missing::kNull)) {
      return Refuse(
          "manifest.contradiction",
          fmt::format("the column {} has nullable: {} beside missing: {}: keep one of them", shown(), nullable,
                      column_.missing == Missing::kNull     ? "null"
                      : column_.missing == Missing::kImpute ? "impute"
                                                            : "reject"),
          written->position());
    }
    const bool default_unused = column_.default_value && column_.on_violation != Policy::kImpute;
    if (!missing && nullable) column_.missing = Missing::kNull;
    if (!missing && !written) {
      if (default_unused) {
        column_.missing = Missing::kImpute;
      } else if (optional) {
        column_.missing = column_.default_value ? Missing::kImpute : Missing::kNull;
      }
    }
    const bool lenient = column_.missing != Missing::kReject;
    column_.must_be_present = body_.Find("optional") && !optional && lenient;
    column_.optional = optional || (lenient && !column_.must_be_present);
    return {};
  }

  base::Result<void> ReadText(std::string_view key, std::string& text) const {
    const Value* value = body_.Find(key);
    if (!value) return {};
    if (!value->is_string() || value->string().size() > kMaxTextBytes) return WrongKind(key, *value, "a text");
    if (!base::IsValidUtf8(value->string())) return WrongKind(key, *value, "valid UTF-8");
    text = value->string();
    return {};
  }

  base::Result<void> ReadFlag(std::string_view key, bool& flag) const {
    const Value* value = body_.Find(key);
    if (!value) return {};
    if (!value->is_boolean()) return WrongKind(key, *value, "true or false");
    flag = value->boolean();
    return {};
  }

  /// The index of the word; YAML reads an unquoted null as no value, which here is the word "null".
  base::Result<int> Choose(std::string_view key, const Value& value, std::vector<std::string> words,
                           std::string_view wanted) const {
    const std::string word = value.is_null() ? "null" : value.is_string() ? value.string() : std::string();
    const auto found = std::ranges::find(words, word);
    if (found != words.end()) return static_cast<int>(found - words.begin());
    return Refuse("manifest.value",
                  fmt::format("{} of {} is {}{}: write {}", key, shown(), ValueText(value),
                              word.empty() ? std::string() : base::DidYouMean(word, words), wanted),
                  value.position());
  }

  std::unexpected<base::Error> WrongKind(std::string_view key, const Value& value, std::string_view wanted) const {
    return Refuse("manifest.type", fmt::format("{} of {} is {}: write {}", key, shown(), ValueText(value), wanted),
                  value.position());
  }

  const Value& body_;
  ColumnRules column_;
};

base::Result<void> ReadInputs(const Value& inputs, Schema& schema) {
  if (!inputs.is_map()) {
    return Refuse("manifest.type", fmt::format("inputs is {}: write a map of columns", ValueText(inputs)),
                  inputs.position());
  }
  if (static_cast<int64_t>(inputs.map().size()) > kMaxColumns) {
    return Refuse("manifest.limit",
                  fmt::format("inputs has {} columns, more than {}", inputs.map().size(), kMaxColumns),
                  inputs.position());
  }
  for (const auto& [name, body] : inputs.map()) {
    SLIPWAY_ASSIGN(auto column, ColumnReader(name, body).Read());
    schema.columns.push_back(std::move(column));
  }
  return {};
}

base::Result<CrossFieldRule> ReadRule(const Value& value) {
  CrossFieldRule rule;
  rule.position = value.position();
  const Value* check = &value;  // `- "arr_time > dep_time"`
  if (value.is_map()) {
    SLIPWAY_TRY(CheckKeys(value, kRuleKeys, "a rule"));
    check = value.Find("check");
    if (!check) return Refuse("manifest.missing_key", "a rule has no check: write an expression", value.position());
    if (const Value* message = value.Find("message")) {
      if (!message->is_string() || message->string().size() > kMaxTextBytes || !base::IsValidUtf8(message->string())) {
        return Refuse("manifest.type", fmt::format("the message of a rule is {}: write a text", ValueText(*message)),
                      message->position());
      }
      rule.message = message->string();
    }
  }
  if (!check->is_string() || base::Trim(check->string()).empty()) {
    return Refuse("manifest.type",
                  fmt::format("the check of a rule is {}: write an expression such as \"arr_time > dep_time\"",
                              ValueText(*check)),
                  check->position());
  }
  rule.check = check->string();
  if (check->position().line > 0) rule.position = check->position();
  return rule;
}

base::Result<void> ReadRules(const Value& rules, Schema& schema) {
  if (!rules.is_list()) {
    return Refuse("manifest.type", fmt::format("rules is {}: write a list of {{check, message}}", ValueText(rules)),
                  rules.position());
  }
  if (static_cast<int64_t>(rules.list().size()) > kMaxRules) {
    return Refuse("manifest.limit", fmt::format("there are {} rules, more than {}", rules.list().size(), kMaxRules),
                  rules.position());
  }
  for (const auto& value : rules.list()) {
    SLIPWAY_ASSIGN(auto rule, ReadRule(value));
    schema.rules.push_back(std::move(rule));
  }
  return {};
}

}  // namespace

base::Result<Schema> ParseSchema(const Value& manifest) {
  Schema schema;
  if (const Value* inputs = manifest.Find("inputs")) SLIPWAY_TRY(ReadInputs(*inputs, schema));
  if (const Value* rules = manifest.Find("rules")) SLIPWAY_TRY(ReadRules(*rules, schema));
  if (const Value* unknown = manifest.Find("unknown_fields")) {
    const std::vector<std::string> words = {"reject", "ignore"};
    const std::string word = unknown->is_string() ? unknown->string() : std::string();
    if (std::ranges::find(words, word) == words.end()) {
      return Refuse("manifest.value",
                    fmt::format("unknown_fields is {}{}: write reject or ignore", ValueText(*unknown),
                                base::DidYouMean(word, words)),
                    unknown->position());
    }
    if (word == "ignore") schema.unknown_fields = data::UnknownFields::kIgnore;
  }
  return schema;
}

}  // namespace slipway::schema

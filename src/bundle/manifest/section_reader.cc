#include "bundle/manifest/section_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "schema/schema.h"

namespace slipway::bundle {

using base::Value;

std::string Shown(const Value& value) {
  // A list or map could be large: only its kind is shown.
  if (value.is_list() || value.is_map()) return fmt::format("a {}", base::KindName(value.kind()));
  if (value.is_string()) return fmt::format("\"{}\"", base::Shorten(value.string()));
  return base::ToJson(value);
}

SectionReader::SectionReader(const Value& section, std::string path, std::vector<std::string> known)
    : section_(section), path_(std::move(path)) {
  if (!section_.is_map()) {
    const std::string name = path_.empty() ? "the manifest" : fmt::format("`{}`", path_);
    RejectAt(
        section_, "manifest.type",
        fmt::format("{} must be a map of keys, not {}; known keys: {}", name, Shown(section_), fmt::join(known, ", ")));
    return;
  }
  const auto unknown =
      std::ranges::find_if(section_.map(), [&](const auto& entry) { return !std::ranges::count(known, entry.first); });
  if (unknown == section_.map().end()) return;
  const std::string nearest = base::DidYouMean(unknown->first, known);
  const std::string place = path_.empty() ? "" : fmt::format(" in `{}`", path_);
  RejectAt(unknown->second, "manifest.unknown_key",
           fmt::format("unknown key \"{}\"{}{}{}", base::Shorten(unknown->first), place, nearest,
                       nearest.empty() ? fmt::format("; known keys: {}", fmt::join(known, ", ")) : ""));
}

std::string SectionReader::Name(std::string_view key) const {
  return path_.empty() ? fmt::format("`{}`", key) : fmt::format("`{}.{}`", path_, key);
}

const Value* SectionReader::Find(std::string_view key) {
  if (failed()) return nullptr;
  const Value* value = section_.Find(key);
  if (value == nullptr || !value->is_null()) return value;
  RejectAt(*value, "manifest.type", fmt::format("{} has no value; give it one or remove the key", Name(key)));
  return nullptr;
}

const Value* SectionReader::Ask(std::string_view key, bool fits(const Value&), std::string_view wanted) {
  const Value* value = Find(key);
  if (value == nullptr || fits(*value)) return value;
  RejectAt(*value, "manifest.type", fmt::format("{} must be {}, not {}", Name(key), wanted, Shown(*value)));
  return nullptr;
}

std::optional<std::string> SectionReader::Text(std::string_view key, size_t max_bytes) {
  const Value* value =
      Ask(key, [](const Value& v) { return v.is_string(); }, "text (in quotes when it looks like a number)");
  if (value == nullptr) return std::nullopt;
  if (value->string().size() > max_bytes) {
    RejectAt(*value, "manifest.limit",
             fmt::format("{} has {} bytes, more than the limit of {}", Name(key), value->string().size(), max_bytes));
    return std::nullopt;
  }
  return value->string();
}

std::string SectionReader::RequiredText(std::string_view key, size_t max_bytes) {
  const auto text = Text(key, max_bytes);
  if (!text && !failed()) Reject(key, "manifest.missing_key", fmt::format("{} is missing; add it", Name(key)));
  if (text && text->empty()) Reject(key, "manifest.value", fmt::format("{} is empty; give it a value", Name(key)));
  return text.value_or("");
}

std::optional<int64_t> SectionReader::Integer(std::string_view key, int64_t low, int64_t high) {
  const Value* value = Ask(key, [](const Value& v) { return v.is_integer(); }, "an integer");
  if (value == nullptr) return std::nullopt;
  if (value->integer() < low || value->integer() > high) {
    RejectAt(*value, "manifest.value",
             fmt::format("{} must be {} to {}, not {}", Name(key), low, high, value->integer()));
    return std::nullopt;
  }
  return value->integer();
}

std::optional<double> SectionReader::Number(std::string_view key) {
  const Value* value = Ask(key, [](const Value& v) { return v.is_number(); }, "a number");
  if (value == nullptr) return std::nullopt;
  if (!std::isfinite(value->number())) {
    RejectAt(*value, "manifest.value", fmt::format("{} must be finite; leave the key out for no bound", Name(key)));
    return std::nullopt;
  }
  return value->number();
}

bool SectionReader::Boolean(std::string_view key, bool fallback) {
  const Value* value = Ask(key, [](const Value& v) { return v.is_boolean(); }, "true or false");
  return value == nullptr ? fallback : value->boolean();
}

const base::ValueList* SectionReader::List(std::string_view key, size_t max_items) {
  const Value* value = Ask(key, [](const Value& v) { return v.is_list(); }, "a list");
  if (value == nullptr) return nullptr;
  if (value->list().size() > max_items) {
    RejectAt(*value, "manifest.limit",
             fmt::format("{} has {} items, more than the limit of {}", Name(key), value->list().size(), max_items));
    return nullptr;
  }
  return &value->list();
}

const base::ValueMap* SectionReader::Map(std::string_view key, size_t max_items) {
  const Value* value = Ask(key, [](const Value& v) { return v.is_map(); }, "a map");
  if (value == nullptr) return nullptr;
  if (value->map().size() > max_items) {
    RejectAt(*value, "manifest.limit",
             fmt::format("{} has {} entries, more than the limit of {}", Name(key), value->map().size(), max_items));
    return nullptr;
  }
  return &value->map();
}

void SectionReader::Reject(std::string_view key, std::string_view reason, std::string message) {
  const Value* value = section_.Find(key);
  RejectAt(value == nullptr ? section_ : *value, reason, std::move(message));
}

void SectionReader::RejectAt(const Value& value, std::string_view reason, std::string message) {
  if (failed()) return;
  const auto& position = value.position().line == 0 ? section_.position() : value.position();
  const auto code = reason == "manifest.limit" ? base::Code::kResourceExhausted : base::Code::kInvalidArgument;
  error_ = base::Error{code, std::string(reason), std::move(message), schema::Where(position)};
}

void SectionReader::Keep(base::Result<void> part) {
  if (!failed() && !part) error_ = std::move(part).error();
}

base::Result<void> SectionReader::Finish() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace slipway::bundle

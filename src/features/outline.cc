#include "features/outline.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/text.h"
#include "features/step_reader.h"

namespace slipway::features {
namespace {

using base::Code;
using base::Value;

constexpr size_t kMaxName = 256;

// Integers and whole numbers are one thing to a person, so they are one thing to the digest.
void AppendCanonical(std::string& out, const Value& value) {
  if (value.is_number()) {
    base::AppendJsonNumber(out, value.number());
  } else if (value.is_list()) {
    out += '[';
    for (const Value& item : value.list()) {
      AppendCanonical(out, item);
      out += ',';
    }
    out += ']';
  } else if (value.is_map()) {
    std::vector<const base::ValueMap::value_type*> entries;
    for (const auto& entry : value.map()) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](const auto* entry) -> const std::string& { return entry->first; });
    out += '{';
    for (const auto* entry : entries) {
      base::AppendJsonString(out, entry->first);
      out += ':';
      AppendCanonical(out, entry->second);
      out += ',';
    }
    out += '}';
  } else {
    out += base::ToJson(value);
  }
}

std::string DigestOf(const Value& written, std::string_view kind, std::span<const std::string> input_digests) {
  std::string text(kind);
  text += ' ';
  Value parameters = Value::Map();
  for (const auto& [key, value] : written.map()) {
    if (key != "as" && key != "hidden") parameters.Set(key, value);
  }
  AppendCanonical(text, parameters);
  for (const std::string& digest : input_digests) text += '\n' + digest;
  return fmt::format("{:016x}", base::Xxh64(text));
}

bool IsNamePart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Names that an expression may mean. Errs on the side of too many (a text literal, a function's name), which only makes
// the step wait for one feature more.
class Mentioned {
 public:
  explicit Mentioned(std::string_view expression) : expression_(expression) {
    for (size_t at = 0; at < expression.size();) {
      size_t end = at;
      while (end < expression.size() && IsNamePart(expression[end])) ++end;
      if (end > at) words_.insert(expression.substr(at, end - at));
      at = std::max(end, at + 1);
    }
  }
  bool Has(std::string_view name) const {
    if (std::ranges::all_of(name, IsNamePart)) return words_.contains(name);
    return expression_.find(name) != std::string_view::npos;
  }

 private:
  std::string_view expression_;
  std::unordered_set<std::string_view> words_;
};

class Reader {
 public:
  explicit Reader(std::span<const data::Field> columns) {
    outline_.columns.assign(columns.begin(), columns.end());
    for (size_t i = 0; i < columns.size(); ++i) {
      visible_[columns[i].name] = static_cast<int>(i);
      inputs_.push_back(ColumnInput(columns[i]));
      digests_.push_back(fmt::format("{} {} {}", columns[i].name, columns[i].type.ToString(), columns[i].zone_minutes));
      personal_.push_back(columns[i].personal);
    }
  }

  base::Result<void> Read(const StepSpec& spec, size_t index) {
    const Value& written = spec.written;
    const std::string fallback = fmt::format("features[{}]", index);
    if (!written.is_map()) {
      return base::Fail(Code::kInvalidArgument, "features.bad_step",
                        "a step is a map such as {as: distance_z, standardize: distance}", PlaceOf(written, fallback));
    }
    OutlineStep step;
    step.where = PlaceOf(written, fallback);
    SLIPWAY_TRY(ReadName(written, step));
    SLIPWAY_ASSIGN(const StepKind* kind, FindKind(written, step.where));
    step.kind = kind->name;
    StepReader reader(written, kind->name, step.where);
    auto parsed = kind->parse(reader);
    SLIPWAY_TRY(reader.Finish());
    SLIPWAY_ASSIGN(step.step, std::move(parsed));
    SLIPWAY_TRY(Resolve(step));
    SLIPWAY_TRY(Check(step));
    std::vector<std::string> digests;
    for (const int symbol : step.reads) digests.push_back(digests_[static_cast<size_t>(symbol)]);
    step.digest = DigestOf(written, step.kind, digests);
    Publish(std::move(step));
    return {};
  }

  Outline Take() && { return std::move(outline_); }

 private:
  base::Result<void> ReadName(const Value& written, OutlineStep& step) {
    const Value* as = written.Find("as");
    if (as == nullptr || !as->is_string() || as->string().empty() || as->string().size() > kMaxName ||
        std::ranges::any_of(as->string(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return base::Fail(Code::kInvalidArgument, "features.bad_step",
                        fmt::format("a step needs a name of 1 to {} bytes: {{as: NAME, …}}", kMaxName),
                        as == nullptr ? step.where : PlaceOf(*as, step.where));
    }
    step.as = as->string();
    if (const Value* hidden = written.Find("hidden")) {
      if (!hidden->is_boolean()) {
        return base::Fail(Code::kInvalidArgument, "features.bad_parameter", "`hidden` is true or false",
                          PlaceOf(*hidden, step.where));
      }
      step.hidden = hidden->boolean();
    }
    if (!names_.insert(step.as).second) {
      return base::Fail(Code::kInvalidArgument, "features.duplicate_name",
                        fmt::format("two steps are named \"{}\"; give each step its own name", step.as),
                        PlaceOf(*as, step.where));
    }
    return {};
  }

  static base::Result<const StepKind*> FindKind(const Value& written, const std::string& where) {
    // A word may be a step and another step's switch (`clip: true` of min_max): inputs are never a boolean.
    const StepKind* found = nullptr;
    for (const bool switches : {false, true}) {
      for (const StepKind& kind : StepKinds()) {
        const Value* subject = written.Find(kind.name);
        if (subject == nullptr || subject->is_boolean() != switches || (switches && found != nullptr)) continue;
        if (found != nullptr) {
          return base::Fail(Code::kInvalidArgument, "features.bad_step",
                            fmt::format("a step does one thing; this one names both `{}` and `{}`: make two steps",
                                        found->name, kind.name),
                            where);
        }
        found = &kind;
      }
    }
    if (found != nullptr) return found;
    return UnknownKind(written, where);
  }

  // Somebody who comes from scikit-learn may write a twin's name.
  static std::unexpected<base::Error> UnknownKind(const Value& written, const std::string& where) {
    std::vector<std::string> names;
    for (const StepKind& kind : StepKinds()) names.emplace_back(kind.name);
    std::string problem = "no step is named";
    for (const auto& [key, value] : written.map()) {
      if (key == "as" || key == "hidden") continue;
      std::string hint = base::DidYouMean(key, names);
      for (const StepKind& kind : StepKinds()) {
        if (!key.contains(' ') && fmt::format(" {} ", kind.twins).contains(fmt::format(" {} ", key)))
          hint = fmt::format(": what scikit-learn calls {} is `{}` here", key, kind.name);
      }
      problem = fmt::format("there is no step `{}`{}", base::Shorten(key), hint);
      if (!hint.empty())
        return base::Fail(Code::kInvalidArgument, "features.unknown_step", problem, PlaceOf(value, where));
    }
    return base::Fail(Code::kInvalidArgument, "features.unknown_step",
                      fmt::format("{}; the steps are {}", problem, fmt::join(names, ", ")), where);
  }

  base::Result<void> Resolve(OutlineStep& step) {
    for (const std::string& name : step.step->inputs()) {
      const auto found = visible_.find(name);
      if (found == visible_.end()) {
        std::vector<std::string> names;
        for (const auto& entry : visible_) names.push_back(entry.first);
        std::ranges::sort(names);
        return base::Fail(Code::kInvalidArgument, "features.unknown_input",
                          fmt::format("{} reads \"{}\", which is neither a column nor an earlier feature{}", step.kind,
                                      base::Shorten(name), base::DidYouMean(name, names)),
                          step.where);
      }
      step.reads.push_back(found->second);
    }
    if (const std::string* expression = step.step->expression()) {
      const Mentioned mentioned(*expression);
      for (const auto& [name, symbol] : visible_) {
        if (mentioned.Has(name)) step.reads.push_back(symbol);
      }
      std::ranges::sort(step.reads);
    }
    for (const int symbol : step.reads) {
      step.personal |= personal_[static_cast<size_t>(symbol)];
      const int step_index = symbol - static_cast<int>(outline_.columns.size());
      if (step_index < 0) continue;
      step.reads_pass = std::max(step.reads_pass, outline_.steps[static_cast<size_t>(step_index)].yields_pass);
    }
    step.yields_pass = step.reads_pass + (step.step->learns() ? 1 : 0);
    if (step.step->learns()) outline_.passes = std::max(outline_.passes, step.yields_pass);
    return {};
  }

  base::Result<void> Check(OutlineStep& step) {
    std::vector<Input> inputs;
    for (const int symbol : step.reads) inputs.push_back(inputs_[static_cast<size_t>(symbol)]);
    const InReach visible = [this] {
      std::vector<Input> all;
      for (const auto& entry : visible_) all.push_back(inputs_[static_cast<size_t>(entry.second)]);
      std::ranges::sort(all, {}, &Input::name);
      return all;
    };
    auto shape = step.step->Check(inputs, visible);
    if (!shape) {
      base::Error error = std::move(shape).error();
      error.message = fmt::format("feature \"{}\": {}", step.as, error.message);
      error.where = step.where;
      return std::unexpected(std::move(error));
    }
    step.shape = *shape;
    const bool for_model = step.shape.type != data::ScalarType::kTimestamp || step.hidden;
    if (!for_model) {
      return base::Fail(Code::kInvalidArgument, "features.wrong_type",
                        fmt::format("feature \"{}\" is a timestamp, which no model takes; use date_parts or elapsed, "
                                    "or write hidden: true if only other steps read it",
                                    step.as),
                        step.where);
    }
    return {};
  }

  void Publish(OutlineStep step) {
    const int symbol = static_cast<int>(outline_.columns.size() + outline_.steps.size());
    visible_[step.as] = symbol;
    inputs_.push_back({.name = step.as,
                       .type = step.shape.type,
                       .width = step.shape.width,
                       .zone_minutes = step.shape.zone_minutes,
                       .is_feature = true});
    digests_.push_back(step.digest);
    personal_.push_back(step.personal);
    outline_.steps.push_back(std::move(step));
  }

  Outline outline_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> visible_;
  std::vector<Input> inputs_;         // per symbol
  std::vector<std::string> digests_;  // per symbol
  std::vector<bool> personal_;        // per symbol
};

}  // namespace

Input ColumnInput(const data::Field& field) {
  Input input{.name = field.name, .type = field.type.scalar, .width = 1, .zone_minutes = field.zone_minutes};
  if (field.type.is_scalar()) return input;
  input.width = field.type.is_variable() ? -1 : field.type.elements();
  for (int64_t i = 0; i < input.width && input.width <= kMaxWidth; ++i) {
    const auto index = static_cast<size_t>(i);
    const bool labelled = index < field.labels.size();
    if (labelled) input.elements.push_back(field.labels[index]);
    input.columns.push_back(labelled ? fmt::format("{}.{}", field.name, field.labels[index])
                                     : fmt::format("{}[{}]", field.name, i));
  }
  return input;
}

base::Result<Outline> ReadOutline(std::span<const data::Field> columns, std::span<const StepSpec> steps) {
  if (static_cast<int64_t>(steps.size()) > kMaxSteps) {
    return base::Fail(Code::kInvalidArgument, "features.limit",
                      fmt::format("{} steps are written; a bundle has at most {}", steps.size(), kMaxSteps),
                      "features");
  }
  Reader reader(columns);
  for (size_t i = 0; i < steps.size(); ++i) SLIPWAY_TRY(reader.Read(steps[i], i));
  return std::move(reader).Take();
}

}  // namespace slipway::features

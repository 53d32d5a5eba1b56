#include "profile/proposal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>

#include "base/text.h"
#include "base/value.h"
#include "data/timestamp.h"

namespace slipway::profile {
namespace {

using data::ScalarType;

constexpr int64_t kOneHotValues = 32;  ///< more distinct texts are better encoded by the target or their frequency

/// A YAML scalar that reads back as this text.
std::string Quoted(const std::string& text) {
  const bool plain =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_') &&
      std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
  static constexpr std::string_view kWords[] = {"null", "Null",  "NULL",  "true", "True",
                                                "TRUE", "false", "False", "FALSE"};
  if (plain && std::ranges::find(kWords, text) == std::end(kWords)) return text;
  std::string quoted;
  base::AppendJsonString(quoted, text);
  return quoted;
}

std::string Number(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

/// The bound one would write by hand: 0 below positive values, else 1, 2 or 5 times a power of ten beyond the extreme.
double NiceBound(double extreme, bool upper) {
  if (extreme == 0) return 0;
  const double magnitude = std::abs(extreme);
  const bool outwards = upper == (extreme > 0);
  if (!outwards) return 0;  // a positive minimum or a negative maximum: zero is the natural bound
  const double power = std::pow(10.0, std::floor(std::log10(magnitude)));
  for (const double step : {1.0, 2.0, 5.0, 10.0}) {
    if (step * power >= magnitude) return std::copysign(step * power, extreme);
  }
  return extreme;
}

bool IsIdentifierName(const std::string& name) {
  return !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_') &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// How an expression names the column.
std::string InExpression(const std::string& name) {
  return IsIdentifierName(name) ? name : "`" + name + "`";
}

struct InputLine {
  std::string entry;    ///< `name: {…}`
  std::string comment;  ///< why
};

std::string Seen(const ColumnProfile& column, const Verdict& verdict) {
  std::vector<std::string> parts;
  switch (verdict.type) {
    case ScalarType::kInteger:
      parts.push_back(fmt::format("{} … {}", column.min_integer(), column.max_integer()));
      break;
    case ScalarType::kNumber:
      parts.push_back(fmt::format("{:.6g} … {:.6g}", column.min(), column.max()));
      break;
    case ScalarType::kTimestamp: {
      std::string range;
      data::AppendTimestamp(range, column.min_time());
      range += " … ";
      data::AppendTimestamp(range, column.max_time());
      parts.push_back(std::move(range));
      break;
    }
    case ScalarType::kString:
      parts.push_back(fmt::format("{}{} different texts",
                                  column.distinct() >= static_cast<int64_t>(kMaxTrackedHashes) ? "over " : "",
                                  column.distinct()));
      if (verdict.leading_zeros) parts.push_back("digits with leading zeros, kept as text");
      break;
    case ScalarType::kBoolean:
      break;
  }
  if (column.nulls() > 0) parts.push_back(fmt::format("{:.2g} % null", 100 * column.null_rate()));
  if (column.non_finite()) parts.push_back("holds NaN or infinities");
  if (verdict.personal != PersonalKind::kNone)
    parts.push_back(fmt::format("looks like {}", PersonalKindName(verdict.personal)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

InputLine Line(const ColumnProfile& column, const Verdict& verdict) {
  std::string keys = fmt::format("type: {}", data::ScalarTypeName(verdict.type));
  if (verdict.type == ScalarType::kInteger || verdict.type == ScalarType::kNumber) {
    if (std::isfinite(column.min())) {
      const double low = NiceBound(column.min(), false), high = NiceBound(column.max(), true);
      if (low < high) keys += fmt::format(", min: {}, max: {}", Number(low), Number(high));
    }
    if (column.non_finite()) keys += ", allow_non_finite: true";
  }
  if (!verdict.values.empty()) {
    std::vector<std::string> values;
    for (const auto& value : verdict.values) values.push_back(Quoted(value));
    std::ranges::sort(values);
    keys += fmt::format(", values: [{}], unknown: other", fmt::join(values, ", "));
  } else if (verdict.type == ScalarType::kString) {
    keys += fmt::format(", max_length: {}", std::max<int64_t>(16, column.max_length() * 2));
  }
  if (!verdict.null_texts.empty()) {
    std::vector<std::string> words;
    for (const auto& word : verdict.null_texts) words.push_back(Quoted(word));
    keys += fmt::format(", null_values: [{}]", fmt::join(words, ", "));
  }
  if (column.nulls() > 0) {
    const bool number = verdict.type == ScalarType::kInteger || verdict.type == ScalarType::kNumber;
    keys += number ? ", missing: impute" : ", nullable: true";
  }
  if (verdict.personal != PersonalKind::kNone) keys += ", personal: true";
  return {fmt::format("{}: {{{}}}", Quoted(column.name()), keys), Seen(column, verdict)};
}

void ProposeFeatures(const ColumnProfile& column, const Verdict& verdict, bool target_known,
                     std::vector<std::string>& lines) {
  const std::string name = Quoted(column.name());
  const std::string in = InExpression(column.name());
  auto as = [&](std::string_view suffix) { return Quoted(column.name() + std::string(suffix)); };
  switch (verdict.type) {
    case ScalarType::kInteger:
    case ScalarType::kNumber:
    case ScalarType::kBoolean:
      lines.push_back(fmt::format("{{as: {}, column: {}}}", name, name));
      break;
    case ScalarType::kTimestamp:
      lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_hour"), Quoted("hour(" + in + ")")));
      lines.push_back(fmt::format("{{as: {}, cyclical: {}, period: 24}}", as("_hour_cycle"), as("_hour")));
      lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_weekday"), Quoted("weekday(" + in + ")")));
      lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_month"), Quoted("month(" + in + ")")));
      break;
    case ScalarType::kString:
      if (!verdict.values.empty() && static_cast<int64_t>(verdict.values.size()) <= kOneHotValues) {
        lines.push_back(fmt::format("{{as: {}, one_hot: {}}}", name, name));
      } else if (target_known) {
        lines.push_back(fmt::format("{{as: {}, target_encode: {}, smoothing: 20}}", as("_rate"), name));
      } else {
        lines.push_back(fmt::format("{{as: {}, frequency: {}}}", as("_frequency"), name));
      }
      break;
  }
}

}  // namespace

Proposal ProposeManifest(const ProposalSource& source, const std::vector<ColumnProfile>& columns) {
  Proposal proposal;
  std::vector<InputLine> inputs;
  std::vector<std::string> features, left_out;
  const auto target = std::ranges::find(columns, source.target, &ColumnProfile::name);
  bool target_known = false;
  if (target != columns.end()) {
    const auto type = target->Judge().type;
    target_known = type == ScalarType::kBoolean || type == ScalarType::kInteger || type == ScalarType::kNumber;
  }
  for (const auto& column : columns) {
    if (column.name() == source.target && !source.target.empty()) continue;
    const auto verdict = column.Judge();
    std::string reason;
    if (column.name().empty()) {
      reason = "the column has no name";
    } else if (column.others() > 0) {
      reason = "holds lists or objects; declare it as a tensor, e.g. type: \"number[4]\"";
    } else if (verdict.constant) {
      reason = column.nulls() == column.rows() ? "every row is null" : "the same value in every row";
    } else if (verdict.identifier && verdict.personal == PersonalKind::kNone) {
      reason = "looks like an identifier: nearly every row has a value of its own";
    }
    auto line = Line(column, verdict);
    if (!reason.empty()) {
      left_out.push_back(fmt::format("  # {}   # {}\n", line.entry, reason));
      proposal.excluded.push_back(fmt::format("{}: {}", column.name(), reason));
      continue;
    }
    if (verdict.personal != PersonalKind::kNone) {
      proposal.personal.push_back(column.name());
    } else {
      ProposeFeatures(column, verdict, target_known, features);
    }
    inputs.push_back(std::move(line));
  }
  proposal.inputs = static_cast<int64_t>(inputs.size());
  proposal.features = static_cast<int64_t>(features.size());

  std::string& out = proposal.yaml;
  auto add = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  };
  add("# Proposed by `slipway init` from {} ({} rows{}). Read it, change it, keep what is true.\n", source.file,
      source.rows, source.whole ? "" : " looked at");
  add("slipway: 1\nname: {}\nversion: 0.1.0\ndescription: \"\"          # one sentence: what does the prediction "
      "mean?\n",
      source.bundle);
  if (!source.target.empty()) add("target: {}\n", Quoted(source.target));
  add("\n# What a request must carry. Ranges are a little wider than what was seen (after the #); a record outside is\n"
      "# refused. Per column: on_violation: reject | clamp | impute | null | warn, missing: reject | null | "
      "impute.\ninputs:\n");
  size_t width = 0;
  for (const auto& line : inputs) width = std::max(width, std::min<size_t>(line.entry.size(), 90));
  for (const auto& line : inputs) {
    add("  {:<{}}{}\n", line.entry, line.comment.empty() ? 0 : width,
        line.comment.empty() ? "" : "   # " + line.comment);
  }
  if (inputs.empty()) out.replace(out.rfind("inputs:\n"), 8, "inputs: {}\n");
  if (!left_out.empty()) {
    add("  # Left out:\n");
    for (const auto& line : left_out) out += line;
  }
  add("\n# Checks across columns: what can never be true together?\n# rules: [{{check: \"arrival > departure\", "
      "message: "
      "arrival comes after departure}}]\n");
  add("\n# What the model gets, in this order. `slipway fit` learns what has to be learned.\n");
  if (!proposal.personal.empty()) {
    add("# Personal columns ({}) are not used; without a feature that needs them they can go.\n",
        fmt::join(proposal.personal, ", "));
  }
  if (features.empty()) {
    add("features: []\n");
  } else {
    add("features:\n");
    for (const auto& line : features) add("  - {}\n", line);
  }
  add("\nmodel: {{engine: onnx, file: model.onnx}}\n"
      "\n# Names for what the model answers; without this section its outputs keep their own names.\n"
      "# outputs:\n#   probability: {{from: \"probabilities[1]\", type: number, min: 0, max: 1}}\n"
      "#   decision:    {{when: \"probability >= 0.5\"}}\n");
  return proposal;
}

}  // namespace slipway::profile

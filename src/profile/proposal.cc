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
#include "profile/bounds.h"

namespace slipway::profile {
namespace {

using data::ScalarType;

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
  constexpr double kIntegerEnd = 9223372036854775807.0;  // 2^63
  if (value == std::floor(value) && std::abs(value) < kIntegerEnd) {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  return fmt::format("{:.12g}", value);
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
  const bool personal = verdict.personal != PersonalKind::kNone;  // an extreme is somebody's value
  switch (personal && verdict.type != ScalarType::kString ? ScalarType::kBoolean : verdict.type) {
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
  if (personal) {
    parts.push_back(verdict.personal_by_name
                        ? fmt::format("by its name, {:?}: {}", column.name(), PersonalKindName(verdict.personal))
                        : fmt::format("looks like {}", PersonalKindName(verdict.personal)));
  }
  if (verdict.epochs) parts.push_back("times since 1970? As ISO 8601 they would get an hour and a weekday");
  if (column.faults() > 0) parts.push_back(fmt::format("{} cells cannot be read", column.faults()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The declaration of a column of lists, for models that take tensors.
std::string TensorType(const ColumnProfile& column) {
  return fmt::format("type: \"number[{}]\"",
                     column.list_length() < 0 ? std::string("?") : fmt::format("{}", column.list_length()));
}

InputLine Line(const ColumnProfile& column, const Verdict& verdict) {
  if (column.lists() > 0 && column.others() == 0) {
    return {fmt::format("{}: {{{}}}", Quoted(column.name()), TensorType(column)), ""};
  }
  std::string keys = fmt::format("type: {}", data::ScalarTypeName(verdict.type));
  const bool personal = verdict.personal != PersonalKind::kNone;
  if (verdict.type == ScalarType::kInteger || verdict.type == ScalarType::kNumber) {
    if (std::isfinite(column.min()) && !personal) {
      const auto [low, high] = ProposedBounds(column.name(), {column.min(), column.max()});
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
  if (personal) {
    keys += ", optional: true";  // no feature needs it
  } else if (column.nulls() > 0) {
    const bool number = verdict.type == ScalarType::kInteger || verdict.type == ScalarType::kNumber;
    keys += number ? ", missing: impute" : ", nullable: true";
  }
  if (personal) keys += ", personal: true";
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
      if (!verdict.dates_only) {
        lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_hour"), Quoted("hour(" + in + ")")));
        lines.push_back(fmt::format("{{as: {}, cyclical: {}, period: 24}}", as("_hour_cycle"), as("_hour")));
      }
      lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_weekday"), Quoted("weekday(" + in + ")")));
      lines.push_back(fmt::format("{{as: {}, expr: {}}}", as("_month"), Quoted("month(" + in + ")")));
      break;
    case ScalarType::kString:
      if (!verdict.values.empty()) {
        lines.push_back(fmt::format("{{as: {}, one_hot: {}}}", name, name));
      } else if (verdict.sentences) {
        lines.push_back(fmt::format("{{as: {}, text: {}, max_features: 100}}", as("_words"), name));
      } else if (target_known) {
        lines.push_back(fmt::format("{{as: {}, target_encode: {}, smoothing: 20}}", as("_rate"), name));
      } else {
        lines.push_back(fmt::format("{{as: {}, frequency: {}}}", as("_frequency"), name));
      }
      break;
  }
}

/// Why a column does not become an input; empty when it does.
std::string ReasonToLeaveOut(const ColumnProfile& column, const Verdict& verdict) {
  if (column.name().empty()) return "the column has no name";
  if (column.others() > 0) return "holds objects; spread their members over columns of their own";
  if (column.lists() > 0) return "holds lists; an input for models that take a tensor, no feature reads it";
  if (column.faults() > 0 && column.faults() == column.nulls() && column.nulls() == column.rows()) {
    if (verdict.personal != PersonalKind::kNone) return "no value can be read";
    return fmt::format("no value can be read: {}", base::Shorten(column.fault(), 160));
  }
  if (verdict.constant) {
    if (column.nulls() == column.rows()) return "every row is null";
    return column.nulls() > 0 ? "one value or null in every row" : "the same value in every row";
  }
  const auto shown = base::Shorten(column.written(), 32);
  if (verdict.personal == PersonalKind::kNone && verdict.writing == Writing::kNumber) {
    return fmt::format("numbers written for people, e.g. {:?}; write them as 1234.56", shown);
  }
  if (verdict.personal == PersonalKind::kNone && verdict.writing == Writing::kDate) {
    return fmt::format("dates that are not ISO 8601, e.g. {:?}; write them as 2023-01-31", shown);
  }
  if (verdict.identifier && verdict.personal == PersonalKind::kNone) {
    return "looks like an identifier: nearly every row has a value of its own";
  }
  return {};
}

/// What the columns become, as lines of the manifest.
struct Sections {
  std::vector<InputLine> inputs;
  std::vector<std::string> features, left_out;
};

bool IsNumericTarget(std::string_view target, const std::vector<ColumnProfile>& columns) {
  const auto found = std::ranges::find(columns, target, &ColumnProfile::name);
  if (found == columns.end()) return false;
  const auto type = found->Judge().type;
  return type == ScalarType::kBoolean || type == ScalarType::kInteger || type == ScalarType::kNumber;
}

Sections SortColumns(const ProposalSource& source, const std::vector<ColumnProfile>& columns, Proposal& proposal) {
  Sections sections;
  const bool target_known = IsNumericTarget(source.target, columns);
  for (const auto& column : columns) {
    if (column.name() == source.target && !source.target.empty()) continue;
    const auto verdict = column.Judge();
    const std::string reason = ReasonToLeaveOut(column, verdict);
    auto line = Line(column, verdict);
    if (!reason.empty()) {
      sections.left_out.push_back(fmt::format("  # {}   # {}\n", line.entry, reason));
      proposal.excluded.push_back(fmt::format("{}: {}", column.name(), reason));
      continue;
    }
    if (verdict.personal != PersonalKind::kNone) {
      proposal.personal.push_back(column.name());
    } else {
      ProposeFeatures(column, verdict, target_known, sections.features);
    }
    sections.inputs.push_back(std::move(line));
  }
  return sections;
}

template <typename... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void AppendHead(const ProposalSource& source, std::string& out) {
  Add(out, "# Proposed by `slipway init` from {} ({} rows{}). Read it, change it, keep what is true.\n", source.file,
      source.rows, source.whole ? "" : " looked at");
  Add(out,
      "slipway: 1\nname: {}\nversion: 1.0.0\ndescription: \"\"          # one sentence: what does the prediction "
      "mean?\n",
      source.bundle);
  if (source.target.empty()) {
    out +=
        "# target: COLUMN         # what the model predicts; take it out of `inputs`, or run init again with "
        "--target\n";
  } else {
    Add(out, "target: {}\n", Quoted(source.target));
  }
}

void AppendInputs(const Sections& sections, std::string& out) {
  out +=
      "\n# What a request must carry. Ranges are a little wider than what was seen (after the #); a record outside is\n"
      "# refused. Per column: on_violation: reject | clamp | impute | null | warn, missing: reject | null | "
      "impute.\n";
  out += sections.inputs.empty() ? "inputs: {}\n" : "inputs:\n";
  size_t width = 0;
  for (const auto& line : sections.inputs) width = std::max(width, std::min<size_t>(line.entry.size(), 90));
  for (const auto& line : sections.inputs) {
    Add(out, "  {:<{}}{}\n", line.entry, line.comment.empty() ? 0 : width,
        line.comment.empty() ? "" : "   # " + line.comment);
  }
  if (sections.left_out.empty()) return;
  out += "  # Left out:\n";
  for (const auto& line : sections.left_out) out += line;
}

void AppendFeatures(const Sections& sections, const std::vector<std::string>& personal, std::string& out) {
  out += "\n# What the model gets, in this order. `slipway fit` learns what has to be learned.\n";
  if (!personal.empty()) {
    Add(out, "# Personal columns ({}) are not used; without a feature that needs them they can go.\n",
        fmt::join(personal, ", "));
  }
  out += sections.features.empty() ? "features: []\n" : "features:\n";
  for (const auto& line : sections.features) Add(out, "  - {}\n", line);
}

}  // namespace

Proposal ProposeManifest(const ProposalSource& source, const std::vector<ColumnProfile>& columns) {
  Proposal proposal;
  const Sections sections = SortColumns(source, columns, proposal);
  proposal.inputs = std::ssize(sections.inputs);
  proposal.features = std::ssize(sections.features);
  std::string& out = proposal.yaml;
  AppendHead(source, out);
  AppendInputs(sections, out);
  out +=
      "\n# Checks across columns: what can never be true together?\n"
      "# rules: [{check: \"arrival > departure\", message: arrival comes after departure}]\n";
  AppendFeatures(sections, proposal.personal, out);
  out +=
      "\nmodel: {engine: onnx, file: model.onnx}\n"
      "\n# Names for what the model answers; without this section its outputs keep their own names.\n"
      "# outputs:\n#   probability: {from: \"probabilities[1]\", type: number, min: 0, max: 1}\n"
      "#   decision:    {when: \"probability >= 0.5\"}\n";
  return proposal;
}

}  // namespace slipway::profile

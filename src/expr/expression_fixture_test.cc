#include "expr/expression_fixture.h"

#include <charconv>
#include <cmath>

#include "data/timestamp.h"

namespace slipway::expr {
namespace {

using data::ScalarType;

Bound Make(std::string name, data::DataType type) {
  return {{.name = std::move(name), .type = type}, data::Column(type)};
}

std::string ShownNumber(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[32];
  std::string text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace

Bound Number(std::string name, double value) {
  Bound bound = Make(std::move(name), {ScalarType::kNumber, {}});
  bound.column.AppendNumber(value);
  return bound;
}
Bound Integer(std::string name, int64_t value) {
  Bound bound = Make(std::move(name), {ScalarType::kInteger, {}});
  bound.column.AppendInteger(value);
  return bound;
}
Bound Text(std::string name, std::string_view value) {
  Bound bound = Make(std::move(name), {ScalarType::kString, {}});
  bound.column.AppendString(value);
  return bound;
}
Bound Boolean(std::string name, bool value) {
  Bound bound = Make(std::move(name), {ScalarType::kBoolean, {}});
  bound.column.AppendBoolean(value);
  return bound;
}
Bound Time(std::string name, std::string_view iso, int zone_minutes) {
  Bound bound = Make(std::move(name), {ScalarType::kTimestamp, {}});
  bound.symbol.zone_minutes = zone_minutes;
  bound.column.AppendInteger(data::ParseTimestamp(iso).value());
  return bound;
}
Bound Null(std::string name, ScalarType type) {
  Bound bound = Make(std::move(name), {type, {}});
  bound.column.AppendNull();
  return bound;
}
Bound Vector(std::string name, const std::vector<double>& values, std::vector<std::string> labels) {
  Bound bound = Make(std::move(name), {ScalarType::kNumber, {static_cast<int64_t>(values.size())}});
  bound.symbol.labels = std::move(labels);
  for (const double value : values) bound.column.PushNumber(value);
  bound.column.CloseRow();
  return bound;
}

std::string Shown(const data::ColumnView& view, int64_t row) {
  if (!view.IsValid(row)) return "null";
  std::string out;
  switch (view.type) {
    case ScalarType::kBoolean:
      return view.booleans()[row] != 0 ? "true" : "false";
    case ScalarType::kInteger:
      return std::to_string(view.integers()[row]);
    case ScalarType::kNumber:
      return ShownNumber(view.numbers()[row]);
    case ScalarType::kString:
      return "'" + std::string(view.string(row)) + "'";
    case ScalarType::kTimestamp:
      data::AppendTimestamp(out, view.integers()[row]);
      break;
  }
  return out;
}

namespace {

std::vector<Symbol> SymbolsOf(const std::vector<Bound>& bound) {
  std::vector<Symbol> symbols;
  for (const Bound& one : bound) symbols.push_back(one.symbol);
  return symbols;
}

}  // namespace

std::string Value(std::string_view text, const std::vector<Bound>& bound) {
  constexpr int64_t kCopies = 700;
  auto program = Program::Compile(text, SymbolsOf(bound));
  if (!program) return program.error().message;
  std::vector<data::Column> copies;
  for (const Bound& one : bound) {
    copies.emplace_back(one.column.type());
    for (int64_t i = 0; i < kCopies; ++i) copies.back().AppendFrom(one.column, 0);
  }
  std::vector<data::ColumnView> alone, many;
  for (size_t i = 0; i < bound.size(); ++i) {
    alone.push_back(bound[i].column.view());
    many.push_back(copies[i].view());
  }
  Workspace workspace;
  std::string answer = Shown(program->Evaluate(alone, 1, workspace), 0);
  const data::ColumnView batch = program->Evaluate(many, kCopies, workspace);
  for (int64_t row = 0; row < kCopies; ++row) {
    if (Shown(batch, row) != answer) return "alone " + answer + ", in a batch " + Shown(batch, row);
  }
  return answer;
}

std::string Refusal(std::string_view text, const std::vector<Bound>& bound) {
  const auto program = Program::Compile(text, SymbolsOf(bound));
  return program ? "compiles" : program.error().reason + ": " + program.error().message;
}

}  // namespace slipway::expr

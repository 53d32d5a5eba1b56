#include "expr/checker.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "expr/functions.h"
#include "expr/overload.h"

namespace slipway::expr {
namespace {

using data::ScalarType;

constexpr size_t kLargestFoldedText = 64 << 10;  // longer constants are made anew in every block

/// Where a value comes from. Slots are numbered by kind while the plan grows, and renumbered at the end.
struct Value {
  enum class Source : uint8_t { kConstant, kColumn, kStep };
  Source source = Source::kConstant;
  uint32_t index = 0;
  ValueType type;
};

class Checker {
 public:
  Checker(const Tree& tree, std::span<const Symbol> symbols) : tree_(tree), symbols_(symbols) {
    for (size_t i = 0; i < symbols.size(); ++i) by_name_.emplace(symbols[i].name, static_cast<int>(i));
  }

  Checked<Plan> Run() {
    for (const Node& node : tree_.nodes) {
      SLIPWAY_ASSIGN(Value value, Visit(node));
      values_.push_back(value);
    }
    const Value& root = values_.back();
    if (root.type.untyped)
      return TypeFault(tree_.nodes.back().span, "the expression is always null, so it has no type");
    plan_.type = root.type.scalar;
    plan_.result = Slot(root);
    for (const auto& argument : args_) plan_.args.push_back(Slot(argument));
    plan_.inputs.reserve(plan_.columns.size());
    for (const ColumnUse& use : plan_.columns) plan_.inputs.push_back(use.symbol);
    std::sort(plan_.inputs.begin(), plan_.inputs.end());
    return std::move(plan_);
  }

 private:
  Checked<Value> Visit(const Node& node) {
    switch (node.kind) {
      case NodeKind::kLiteral:
        return AddConstant(node.constant);
      case NodeKind::kName:
        return Column(node);
      case NodeKind::kElement:
        return Element(node);
      case NodeKind::kCall:
        return CallFunction(node);
      case NodeKind::kMembership:
        break;
    }
    return Membership(node);
  }

  uint32_t Slot(const Value& value) const {
    if (value.source == Value::Source::kConstant) return value.index;
    const size_t base = value.source == Value::Source::kColumn ? plan_.first_column() : plan_.first_step();
    return static_cast<uint32_t>(base) + value.index;
  }

  // ---- names ----

  Checked<int> FindSymbol(const Node& node) const {
    const auto found = by_name_.find(node.text);
    if (found != by_name_.end()) return found->second;
    const auto& functions = FunctionNames();
    if (std::binary_search(functions.begin(), functions.end(), node.text)) {
      return NameFault(node.mark, fmt::format("\"{0}\" is a function, not a column; call it: {0}(…)", node.text));
    }
    std::vector<std::string> known{"true", "false", "null"};
    for (const Symbol& symbol : symbols_) known.push_back(symbol.name);
    return NameFault(
        node.mark, fmt::format("unknown name \"{}\"{}", base::Shorten(node.text), base::DidYouMean(node.text, known)));
  }

  Value UseColumn(int symbol, bool tensor) {
    const auto index = column_of_.try_emplace(symbol, static_cast<uint32_t>(plan_.columns.size()));
    const Symbol& found = symbols_[static_cast<size_t>(symbol)];
    if (index.second) plan_.columns.push_back({symbol, tensor, found.type.scalar});
    Value value{Value::Source::kColumn, index.first->second, {.scalar = found.type.scalar}};
    if (found.type.scalar == ScalarType::kTimestamp) value.type.zone_minutes = found.zone_minutes;
    return value;
  }

  Checked<Value> Column(const Node& node) {
    SLIPWAY_ASSIGN(const int index, FindSymbol(node));
    const Symbol& symbol = symbols_[static_cast<size_t>(index)];
    if (symbol.type.is_scalar()) return UseColumn(index, false);
    const std::string example =
        symbol.labels.empty() ? "0" : fmt::format("\"{}\"", base::Shorten(symbol.labels.front()));
    return TypeFault(node.mark, fmt::format("\"{0}\" is a {1}, not a single value; pick an element, e.g. {0}[{2}]",
                                            base::Shorten(node.text), symbol.type.ToString(), example));
  }

  Checked<Value> Element(const Node& node) {
    SLIPWAY_ASSIGN(const int index, FindSymbol(node));
    const Symbol& symbol = symbols_[static_cast<size_t>(index)];
    const size_t rank = symbol.type.shape.size();
    if (rank == 0) {
      const bool text = symbol.type.scalar == ScalarType::kString;
      return TypeFault(node.mark,
                       fmt::format("\"{}\" is a {}, which has no elements{}", base::Shorten(node.text),
                                   symbol.type.ToString(), text ? "; use substring(text, start, count)" : ""));
    }
    if (node.children.size() != rank || (rank > 1 && symbol.type.is_variable())) {
      return TypeFault(node.span, fmt::format("\"{}\" is a {}; {}", base::Shorten(node.text), symbol.type.ToString(),
                                              node.children.size() != rank
                                                  ? fmt::format("it takes {} ind{}", rank, rank == 1 ? "ex" : "ices")
                                                  : "only a vector may vary in length"));
    }
    SLIPWAY_ASSIGN(const Value position, Position(node, symbol));
    Value tensor = UseColumn(index, true);
    Overload overload{.signature = {}, .kernel = ElementKernel(symbol.type.scalar), .nulls = Nulls::kMakes};
    Value element = Emit(overload, symbol.type.scalar, {tensor, position}, {});
    element.type.zone_minutes = tensor.type.zone_minutes;
    return element;
  }

  // The flat index of an element: constant, or the integer expression that computes it.
  Checked<Value> Position(const Node& node, const Symbol& symbol) {
    int64_t flat = 0;
    for (size_t i = 0; i < node.children.size(); ++i) {
      const Value& index = values_[node.children[i]];
      const Span span = tree_.nodes[node.children[i]].span;
      if (index.type.constant && index.type.scalar == ScalarType::kString) return Label(index, span, symbol);
      if (index.type.untyped || index.type.scalar != ScalarType::kInteger) {
        return TypeFault(span, fmt::format("an index is an integer{}, not {}",
                                           symbol.labels.empty() ? "" : " or a label", TypeName(index.type)));
      }
      const int64_t width = symbol.type.shape[i];
      if (!index.type.constant) {
        if (node.children.size() == 1) return index;
        return TypeFault(span, "the indices of a tensor must be constants");
      }
      const int64_t at = plan_.constants[index.index].integer;
      if (at < 0 || (width >= 0 && at >= width)) {
        const std::string end = width >= 0 ? fmt::format(" to {}", width - 1) : " up";
        return TypeFault(span, fmt::format("index {} is outside \"{}\", whose elements count from 0{}", at,
                                           base::Shorten(symbol.name), end));
      }
      flat = width >= 0 ? flat * width + at : at;
    }
    return AddInteger(flat);
  }

  Checked<Value> Label(const Value& label, Span span, const Symbol& symbol) {
    const std::string& text = plan_.constants[label.index].text;
    const auto found = std::find(symbol.labels.begin(), symbol.labels.end(), text);
    if (found != symbol.labels.end()) return AddInteger(found - symbol.labels.begin());
    if (symbol.labels.empty()) {
      return TypeFault(
          span, fmt::format("the elements of \"{}\" have no labels; use an index from 0", base::Shorten(symbol.name)));
    }
    return NameFault(span, fmt::format("\"{}\" has no element \"{}\"{}", base::Shorten(symbol.name),
                                       base::Shorten(text), base::DidYouMean(text, symbol.labels)));
  }

  // ---- values ----

  Value AddConstant(Constant constant) {
    const ValueType type{.scalar = constant.type, .untyped = constant.untyped, .constant = constant.valid};
    plan_.constants.push_back(std::move(constant));
    return {Value::Source::kConstant, static_cast<uint32_t>(plan_.constants.size() - 1), type};
  }

  Value AddInteger(int64_t integer) {
    Constant constant;
    constant.type = ScalarType::kInteger;
    constant.integer = integer;
    return AddConstant(std::move(constant));
  }

  Value AddNull(ScalarType type) {
    Constant constant;
    constant.type = type;
    constant.valid = false;
    return AddConstant(std::move(constant));
  }

  bool IsNull(const Value& value) const {
    return value.source == Value::Source::kConstant && !plan_.constants[value.index].valid;
  }

  Value Promote(const Value& value, ScalarType to) {
    if (value.type.untyped) return AddNull(to);
    if (value.type.scalar == to) return value;
    return Emit({.signature = "i:n", .kernel = PromoteInteger}, ScalarType::kNumber, {value}, {});
  }

  /// Appends a step, or its value when that is known already. Arguments have their final types.
  Value Emit(const Overload& overload, ScalarType result, std::vector<Value> args, Binding binding) {
    const bool strict = overload.nulls != Nulls::kOwn;
    if (strict && std::any_of(args.begin(), args.end(), [&](const Value& arg) { return IsNull(arg); }))
      return AddNull(result);
    const auto constant = [](const Value& arg) { return arg.source == Value::Source::kConstant; };
    if (std::all_of(args.begin(), args.end(), constant)) {
      if (std::optional<Constant> folded = Fold(overload, result, args, binding))
        return AddConstant(std::move(*folded));
    }
    Step step{.kernel = overload.kernel,
              .nulls = overload.nulls,
              .type = result,
              .first_arg = static_cast<uint32_t>(args_.size()),
              .arg_count = static_cast<uint32_t>(args.size()),
              .binding = std::move(binding)};
    args_.insert(args_.end(), args.begin(), args.end());
    plan_.makes_text |= overload.makes_text;
    plan_.steps.push_back(std::move(step));
    return {Value::Source::kStep, static_cast<uint32_t>(plan_.steps.size() - 1), {.scalar = result}};
  }

  /// Runs the kernel itself on one row, so that a folded value has the bits of a computed one.
  std::optional<Constant> Fold(const Overload& overload, ScalarType result, const std::vector<Value>& args,
                               const Binding& binding) {
    std::vector<std::string_view> texts(args.size());
    std::vector<Operand> operands;
    std::vector<uint32_t> order;
    for (size_t i = 0; i < args.size(); ++i) {
      const Constant& constant = plan_.constants[args[i].index];
      texts[i] = constant.text;
      operands.push_back(ConstantOperand(constant, texts[i]));
      order.push_back(static_cast<uint32_t>(i));
    }
    union {
      uint8_t boolean;
      int64_t integer;
      double number;
    } out{.integer = 0};
    std::string_view text;
    uint8_t valid = 1;
    scratch_.Reset();
    const bool is_text = result == ScalarType::kString;
    overload.kernel({.slots = operands.data(),
                     .args = order.data(),
                     .arg_count = static_cast<uint32_t>(args.size()),
                     .rows = 1,
                     .out = is_text ? static_cast<void*>(&text) : &out,
                     .mask = nullptr,
                     .valid = &valid,
                     .binding = &binding,
                     .scratch = &scratch_});
    if (text.size() > kLargestFoldedText) return std::nullopt;
    Constant folded;
    folded.type = result;
    folded.valid = valid != 0;
    if (!folded.valid) return folded;
    if (result == ScalarType::kBoolean) folded.boolean = out.boolean;
    if (result == ScalarType::kInteger || result == ScalarType::kTimestamp) folded.integer = out.integer;
    if (result == ScalarType::kNumber) folded.number = out.number;
    folded.text = text;
    return folded;
  }

  // ---- calls ----

  Checked<Value> CallFunction(const Node& node) {
    const Function* function = FindFunction(node.text);
    if (function == nullptr) {
      const bool column = by_name_.contains(node.text);
      return NameFault(node.mark, fmt::format("unknown function \"{}\"{}", base::Shorten(node.text),
                                              column ? "; it is a column, which takes no arguments"
                                                     : base::DidYouMean(node.text, FunctionNames())));
    }
    std::vector<Value> args;
    std::vector<Span> spans;
    for (const uint32_t child : node.children) {
      args.push_back(values_[child]);
      spans.push_back(tree_.nodes[child].span);
    }
    return Apply(*function, node.mark, std::move(args), spans);
  }

  Checked<Value> Apply(const Function& function, Span mark, std::vector<Value> args, std::span<const Span> spans) {
    std::vector<ValueType> types;
    for (const Value& arg : args) types.push_back(arg.type);
    const Choice choice = Resolve(function, types);
    if (choice.overload == nullptr) {
      return TypeFault(choice.argument < 0 ? mark : spans[static_cast<size_t>(choice.argument)], choice.message);
    }
    const Overload& overload = *choice.overload;
    Binding binding;
    std::optional<int> zone;
    for (size_t i = 0; i < args.size(); ++i) {
      args[i] = Promote(args[i], ParameterType(overload, i));
      const std::optional<int>& other = args[i].type.zone_minutes;
      if (!other) continue;
      if (zone && zone != other && ResultType(overload) == ScalarType::kTimestamp) {
        return TypeFault(spans[i],
                         fmt::format("{} mixes timestamps of zones {} and {} minutes from UTC; bring them to one "
                                     "with in_zone(t, minutes)",
                                     function.name, *zone, *other));
      }
      if (!zone) zone = other;
    }
    binding.zone_microseconds = int64_t{zone.value_or(0)} * 60'000'000;
    if (overload.prepare != nullptr) SLIPWAY_TRY(Prepared(overload, args, spans, binding));
    if (binding.zone_minutes) zone = binding.zone_minutes;
    Value value = Emit(overload, ResultType(overload), std::move(args), std::move(binding));
    if (value.type.scalar == ScalarType::kTimestamp) value.type.zone_minutes = zone;
    return value;
  }

  Checked<void> Prepared(const Overload& overload, const std::vector<Value>& args, std::span<const Span> spans,
                         Binding& binding) const {
    std::vector<const Constant*> constants;
    std::optional<Span> first_constant;
    for (size_t i = 0; i < args.size(); ++i) {
      const bool constant = args[i].source == Value::Source::kConstant;
      constants.push_back(constant ? &plan_.constants[args[i].index] : nullptr);
      const char letter = overload.signature[i];
      if (constant && (!first_constant || (letter >= 'A' && letter <= 'Z'))) first_constant = spans[i];
    }
    std::string wrong = overload.prepare(constants, binding);
    if (wrong.empty()) return {};
    return TypeFault(first_constant.value_or(Span{}), std::move(wrong));
  }

  Checked<Value> Membership(const Node& node) {
    const Value& value = values_[node.children.front()];
    std::optional<ScalarType> common;
    if (!value.type.untyped) common = value.type.scalar;
    bool constant = true;
    for (size_t i = 1; i < node.children.size(); ++i) {
      const Value& item = values_[node.children[i]];
      const Span span = tree_.nodes[node.children[i]].span;
      if (IsNull(item)) return TypeFault(span, "null equals nothing; write is_null(x) or x in […]");
      constant &= item.type.constant;
      if (!common) common = item.type.scalar;
      const auto numeric = [](ScalarType type) { return type == ScalarType::kInteger || type == ScalarType::kNumber; };
      if (*common == item.type.scalar) continue;
      if (!numeric(*common) || !numeric(item.type.scalar)) {
        return TypeFault(span, fmt::format("the list holds {} where {} is looked for", TypeName(item.type),
                                           data::ScalarTypeName(*common)));
      }
      common = ScalarType::kNumber;
    }
    return constant ? MembershipInSet(node, *common) : MembershipInValues(node);
  }

  Value MembershipInSet(const Node& node, ScalarType type) {
    std::vector<Constant> items;
    for (size_t i = 1; i < node.children.size(); ++i) {
      items.push_back(plan_.constants[Promote(values_[node.children[i]], type).index]);
    }
    Binding binding;
    binding.object = MakeSet(items);
    const Overload overload{.signature = {}, .kernel = MembershipKernel(type)};
    return Emit(overload, ScalarType::kBoolean, {Promote(values_[node.children.front()], type)}, std::move(binding));
  }

  // x in [a, b] is x == a or x == b.
  Checked<Value> MembershipInValues(const Node& node) {
    std::optional<Value> found;
    const Value value = values_[node.children.front()];
    for (size_t i = 1; i < node.children.size(); ++i) {
      const Value item = values_[node.children[i]];
      const Span spans[] = {tree_.nodes[node.children.front()].span, tree_.nodes[node.children[i]].span};
      SLIPWAY_ASSIGN(Value equal, Apply(*FindFunction("=="), node.mark, {value, item}, spans));
      if (found) {
        SLIPWAY_ASSIGN(equal, Apply(*FindFunction("or"), node.mark, {*found, equal}, spans));
      }
      found = equal;
    }
    return *found;
  }

  const Tree& tree_;
  std::span<const Symbol> symbols_;
  std::unordered_map<std::string_view, int> by_name_;
  std::unordered_map<int, uint32_t> column_of_;
  std::vector<Value> values_;  ///< of the nodes
  std::vector<Value> args_;    ///< of the steps
  Plan plan_;
  Scratch scratch_;
};

}  // namespace

Checked<Plan> Check(const Tree& tree, std::span<const Symbol> symbols) {
  return Checker(tree, symbols).Run();
}

}  // namespace slipway::expr

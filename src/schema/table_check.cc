#include "schema/table_check.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>

namespace slipway::schema {
namespace {

using data::Column;
using data::ColumnView;
using data::ScalarType;
using data::Violation;
using data::ViolationCode;

constexpr size_t kRepairedInPlace = 2;  // More repairs of one string column rebuild it in a single pass.
constexpr int kRowBits = 40;

uint64_t CellKey(int field, int64_t row) {
  return static_cast<uint64_t>(field) << kRowBits | static_cast<uint64_t>(row);
}

auto OrderOf(const Violation& violation) {
  return std::tuple(violation.row, violation.field, violation.code);
}

void Sort(std::vector<Violation>& violations) {
  const auto before = [](const Violation& a, const Violation& b) { return OrderOf(a) < OrderOf(b); };
  if (!std::is_sorted(violations.begin(), violations.end(), before)) {
    std::stable_sort(violations.begin(), violations.end(), before);
  }
}

/// Calls `use` for each single fault, in the order of their codes.
template <typename Use>
void ForEachFault(Faults faults, const Use& use) {
  for (const Fault fault : {kBelow, kAbove, kOutside, kUnmatched, kTooShort, kTooLong, kNotFinite}) {
    if (faults & fault) use(fault);
  }
}

base::Value ValueAt(const ColumnView& view, int64_t element) {
  switch (view.type) {
    case ScalarType::kBoolean:
      return view.booleans()[element] != 0;
    case ScalarType::kInteger:
      return view.integers()[element];
    case ScalarType::kNumber:
      return view.numbers()[element];
    case ScalarType::kString:
      return view.string(element);
    case ScalarType::kTimestamp:
      return TimestampText(view.integers()[element]);
  }
  return {};
}

/// "[3][7]": the place of element `index` in a row of this shape.
std::string ElementIndex(std::span<const int64_t> shape, int64_t index) {
  std::string text;
  for (size_t i = shape.size(); i-- > 0;) {
    text.insert(0, "[" + std::to_string(index % shape[i]) + "]");
    index /= shape[i];
  }
  return text;
}

/// Columns whose cells take up as much room as they need: a changed one moves all that follow.
bool IsPacked(const data::DataType& type) {
  return type.scalar == ScalarType::kString || type.is_variable();
}

}  // namespace

TableCheck::TableCheck(std::span<const ColumnPlan> columns, data::Decoded& rows, Report& report, CheckMemory& memory,
                       CheckOptions options)
    : columns_(columns), rows_(rows), report_(report), memory_(memory), options_(options) {
  report_.Clear();
  report_.rejected.assign(static_cast<size_t>(rows.table.rows), 0);
  memory_.bad_cells.clear();
  memory_.malformed.clear();
}

void TableCheck::CheckColumns() {
  if (!rows_.violations.empty()) TakeDecoderViolations();
  for (size_t i = 0; i < columns_.size(); ++i) CheckColumn(static_cast<int>(i));
}

void TableCheck::TakeDecoderViolations() {
  for (const Violation& violation : rows_.violations) {
    if (violation.code == ViolationCode::kMalformed) {
      memory_.malformed.resize(report_.rejected.size(), 0);
      memory_.malformed[static_cast<size_t>(violation.row)] = 1;
    }
    const bool whole_row = violation.field < 0 || violation.code == ViolationCode::kDuplicateField;
    Outcome outcome = Outcome::kRejected;
    if (!whole_row) {
      memory_.bad_cells.push_back(CellKey(violation.field, violation.row));
      const Policy policy = plan(violation.field).rules().on_violation;
      if (policy == Policy::kNull || policy == Policy::kWarn) outcome = Outcome::kNull;
      if (policy == Policy::kImpute) outcome = Outcome::kImputed;
    }
    if (outcome == Outcome::kRejected) {
      if (MayDescribe(violation.row)) report_.violations.push_back(violation);
    } else if (MayWarn()) {
      report_.warnings.push_back(violation);
      report_.warnings.back().message += OutcomeWords(outcome);
    }
  }
  std::ranges::sort(memory_.bad_cells);
}

void TableCheck::CheckColumn(int field) {
  const ColumnPlan& plan = this->plan(field);
  const Column& column = this->column(field);
  const bool imputes_bad_cells = !memory_.bad_cells.empty() && plan.rules().on_violation == Policy::kImpute;
  const bool look_at_nulls = column.has_nulls() && (imputes_bad_cells || !plan.nulls_are_fine());
  if (plan.content() == Content::kNothing && !look_at_nulls) return;
  const ColumnView view = column.view();
  if (!look_at_nulls && plan.content() != Content::kTexts) {
    const int64_t elements = view.row_offsets ? view.row_offsets[view.rows] : view.rows * view.width;
    if (plan.content() == Content::kNumbers && plan.AllFine(view.numbers(), elements)) return;
    if (plan.content() == Content::kIntegers && plan.AllFine(view.integers(), elements)) return;
  }
  memory_.repairs.clear();
  if (!column.type().is_scalar()) {
    WalkTensors(field, look_at_nulls);
  } else {
    switch (plan.content()) {
      case Content::kNothing:
        WalkScalars(field, look_at_nulls, [](int64_t) { return Faults{0}; });
        break;
      case Content::kBooleans:
        WalkScalars(field, look_at_nulls, [&](int64_t row) { return plan.Judge(view.booleans()[row] != 0); });
        break;
      case Content::kIntegers:
        WalkScalars(field, look_at_nulls, [&](int64_t row) { return plan.Judge(view.integers()[row]); });
        break;
      case Content::kNumbers:
        WalkScalars(field, look_at_nulls, [&](int64_t row) { return plan.Judge(view.numbers()[row]); });
        break;
      case Content::kTexts:
        WalkScalars(field, look_at_nulls, [&](int64_t row) { return plan.Judge(view.string(row)); });
        break;
    }
  }
  if (!memory_.repairs.empty()) ApplyRepairs(field);
}

template <typename JudgeRow>
void TableCheck::WalkScalars(int field, bool look_at_nulls, const JudgeRow& judge) {
  const Column& column = this->column(field);
  const int64_t rows = column.rows();
  for (int64_t row = 0; row < rows; ++row) {
    if (!column.IsValid(row)) {
      if (look_at_nulls) SettleNull(field, row);
    } else if (const Faults faults = judge(row)) {
      SettleScalar(field, row, faults);
    }
  }
}

void TableCheck::WalkTensors(int field, bool look_at_nulls) {
  const ColumnPlan& plan = this->plan(field);
  const Column& column = this->column(field);
  const ColumnView view = column.view();
  for (int64_t row = 0; row < view.rows; ++row) {
    if (!column.IsValid(row)) {
      if (look_at_nulls) SettleNull(field, row);
      continue;
    }
    const int64_t begin = view.row_offsets ? view.row_offsets[row] : row * view.width;
    const int64_t end = view.row_offsets ? view.row_offsets[row + 1] : begin + view.width;
    if (plan.content() == Content::kNumbers && !plan.AllFine(view.numbers() + begin, end - begin)) {
      SettleTensor(field, row, view.numbers(), begin, end);
    } else if (plan.content() == Content::kIntegers && !plan.AllFine(view.integers() + begin, end - begin)) {
      SettleTensor(field, row, view.integers(), begin, end);
    }
  }
}

void TableCheck::SettleNull(int field, int64_t row) {
  if (IsMalformed(row)) return;
  const ColumnPlan& plan = this->plan(field);
  const ColumnRules& rules = plan.rules();
  if (!memory_.bad_cells.empty() && IsBadCell(field, row)) {
    if (rules.on_violation == Policy::kImpute) Repair(field, row, Outcome::kImputed);
    return;
  }
  const bool absent = rows_.IsAbsent(field, row);
  if (absent && rules.may_be_absent() && rules.missing == Missing::kReject) return;
  if ((absent && !rules.may_be_absent()) || rules.missing == Missing::kReject) {
    if (!MayDescribe(row)) return;
    Violation violation = DescribeMissing(plan, absent);
    violation.row = row;
    violation.field = field;
    report_.violations.push_back(std::move(violation));
    return;
  }
  if (rules.missing == Missing::kImpute) Repair(field, row, Outcome::kImputed);
}

void TableCheck::SettleScalar(int field, int64_t row, Faults faults) {
  const ColumnRules& rules = plan(field).rules();
  Outcome outcome = Outcome::kRejected;
  if ((faults & kOutside) && rules.unknown != UnknownValue::kViolation) {
    faults = kOutside;  // The value is replaced, so what else is wrong with it does not matter.
    outcome = rules.unknown == UnknownValue::kOther ? Outcome::kOther : Outcome::kNull;
  } else if (rules.on_violation == Policy::kClamp && !(faults & ~(kBelow | kAbove))) {
    outcome = faults & kBelow ? Outcome::kToMin : Outcome::kToMax;
  } else if (rules.on_violation == Policy::kImpute) {
    outcome = Outcome::kImputed;
  } else if (rules.on_violation == Policy::kNull) {
    outcome = Outcome::kNull;
  } else if (rules.on_violation == Policy::kWarn) {
    outcome = Outcome::kKept;
  }
  Describe({field, row, row}, faults, outcome);
  if (outcome != Outcome::kRejected && outcome != Outcome::kKept) Repair(field, row, outcome);
}

template <typename T>
void TableCheck::SettleTensor(int field, int64_t row, const T* values, int64_t begin, int64_t end) {
  const ColumnPlan& plan = this->plan(field);
  const ColumnRules& rules = plan.rules();
  Faults all = 0;
  for (int64_t i = begin; i < end; ++i) all |= plan.Judge(values[i]);
  if (all == 0) return;
  const bool clamps = rules.on_violation == Policy::kClamp && !(all & kNotFinite);
  int described = 0;
  for (int64_t i = begin; i < end; ++i) {
    const Faults faults = plan.Judge(values[i]);
    if (faults == 0) continue;
    Outcome outcome = Outcome::kRejected;
    if (clamps) outcome = faults & kBelow ? Outcome::kToMin : Outcome::kToMax;
    if (rules.on_violation == Policy::kNull) outcome = Outcome::kNull;
    if (rules.on_violation == Policy::kWarn) outcome = Outcome::kKept;
    if (described++ < kMaxDescribedElements) Describe({field, row, i}, faults, outcome);
    if (!clamps) continue;
    if constexpr (std::is_same_v<T, double>) {
      column(field).ResizeNumbers(column(field).rows())[i] = faults & kBelow ? *rules.min : *rules.max;
    } else {
      column(field).ResizeIntegers(column(field).rows())[i] = faults & kBelow ? *rules.min_integer : *rules.max_integer;
    }
  }
  if (rules.on_violation == Policy::kNull) Repair(field, row, Outcome::kNull);
}

bool TableCheck::IsBadCell(int field, int64_t row) const {
  return std::ranges::binary_search(memory_.bad_cells, CellKey(field, row));
}

bool TableCheck::MayDescribe(int64_t row) {
  uint8_t& rejected = report_.rejected[static_cast<size_t>(row)];
  const bool first = rejected == 0;
  rejected = 1;
  report_.rejected_rows += first;
  if (first || report_.violations.size() < kMaxDescribed) return true;
  ++report_.left_out;
  return false;
}

bool TableCheck::MayWarn() {
  if (!options_.collect_warnings) return false;
  if (report_.warnings.size() < kMaxDescribed) return true;
  ++report_.left_out;
  return false;
}

void TableCheck::Describe(const Site& site, Faults faults, Outcome outcome) {
  const ColumnRules& rules = plan(site.field).rules();
  const ColumnView view = column(site.field).view();
  ForEachFault(faults, [&](Fault fault) {
    if (outcome == Outcome::kRejected ? !MayDescribe(site.row) : !MayWarn()) return;
    std::string path = rules.field.name;
    if (!rules.field.type.is_scalar()) {
      const auto& shape = rules.field.type.shape;
      const int64_t begin = view.row_offsets ? view.row_offsets[site.row] : site.row * view.width;
      const int64_t* sizes =
          view.row_shapes ? view.row_shapes + site.row * static_cast<int64_t>(shape.size()) : shape.data();
      path += ElementIndex(std::span(sizes, shape.size()), site.element - begin);
    }
    Violation violation = DescribeFault(plan(site.field), fault, std::move(path), ValueAt(view, site.element), outcome);
    violation.row = site.row;
    violation.field = site.field;
    (outcome == Outcome::kRejected ? report_.violations : report_.warnings).push_back(std::move(violation));
  });
}

void TableCheck::Repair(int field, int64_t row, Outcome outcome) {
  Column& column = this->column(field);
  const ColumnRules& rules = plan(field).rules();
  if (IsPacked(column.type())) {
    memory_.repairs.push_back({row, outcome});
    return;
  }
  if (outcome == Outcome::kNull) {
    column.SetNull(row);
    return;
  }
  const Literal& replacement = plan(field).replacement();
  switch (column.type().scalar) {
    case ScalarType::kBoolean:
      column.SetBoolean(row, replacement.boolean);
      break;
    case ScalarType::kNumber:
      column.SetNumber(row, outcome == Outcome::kToMin   ? *rules.min
                            : outcome == Outcome::kToMax ? *rules.max
                                                         : replacement.number);
      break;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      column.SetInteger(row, outcome == Outcome::kToMin   ? *rules.min_integer
                             : outcome == Outcome::kToMax ? *rules.max_integer
                                                          : replacement.integer);
      break;
    case ScalarType::kString:
      break;
  }
}

void TableCheck::ApplyRepairs(int field) {
  Column& column = this->column(field);
  const std::string_view imputed = plan(field).replacement().text;
  const auto text = [&](Outcome outcome) -> std::string_view {
    return outcome == Outcome::kOther ? std::string_view("other") : imputed;
  };
  if (memory_.repairs.size() <= kRepairedInPlace) {
    for (const auto& [row, outcome] : memory_.repairs) {
      if (outcome == Outcome::kNull) {
        column.SetNull(row);
      } else {
        column.SetString(row, text(outcome));
      }
    }
    return;
  }
  Column repaired(column.type());
  size_t next = 0;
  for (int64_t row = 0; row < column.rows(); ++row) {
    if (next == memory_.repairs.size() || memory_.repairs[next].row != row) {
      repaired.AppendFrom(column, row);
      continue;
    }
    const Outcome outcome = memory_.repairs[next++].outcome;
    if (outcome == Outcome::kNull) {
      repaired.AppendNull();
    } else {
      repaired.AppendString(text(outcome));
    }
  }
  column = std::move(repaired);
}

bool TableCheck::UsesViolatedColumn(const RulePlan& rule, int64_t row) const {
  const auto [begin, end] = std::ranges::equal_range(report_.violations, row, {}, &Violation::row);
  return std::any_of(begin, end, [&](const Violation& violation) {
    return std::ranges::binary_search(rule.program.inputs(), violation.field);
  });
}

void TableCheck::CheckRules(std::span<const RulePlan> rules) {
  if (rules.empty() || rows_.table.rows == 0) return;
  Sort(report_.violations);
  memory_.views.clear();
  for (const Column& column : rows_.table.columns) memory_.views.push_back(column.view());
  std::vector<Violation> broken;
  for (const RulePlan& rule : rules) {
    const ColumnView holds = rule.program.Evaluate(memory_.views, rows_.table.rows, memory_.expressions);
    for (int64_t row = 0; row < holds.rows; ++row) {
      if (!holds.IsValid(row) || holds.booleans()[row] || IsMalformed(row)) continue;
      if (report_.rejected[static_cast<size_t>(row)] && UsesViolatedColumn(rule, row)) continue;
      if (!MayDescribe(row)) continue;
      broken.push_back(DescribeRule(rule.rule));
      broken.back().row = row;
    }
  }
  std::ranges::move(broken, std::back_inserter(report_.violations));
}

void TableCheck::Finish() {
  Sort(report_.violations);
  if (report_.rejected_rows > 0) {
    std::erase_if(report_.warnings,
                  [&](const Violation& warning) { return report_.rejected[static_cast<size_t>(warning.row)] != 0; });
  }
  Sort(report_.warnings);
}

}  // namespace slipway::schema

#include "monitor/table_tally.h"

#include <algorithm>
#include <utility>

namespace slipway::monitor {
namespace {

using base::Value;

constexpr size_t kElements = 64;  ///< of one vector
/// Fewer values than this scatter too much for a shift to mean something.
constexpr int64_t kLeastRows = 500;

void AppendSubjects(const data::Field& field, int column, const Value* distribution, bool is_answer,
                    std::vector<TallyPlan::Subject>& subjects) {
  if (field.type.is_scalar()) {
    subjects.push_back({.name = field.name,
                        .column = column,
                        .is_time = field.type.scalar == data::ScalarType::kTimestamp,
                        .reference = distribution != nullptr ? Reference(*distribution) : Reference()});
    return;
  }
  if (!is_answer || field.labels.size() > kElements) return;
  for (size_t i = 0; i < field.labels.size(); ++i) {
    subjects.push_back({.name = field.name + "." + field.labels[i],
                        .column = column,
                        .element = static_cast<int64_t>(i),
                        .reference = {}});
  }
}

const Value* DistributionOf(const Value& baseline, const std::string& column) {
  const Value* columns = baseline.is_map() ? baseline.Find("columns") : nullptr;
  return columns != nullptr && columns->is_map() ? columns->Find(column) : nullptr;
}

Value ListOf(const std::vector<ColumnTally>& tallies) {
  auto list = Value::List();
  for (const auto& tally : tallies) list.Add(tally.ToValue());
  return list;
}

bool ReadList(const Value* list, std::vector<ColumnTally>& tallies) {
  if (list == nullptr || !list->is_list() || list->list().size() != tallies.size()) return false;
  for (size_t i = 0; i < tallies.size(); ++i) {
    if (!tallies[i].Read(list->list()[i])) return false;
  }
  return true;
}

Value Described(const std::vector<TallyPlan::Subject>& subjects, const std::vector<ColumnTally>& tallies) {
  auto map = Value::Map();
  for (size_t i = 0; i < subjects.size(); ++i) map.Set(subjects[i].name, tallies[i].Describe());
  return map;
}

}  // namespace

TallyPlan::TallyPlan(std::span<const data::Field> inputs, std::span<const data::Field> answers,
                     const base::Value& baseline) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    AppendSubjects(inputs[i], static_cast<int>(i), DistributionOf(baseline, inputs[i].name), false, this->inputs);
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    AppendSubjects(answers[i], static_cast<int>(i), nullptr, true, this->answers);
  }
}

TableTally::TableTally(const TallyPlan& plan) : plan_(&plan), present_(plan.inputs.size()) {
  for (const auto& subject : plan.inputs) inputs_.emplace_back(subject.reference, false);
  for (const auto& subject : plan.answers) answers_.emplace_back(subject.reference, true);
}

void TableTally::NoteMissing(const data::Table& rows) {
  for (size_t i = 0; i < plan_->inputs.size(); ++i) {
    const auto view = rows.columns[static_cast<size_t>(plan_->inputs[i].column)].view();
    present_[i].clear();
    if (view.validity != nullptr) present_[i].assign(view.validity, view.validity + (view.rows + 63) / 64);
  }
}

void TableTally::Add(const data::Table& inputs, const data::Table& answers, std::span<const int64_t> rows) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto view = inputs.columns[static_cast<size_t>(plan_->inputs[i].column)].view();
    const auto& present = present_[i];
    for (const int64_t row : rows) {
      const bool came = present.empty() || (present[static_cast<size_t>(row >> 6)] >> (row & 63) & 1) != 0;
      came&& view.IsValid(row) ? inputs_[i].Add(view, row) : inputs_[i].AddNull();
    }
  }
  for (size_t i = 0; i < answers_.size(); ++i) {
    const auto& subject = plan_->answers[i];
    const auto view = answers.columns[static_cast<size_t>(subject.column)].view();
    if (subject.element >= view.width && subject.element >= 0) continue;
    for (const int64_t row : rows) {
      const int64_t element = subject.element < 0 ? row : row * view.width + subject.element;
      view.IsValid(row) ? answers_[i].Add(view, element) : answers_[i].AddNull();
    }
  }
}

void TableTally::Add(const TableTally& other) {
  for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i].Add(other.inputs_[i]);
  for (size_t i = 0; i < answers_.size(); ++i) answers_[i].Add(other.answers_[i]);
}

Value TableTally::ToValue() const {
  return Value::Map().Set("inputs", ListOf(inputs_)).Set("answers", ListOf(answers_));
}

bool TableTally::Read(const Value& value) {
  return value.is_map() && ReadList(value.Find("inputs"), inputs_) && ReadList(value.Find("answers"), answers_);
}

Value TableTally::Describe() const {
  return Value::Map()
      .Set("inputs", Described(plan_->inputs, inputs_))
      .Set("predictions", Described(plan_->answers, answers_));
}

std::vector<TableTally::Shift> TableTally::Shifts(double psi, double missing) const {
  std::vector<Shift> shifts;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto& tally = inputs_[i];
    const auto& reference = tally.reference();
    if (plan_->inputs[i].is_time || reference.kind() == Reference::Kind::kNone || tally.rows() < kLeastRows) continue;
    Shift shift{.name = plan_->inputs[i].name,
                .psi = tally.stability_index().value_or(0),
                .null_share = tally.null_share(),
                .null_share_before = reference.null_share()};
    if (tally.moments().count > 0) shift.mean = tally.moments().mean;
    shift.mean_before = reference.mean();
    if (shift.psi >= psi || shift.null_share - shift.null_share_before >= missing) shifts.push_back(std::move(shift));
  }
  std::ranges::stable_sort(shifts, [](const Shift& a, const Shift& b) { return a.psi > b.psi; });
  return shifts;
}

}  // namespace slipway::monitor

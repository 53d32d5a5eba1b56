// ordinal, frequency: one number per category. Twins: OrdinalEncoder; frequency is category_encoders' CountEncoder with
// normalize.

#include <fmt/format.h>

#include <limits>

#include "features/learn/category_learner.h"
#include "features/steps/categories/category_map.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

class OrdinalLearner final : public CategoryCounter {
 public:
  using CategoryCounter::CategoryCounter;
  Result<Value> Finish() override {
    Value list = Value::List();
    for (const LearnedVocabulary& vocabulary : vocabularies()) {
      Value keys = Value::List();
      for (const int64_t id : vocabulary.index.Sorted()) keys.Add(vocabulary.index.Key(id));
      list.Add(Value::Map().Set("categories", std::move(keys)));
    }
    return Value::Map().Set("inputs", std::move(list));
  }
};

class Ordinal final : public CategoryStep {
 public:
  explicit Ordinal(StepReader& reader)
      : CategoryStep(reader.Inputs()),
        unknown_(reader.NumberOrNan("unknown", -1)),
        missing_(reader.NumberOrNan("missing", std::numeric_limits<double>::quiet_NaN())) {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return std::make_unique<OrdinalLearner>(plan.inputs(), options.max_vocabulary);
  }

  Result<void> Compile(StepPlan& plan) const override {
    std::vector<CategoryMap> maps;
    const base::ValueList& entries = plan.learned().List("inputs", static_cast<int64_t>(plan.inputs().size()));
    for (size_t i = 0; i < entries.size(); ++i) {
      const Input& input = plan.inputs()[i];
      CategoryMap map{.slot = input.slot, .index = CategoryIndex(input.type), .null = missing_, .unseen = unknown_};
      ReadCategories(plan.learned(), entries[i], map.index);
      for (int64_t id = 0; id < map.index.size(); ++id) map.values.push_back(static_cast<double>(id));
      maps.push_back(std::move(map));
    }
    SLIPWAY_TRY(plan.learned().Finish());
    YieldCategoryMaps(plan, std::move(maps));
    return {};
  }

 private:
  double unknown_, missing_;
};

class FrequencyLearner final : public CategoryCounter {
 public:
  using CategoryCounter::CategoryCounter;
  Result<Value> Finish() override {
    Value list = Value::List();
    for (size_t i = 0; i < vocabularies().size(); ++i) {
      const LearnedVocabulary& vocabulary = vocabularies()[i];
      Value keys = Value::List(), counts = Value::List();
      for (const int64_t id : vocabulary.index.Sorted()) {
        keys.Add(vocabulary.index.Key(id));
        counts.Add(count(i, id));
      }
      list.Add(Value::Map()
                   .Set("categories", std::move(keys))
                   .Set("counts", std::move(counts))
                   .Set("nulls", vocabulary.nulls));
    }
    return Value::Map().Set("rows", rows()).Set("inputs", std::move(list));
  }
};

class Frequency final : public CategoryStep {
 public:
  explicit Frequency(StepReader& reader)
      : CategoryStep(reader.Inputs()), normalize_(reader.Boolean("normalize", true)) {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return std::make_unique<FrequencyLearner>(plan.inputs(), options.max_vocabulary);
  }

  Result<void> Compile(StepPlan& plan) const override {
    const int64_t rows = plan.learned().Integer("rows", 0, INT64_MAX);
    const double whole = normalize_ && rows > 0 ? static_cast<double>(rows) : 1;
    std::vector<CategoryMap> maps;
    const base::ValueList& entries = plan.learned().List("inputs", static_cast<int64_t>(plan.inputs().size()));
    for (size_t i = 0; i < entries.size(); ++i) {
      const Input& input = plan.inputs()[i];
      CategoryMap map{.slot = input.slot, .index = CategoryIndex(input.type), .null = 0, .unseen = 0};
      ReadCategories(plan.learned(), entries[i], map.index);
      LearnedReader entry(entries[i], plan.as());
      for (const int64_t count : entry.Integers("counts", map.index.size()))
        map.values.push_back(static_cast<double>(count) / whole);
      map.null = static_cast<double>(entry.Integer("nulls", 0, INT64_MAX)) / whole;
      SLIPWAY_TRY(entry.Finish());
      maps.push_back(std::move(map));
    }
    SLIPWAY_TRY(plan.learned().Finish());
    YieldCategoryMaps(plan, std::move(maps));
    return {};
  }

 private:
  bool normalize_;
};

}  // namespace

ParsedStep ParseOrdinal(StepReader& reader) {
  return std::make_unique<Ordinal>(reader);
}
ParsedStep ParseFrequency(StepReader& reader) {
  return std::make_unique<Frequency>(reader);
}

}  // namespace slipway::features

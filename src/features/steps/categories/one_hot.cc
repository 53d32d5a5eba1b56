// one_hot: a 0/1 column per category. Twin: OneHotEncoder.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "features/learn/category_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

struct OneHotOptions {
  int64_t min_count = 0;       // rows; 0: no minimum
  double min_share = 0;        // share of the rows; 0: no minimum
  int64_t max_categories = 0;  // 0: no limit; counts the column of the infrequent
};

class OneHotLearner final : public CategoryCounter {
 public:
  OneHotLearner(std::span<const Input> inputs, int64_t limit, OneHotOptions options)
      : CategoryCounter(inputs, limit), options_(options) {}

  Result<Value> Finish() override {
    Value list = Value::List();
    for (size_t i = 0; i < vocabularies().size(); ++i) list.Add(Describe(i));
    return Value::Map().Set("inputs", std::move(list));
  }

 private:
  // Null is the last category, as scikit-learn sorts NaN.
  Value Describe(size_t input) {
    const LearnedVocabulary& vocabulary = vocabularies()[input];
    std::vector<int64_t> ids = vocabulary.index.Sorted();
    std::vector<int64_t> counts;
    for (const int64_t id : ids) counts.push_back(count(input, id));
    if (vocabulary.nulls > 0) {
      ids.push_back(CategoryIndex::kNull);
      counts.push_back(vocabulary.nulls);
    }
    const std::vector<bool> infrequent = Infrequent(counts);
    Value kept = Value::List(), grouped = Value::List();
    std::string null = "unseen";
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] == CategoryIndex::kNull) {
        null = infrequent[i] ? "infrequent" : "category";
      } else {
        (infrequent[i] ? grouped : kept).Add(vocabulary.index.Key(ids[i]));
      }
    }
    return Value::Map().Set("categories", std::move(kept)).Set("infrequent", std::move(grouped)).Set("null", null);
  }

  std::vector<bool> Infrequent(const std::vector<int64_t>& counts) const {
    std::vector<bool> infrequent(counts.size());
    size_t frequent = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      infrequent[i] = counts[i] < options_.min_count ||
                      static_cast<double>(counts[i]) < options_.min_share * static_cast<double>(rows());
      frequent += !infrequent[i];
    }
    if (options_.max_categories == 0 || static_cast<size_t>(options_.max_categories) >= frequent + 1) return infrequent;
    std::vector<size_t> order(counts.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](size_t i) { return counts[i]; });
    const size_t keep = static_cast<size_t>(options_.max_categories) - 1;
    for (size_t i = 0; i + keep < order.size(); ++i) infrequent[order[i]] = true;
    return infrequent;
  }

  OneHotOptions options_;
};

// Where the rows of one input put their 1.
struct OneHotInput {
  int slot;
  CategoryIndex index;
  std::vector<int32_t> columns;  // by id; -1: none
  int32_t null_column = -1;
  int32_t unseen_column = -1;
};

class OneHotKernel final : public Kernel {
 public:
  OneHotKernel(std::vector<OneHotInput> inputs, int out, int64_t width)
      : inputs_(std::move(inputs)), out_(out), width_(width) {}

  void Run(Frame& frame) const override {
    double* out = frame.block(out_);
    std::fill_n(out, frame.rows * width_, 0.0);
    for (const OneHotInput& input : inputs_) {
      const data::ColumnView& view = frame.view(input.slot);
      for (int64_t r = 0; r < frame.rows; ++r) {
        const int64_t id = input.index.Find(view, r);
        const int32_t column = id >= 0                      ? input.columns[static_cast<size_t>(id)]
                               : id == CategoryIndex::kNull ? input.null_column
                                                            : input.unseen_column;
        if (column >= 0) out[r * width_ + column] = 1;
      }
    }
  }

 private:
  std::vector<OneHotInput> inputs_;
  int out_;
  int64_t width_;
};

class OneHot final : public CategoryStep {
 public:
  explicit OneHot(StepReader& reader)
      : CategoryStep(reader.Inputs()),
        unknown_(reader.Choice("unknown", {"ignore", "infrequent", "other", "error"})),
        drop_(reader.Choice("drop", {"none", "first", "if_binary"})) {
    options_.max_categories = reader.Integer("max_categories", 0, 1, kMaxWidth);
    const Value* frequency = reader.Find("min_frequency");
    if (frequency != nullptr && frequency->is_integer()) {
      options_.min_count = reader.Integer("min_frequency", 1, 1, INT64_MAX);
    } else if (frequency != nullptr) {
      options_.min_share = reader.NumberIn("min_frequency", 0, 0, 1);
    }
    if (unknown_ == "error") {
      reader.Reject("unknown",
                    "one_hot: a feature step cannot refuse a record; write `values:` on the column in `inputs:`, which "
                    "rejects unseen "
                    "categories, and unknown: ignore here");
    }
  }
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return std::make_unique<OneHotLearner>(plan.inputs(), options.max_vocabulary, options_);
  }

  Result<void> Compile(StepPlan& plan) const override {
    std::vector<OneHotInput> inputs;
    std::vector<std::string> suffixes;
    const base::ValueList& entries = plan.learned().List("inputs", static_cast<int64_t>(plan.inputs().size()));
    for (size_t i = 0; i < entries.size(); ++i) {
      const std::string prefix = entries.size() == 1 ? "" : "." + plan.inputs()[i].name;
      SLIPWAY_ASSIGN(OneHotInput input, Arrange(plan, plan.inputs()[i], entries[i], prefix, suffixes));
      inputs.push_back(std::move(input));
    }
    SLIPWAY_TRY(plan.learned().Finish());
    if (suffixes.empty()) {
      return std::unexpected(plan.Fault(
          "features.nothing_learned",
          fmt::format("feature \"{}\" would have no column: \"{}\" has one category, and drop: first leaves it out; "
                      "write drop: if_binary, or leave the step out",
                      plan.as(), plan.inputs()[0].name)));
    }
    if (static_cast<int64_t>(suffixes.size()) > kMaxWidth) {
      return std::unexpected(
          plan.Fault("features.limit", fmt::format("feature \"{}\" has {} categories; at most {} get a column: set "
                                                   "max_categories, or use target_encode or hash",
                                                   plan.as(), suffixes.size(), kMaxWidth)));
    }
    const auto width = static_cast<int64_t>(suffixes.size());
    const int slot = plan.AddBlock(width);
    plan.AddKernel(std::make_unique<OneHotKernel>(std::move(inputs), slot, width));
    plan.Yield(slot, data::ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 protected:
  bool width_is_learned() const override { return true; }

 private:
  Result<OneHotInput> Arrange(StepPlan& plan, const Input& source, const Value& entry, const std::string& prefix,
                              std::vector<std::string>& suffixes) const {
    OneHotInput input{.slot = source.slot, .index = CategoryIndex(source.type)};
    ReadCategories(plan.learned(), entry, input.index);
    const int64_t kept = input.index.size();
    const Value* grouped = entry.Find("infrequent");
    const Value* null = entry.Find("null");
    if (grouped == nullptr || !grouped->is_list() || null == nullptr || !null->is_string()) {
      plan.learned().Reject("inputs", "has no list of infrequent categories or no word on null");
      SLIPWAY_TRY(plan.learned().Finish());
    }
    for (const Value& key : grouped->list()) {
      if (!input.index.AddKey(key)) plan.learned().Reject("inputs", "has a category of the wrong type or twice");
    }
    SLIPWAY_TRY(plan.learned().Finish());

    // Columns before dropping: the categories, null, the group of the infrequent.
    std::vector<std::string> names;
    for (int64_t id = 0; id < kept; ++id) {
      input.columns.push_back(static_cast<int32_t>(names.size()));
      names.push_back(prefix + "=" + input.index.KeyText(id));
    }
    if (null->string() == "category") {
      input.null_column = static_cast<int32_t>(names.size());
      names.push_back(prefix + "=(null)");
    }
    const bool has_group = input.index.size() > kept || null->string() == "infrequent" || unknown_ == "other";
    const int32_t group = has_group ? static_cast<int32_t>(names.size()) : -1;
    if (has_group) names.push_back(prefix + "=(other)");
    input.columns.resize(static_cast<size_t>(input.index.size()), group);
    if (unknown_ != "ignore") input.unseen_column = group;
    if (null->string() == "infrequent") input.null_column = group;
    if (null->string() == "unseen") input.null_column = input.unseen_column;

    const int32_t dropped = drop_ == "first" || (drop_ == "if_binary" && names.size() == 2) ? 1 : 0;
    const auto first = static_cast<int32_t>(suffixes.size());
    const auto place = [&](int32_t& column) { column = column < dropped ? -1 : column - dropped + first; };
    std::ranges::for_each(input.columns, place);
    place(input.null_column);
    place(input.unseen_column);
    for (size_t i = static_cast<size_t>(dropped); i < names.size(); ++i) suffixes.push_back(std::move(names[i]));
    return input;
  }

  std::string unknown_, drop_;
  OneHotOptions options_;
};

}  // namespace

ParsedStep ParseOneHot(StepReader& reader) {
  return std::make_unique<OneHot>(reader);
}

}  // namespace slipway::features

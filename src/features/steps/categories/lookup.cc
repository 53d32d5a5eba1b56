// lookup: a table from categories to numbers or texts, written in the manifest or read by the bundle from a file.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "features/steps/categories/category_map.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;
using data::ScalarType;

class LookupTextKernel final : public Kernel {
 public:
  LookupTextKernel(int in, int text, int out, CategoryIndex index, std::vector<std::string> values,
                   std::optional<std::string> fallback)
      : in_(in),
        text_(text),
        out_(out),
        index_(std::move(index)),
        values_(std::move(values)),
        fallback_(std::move(fallback)) {}
  void Run(Frame& frame) const override {
    const data::ColumnView in = frame.view(in_);
    data::Column& out = frame.columns[text_];
    out.Clear();
    for (int64_t r = 0; r < frame.rows; ++r) {
      const int64_t id = index_.Find(in, r);
      if (id >= 0)
        out.AppendString(values_[static_cast<size_t>(id)]);
      else if (fallback_)
        out.AppendString(*fallback_);
      else
        out.AppendNull();
    }
    frame.views[out_] = out.view();
  }

 private:
  int in_, text_, out_;
  CategoryIndex index_;
  std::vector<std::string> values_;
  std::optional<std::string> fallback_;
};

class Lookup final : public CategoryStep {
 public:
  explicit Lookup(StepReader& reader) : CategoryStep(reader.Inputs()) {
    const Value* table = reader.Find("table");
    const Value* fallback = reader.Find("default");
    reader.Text("file", "");
    if (table == nullptr && reader.Find("file") != nullptr) {
      reader.Reject("file", "lookup: the file was not read; only a bundle's folder or archive brings it along");
      return;
    }
    if (table == nullptr || !table->is_map() || table->map().empty()) {
      reader.Reject("table", "lookup: `table` is missing or empty; write table: {AA: 1.5, UA: 2}");
      return;
    }
    text_ = table->map()[0].second.is_string();
    for (const auto& [key, value] : table->map()) {
      if (!Fits(value)) {
        reader.Reject("table", fmt::format("lookup: the values of `table` are not all {} (see {})",
                                           text_ ? "texts" : "numbers", base::Shorten(key)));
        return;
      }
      keys_.push_back(key);
      Append(value);
    }
    if (fallback == nullptr) return;
    if (!Fits(*fallback))
      reader.Reject("default",
                    fmt::format("lookup: `default` is not a {} as the table's values are", text_ ? "text" : "number"));
    has_default_ = Fits(*fallback);
    if (has_default_ && text_) default_text_ = fallback->string();
    if (has_default_ && !text_) default_number_ = NumberOf(*fallback);
  }

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_ASSIGN(Shape shape, CategoryStep::Check(inputs, visible));
    if (text_ && inputs.size() > 1) {
      return base::Fail(base::Code::kInvalidArgument, "features.bad_parameter",
                        "a lookup that yields text takes one input; make one step each");
    }
    for (const Input& input : inputs) SLIPWAY_TRY(IndexFor(input));
    if (text_) shape.type = ScalarType::kString;
    return shape;
  }

  Result<void> Compile(StepPlan& plan) const override {
    if (text_) {
      SLIPWAY_ASSIGN(CategoryIndex index, IndexFor(plan.inputs()[0]));
      const int text = plan.AddColumn(ScalarType::kString);
      const int out = plan.AddView();
      plan.AddKernel(std::make_unique<LookupTextKernel>(plan.inputs()[0].slot, text, out, std::move(index), texts_,
                                                        has_default_ ? std::optional(default_text_) : std::nullopt));
      plan.Yield(out, ScalarType::kString);
      return {};
    }
    std::vector<CategoryMap> maps;
    for (const Input& input : plan.inputs()) {
      SLIPWAY_ASSIGN(CategoryIndex index, IndexFor(input));
      maps.push_back({input.slot, std::move(index), numbers_, default_number_, default_number_});
    }
    YieldCategoryMaps(plan, std::move(maps));
    return {};
  }

 private:
  bool Fits(const Value& value) const { return text_ ? value.is_string() : value.is_number() || value.is_boolean(); }
  static double NumberOf(const Value& value) { return value.is_boolean() ? value.boolean() : value.number(); }
  void Append(const Value& value) {
    if (text_) texts_.push_back(value.string());
    if (!text_) numbers_.push_back(NumberOf(value));
  }

  Result<CategoryIndex> IndexFor(const Input& input) const {
    CategoryIndex index(input.type);
    for (const std::string& key : keys_) {
      if (index.AddWritten(key)) continue;
      return base::Fail(
          base::Code::kInvalidArgument, "features.bad_parameter",
          fmt::format("the key \"{}\" of `table` is no {}, as the values of \"{}\" are, or stands there twice",
                      base::Shorten(key), data::ScalarTypeName(input.type), input.name));
    }
    return index;
  }

  bool text_ = false, has_default_ = false;
  std::vector<std::string> keys_;
  std::vector<double> numbers_;
  std::vector<std::string> texts_;
  double default_number_ = std::numeric_limits<double>::quiet_NaN();
  std::string default_text_;
};

}  // namespace

ParsedStep ParseLookup(StepReader& reader) {
  return std::make_unique<Lookup>(reader);
}

}  // namespace slipway::features

#include "features/steps/categories/category_map.h"

namespace slipway::features {
namespace {

class CategoryMapKernel final : public Kernel {
 public:
  CategoryMapKernel(std::vector<CategoryMap> maps, int out) : maps_(std::move(maps)), out_(out) {}
  void Run(Frame& frame) const override {
    const auto width = static_cast<int64_t>(maps_.size());
    double* out = frame.block(out_);
    for (const CategoryMap& map : maps_) {
      const data::ColumnView& view = frame.view(map.slot);
      for (int64_t r = 0; r < frame.rows; ++r) {
        const int64_t id = map.index.Find(view, r);
        out[r * width] = id >= 0                      ? map.values[static_cast<size_t>(id)]
                         : id == CategoryIndex::kNull ? map.null
                                                      : map.unseen;
      }
      ++out;
    }
  }

 private:
  std::vector<CategoryMap> maps_;
  int out_;
};

}  // namespace

void YieldCategoryMaps(StepPlan& plan, std::vector<CategoryMap> maps) {
  const int slot = plan.AddBlock(static_cast<int64_t>(maps.size()));
  plan.AddKernel(std::make_unique<CategoryMapKernel>(std::move(maps), slot));
  plan.Yield(slot, data::ScalarType::kNumber, InputSuffixes(plan));
}

std::vector<std::string> InputSuffixes(const StepPlan& plan) {
  std::vector<std::string> suffixes;
  if (plan.inputs().size() == 1) return suffixes;
  for (const Input& input : plan.inputs()) suffixes.push_back("." + input.name);
  return suffixes;
}

}  // namespace slipway::features

#pragma once
// CategoryMap: a number per category, for the steps that replace a category by a number.

#include <vector>

#include "features/learn/category_index.h"
#include "features/step.h"

namespace slipway::features {

struct CategoryMap {
  int slot;
  CategoryIndex index;
  std::vector<double> values;  ///< by id
  double null = 0;
  double unseen = 0;
};

/// Adds the kernel and yields one column per map, named after the step's inputs.
void YieldCategoryMaps(StepPlan& plan, std::vector<CategoryMap> maps);

/// One column an input: the suffixes of their names, none when there is one input.
std::vector<std::string> InputSuffixes(const StepPlan& plan);

}  // namespace slipway::features

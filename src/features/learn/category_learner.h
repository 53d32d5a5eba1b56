#pragma once
// CategoryLearner: the shared part of everything that learns a vocabulary. Each input has a dictionary that grows with
// the data; null is one more category, numbered past the others.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "features/learn/category_index.h"
#include "features/step.h"

namespace slipway::features {

/// One input's vocabulary while it is learned.
struct LearnedVocabulary {
  std::string name;
  int slot;
  CategoryIndex index;
  int64_t nulls = 0;
};

class CategoryLearner : public Learner {
 protected:
  CategoryLearner(std::span<const Input> inputs, int64_t limit);

  /// Number of the row's value in vocabulary `input`, or CategoryIndex::kNull. Errors: "features.vocabulary_limit".
  base::Result<int64_t> Number(size_t input, const Frame& frame, int64_t row);
  std::vector<LearnedVocabulary>& vocabularies() { return vocabularies_; }

 private:
  int64_t limit_;
  std::vector<LearnedVocabulary> vocabularies_;
};

/// Counts rows per category.
class CategoryCounter : public CategoryLearner {
 public:
  CategoryCounter(std::span<const Input> inputs, int64_t limit)
      : CategoryLearner(inputs, limit), counts_(inputs.size()) {}
  base::Result<void> Add(const Frame& frame, const double* target) override;

 protected:
  int64_t rows() const { return rows_; }
  int64_t count(size_t input, int64_t id) const { return counts_[input][static_cast<size_t>(id)]; }

 private:
  std::vector<std::vector<int64_t>> counts_;  ///< per input, by id
  int64_t rows_ = 0;
};

/// Reads the list of maps that a category step keeps, one an input: {"categories": […], …}.
/// `index` gets the keys in their order.
void ReadCategories(LearnedReader& learned, const base::Value& entry, CategoryIndex& index);

}  // namespace slipway::features

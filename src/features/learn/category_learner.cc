#include "features/learn/category_learner.h"

#include <fmt/format.h>

#include "features/step_reader.h"

namespace slipway::features {
namespace {

constexpr size_t kMaxTextBytes = size_t{256} << 20;

}  // namespace

CategoryLearner::CategoryLearner(std::span<const Input> inputs, int64_t limit) : limit_(limit) {
  for (const Input& input : inputs) vocabularies_.push_back({input.name, input.slot, CategoryIndex(input.type)});
}

base::Result<int64_t> CategoryLearner::Number(size_t input, const Frame& frame, int64_t row) {
  LearnedVocabulary& vocabulary = vocabularies_[input];
  const int64_t id = vocabulary.index.FindOrAdd(frame.view(vocabulary.slot), row);
  if (id == CategoryIndex::kNull) ++vocabulary.nulls;
  if (vocabulary.index.size() > limit_ || vocabulary.index.text_bytes() > kMaxTextBytes) {
    return base::Fail(
        base::Code::kResourceExhausted, "features.vocabulary_limit",
        fmt::format("\"{}\" has more than {} distinct values or {} MiB of them; it looks like an identifier: leave it "
                    "out, or use a hash step",
                    vocabulary.name, limit_, kMaxTextBytes >> 20));
  }
  return id;
}

base::Result<void> CategoryCounter::Add(const Frame& frame, const double*) {
  for (size_t i = 0; i < counts_.size(); ++i) {
    std::vector<int64_t>& counts = counts_[i];
    for (int64_t r = 0; r < frame.rows; ++r) {
      SLIPWAY_ASSIGN(const int64_t id, Number(i, frame, r));
      if (id < 0) continue;
      if (id == static_cast<int64_t>(counts.size())) counts.push_back(0);
      ++counts[static_cast<size_t>(id)];
    }
  }
  rows_ += frame.rows;
  return {};
}

void ReadCategories(LearnedReader& learned, const base::Value& entry, CategoryIndex& index) {
  const base::Value* keys = entry.Find("categories");
  if (keys == nullptr || !keys->is_list()) return learned.Reject("inputs", "has no list of categories");
  for (const base::Value& key : keys->list()) {
    if (!index.AddKey(key)) return learned.Reject("inputs", "has a category of the wrong type or twice");
  }
}

}  // namespace slipway::features

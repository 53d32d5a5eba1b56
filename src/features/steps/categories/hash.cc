// hash: categories to a fixed number of buckets, without a vocabulary. Twin with function: murmur3: FeatureHasher.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "features/learn/murmur.h"
#include "features/steps/categories/category_map.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using data::ScalarType;

// A category as text: texts as they are, the rest in its shortest decimal form.
class CategoryText {
 public:
  /// False when the value is null or NaN.
  bool Read(const data::ColumnView& view, int64_t row) {
    if (!view.IsValid(row)) return false;
    switch (view.type) {
      case ScalarType::kString:
        text_ = view.string(row);
        return true;
      case ScalarType::kBoolean:
        text_ = view.booleans()[row] != 0 ? "true" : "false";
        return true;
      case ScalarType::kInteger:
      case ScalarType::kTimestamp:
        return Write(view.integers()[row]);
      case ScalarType::kNumber:
        return !std::isnan(view.numbers()[row]) && Write(view.numbers()[row] == 0 ? 0.0 : view.numbers()[row]);
    }
    return false;
  }
  std::string_view text() const { return text_; }

 private:
  template <typename T>
  bool Write(T value) {
    text_ = std::string_view(
        buffer_, static_cast<size_t>(std::to_chars(buffer_, buffer_ + sizeof buffer_, value).ptr - buffer_));
    return true;
  }
  char buffer_[32];
  std::string_view text_;
};

struct Hashing {
  int64_t buckets;
  uint64_t seed;
  bool murmur, is_signed;

  struct Place {
    int64_t bucket;
    double value;
  };
  // The n-th input has its own seed, so that "1" of one is not "1" of the other.
  Place Of(std::string_view text, uint64_t input) const {
    if (murmur) {
      const int32_t hash = Murmur3(text, static_cast<uint32_t>(seed + input));
      return {MurmurBucket(hash, buckets), is_signed && hash < 0 ? -1.0 : 1.0};
    }
    const uint64_t hash = base::Xxh64(text, seed + input);
    return {static_cast<int64_t>(hash % static_cast<uint64_t>(buckets)), is_signed && hash >> 63 != 0 ? -1.0 : 1.0};
  }
};

class HashKernel final : public Kernel {
 public:
  HashKernel(std::span<const Input> inputs, int out, Hashing hashing, bool index)
      : out_(out), hashing_(hashing), index_(index) {
    for (const Input& input : inputs) slots_.push_back(input.slot);
  }

  void Run(Frame& frame) const override {
    const int64_t width = index_ ? static_cast<int64_t>(slots_.size()) : hashing_.buckets;
    double* out = frame.block(out_);
    std::fill_n(out, frame.rows * width, index_ ? std::numeric_limits<double>::quiet_NaN() : 0.0);
    CategoryText category;
    for (size_t i = 0; i < slots_.size(); ++i) {
      const data::ColumnView& view = frame.view(slots_[i]);
      for (int64_t r = 0; r < frame.rows; ++r) {
        if (!category.Read(view, r)) continue;
        const Hashing::Place place = hashing_.Of(category.text(), i);
        if (index_) out[r * width + static_cast<int64_t>(i)] = static_cast<double>(place.bucket);
        if (!index_) out[r * width + place.bucket] += place.value;
      }
    }
  }

 private:
  std::vector<int> slots_;
  int out_;
  Hashing hashing_;
  bool index_;
};

class Hash final : public CategoryStep {
 public:
  explicit Hash(StepReader& reader)
      : CategoryStep(reader.Inputs()), index_(reader.Choice("output", {"columns", "index"}) == "index") {
    hashing_.buckets = reader.Integer("buckets", 0, 1, index_ ? int64_t{1} << 31 : kMaxWidth);
    if (hashing_.buckets == 0) reader.Reject("buckets", "hash: `buckets` is missing; write e.g. buckets: 64");
    hashing_.seed = static_cast<uint64_t>(reader.Integer("seed", 0, 0, INT32_MAX));
    hashing_.murmur = reader.Choice("function", {"xxhash64", "murmur3"}) == "murmur3";
    hashing_.is_signed = reader.Boolean("signed", false);
    if (index_ && hashing_.is_signed)
      reader.Reject("signed", "hash: a bucket's number has no sign; `signed` goes with output: columns");
  }

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_ASSIGN(Shape shape, CategoryStep::Check(inputs, visible));
    if (!index_) shape.width = hashing_.buckets;
    return shape;
  }

  Result<void> Compile(StepPlan& plan) const override {
    std::vector<std::string> suffixes;
    if (index_) suffixes = InputSuffixes(plan);
    for (int64_t i = 0; !index_ && hashing_.buckets > 1 && i < hashing_.buckets; ++i)
      suffixes.push_back(fmt::format(".{}", i));
    const int slot = plan.AddBlock(static_cast<int64_t>(std::max<size_t>(suffixes.size(), 1)));
    plan.AddKernel(std::make_unique<HashKernel>(plan.inputs(), slot, hashing_, index_));
    plan.Yield(slot, ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  bool index_;
  Hashing hashing_{};
};

}  // namespace

ParsedStep ParseHash(StepReader& reader) {
  return std::make_unique<Hash>(reader);
}

}  // namespace slipway::features

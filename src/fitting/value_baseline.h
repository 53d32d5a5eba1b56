#pragma once
// ValueBaseline: the reference distribution of one column or feature.

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/value.h"
#include "data/column.h"
#include "data/type.h"
#include "features/pipeline.h"
#include "fitting/number_distribution.h"
#include "fitting/text_distribution.h"
#include "fitting/wide_distribution.h"

namespace slipway::fitting {

/// Elements of one vector that are described one by one, and of all of a table's.
inline constexpr int64_t kDescribedElements = 64;
inline constexpr int64_t kDescribedElementsInAll = 4096;

/// What is described, and how.
struct BaselineSubject {
  enum class Kind : uint8_t { kCounted, kNumber, kElements, kWide, kText };

  std::string name;
  data::DataType type;
  std::vector<std::string> elements;  ///< their names; of kElements only
  Kind kind = Kind::kCounted;

  /// `elements_left`: how many may still be described one by one; taken from.
  static BaselineSubject Of(const data::Field& column, int64_t& elements_left);
  static BaselineSubject Of(const features::Feature& feature, int64_t& elements_left);

  int64_t distributions() const;  ///< NumberDistributions it takes
};

/// Personal texts are counted, not described. Thread-safety: one thread.
class ValueBaseline {
 public:
  ValueBaseline(BaselineSubject subject, SketchSize size);

  const std::string& name() const { return subject_.name; }
  void Add(const data::ColumnView& view, int64_t row);
  void AddNull() { ++rows_, ++nulls_; }
  base::Value ToValue();

 private:
  std::span<const double> Elements(const data::ColumnView& view, int64_t row);

  BaselineSubject subject_;
  int64_t rows_ = 0, nulls_ = 0;
  std::variant<std::monostate, NumberDistribution, std::vector<NumberDistribution>, WideDistribution, TextDistribution>
      described_;
  std::vector<double> elements_;  ///< of a row, as numbers
};

}  // namespace slipway::fitting

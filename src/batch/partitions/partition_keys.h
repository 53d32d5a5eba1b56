#pragma once
// PartitionKeys says into which folders the rows of a job go (--partition-by).

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/answer_form.h"
#include "batch/carried_columns.h"
#include "batch/partitions/path_columns.h"
#include "scoring/scorer.h"

namespace slipway::batch {

/// Columns of the input, of the model's answers, `model` and `version`. Immutable; const access from any thread.
class PartitionKeys {
 public:
  /// Whether a column is one of the input, so that it has to be carried along; the others are the model's.
  static bool IsOfInput(std::string_view name, const scoring::Scorer& scorer, bool name_model);

  /// `carried` has all columns of the input among `names`. A column that the paths of all files say is taken as they
  /// say it, whatever its type. Error: invalid_argument "batch.partition_by" for one that is no text, whole number,
  /// truth value or time.
  static base::Result<PartitionKeys> Create(const std::vector<std::string>& names, const scoring::Scorer& scorer,
                                            const CarriedColumns& carried, const std::vector<PathColumns>& paths);

  /// The folder of a row, "year=2026/month=11". `path`: of its file.
  std::string FolderOf(const ScoredRows& batch, const PathColumns& path, int64_t row) const;

 private:
  enum class From : uint8_t { kCarried, kAnswer, kAllRows };
  struct Key {
    std::string name;
    From from;
    size_t column;      ///< in the table it comes from
    std::string value;  ///< of all rows
  };
  std::vector<Key> keys_;
};

}  // namespace slipway::batch

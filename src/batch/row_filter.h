#pragma once
// RowFilter chooses which rows of the input are scored: those for which an expression is true, and of them a sample.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "data/layout.h"
#include "expr/program.h"

namespace slipway::batch {

/// The choice depends on a row's values, on its number within its file and on the file's place in the list alone: it is
/// the same for any number of threads, and for a job that goes on. A row in which a value that the expression needs is
/// broken is kept, so that it is rejected with its fault and not lost. Immutable; const access from any thread.
class RowFilter {
 public:
  /// `where`: an expression over the layout's fields (docs/expressions.md); empty: all rows. `sample`: share of the
  /// rows. Errors: those of expr::Program, "expr.type" when it is no condition; `where` of the error is "--where".
  static base::Result<RowFilter> Create(const std::string& where, double sample, const data::Layout& layout);

  /// The fields that the expression reads.
  std::vector<std::string> Names() const;

  /// Drops rows from `rows`, the first of which has the number `first_row` in its file, and writes the numbers of those
  /// that are left. Returns how many were dropped.
  int64_t Apply(int64_t file, int64_t first_row, data::Decoded& rows, std::vector<int64_t>& numbers,
                expr::Workspace& workspace) const;

 private:
  RowFilter(std::optional<expr::Program> where, double sample, const data::Layout& layout);
  void DropUnless(data::Decoded& rows, std::vector<uint8_t>& kept, expr::Workspace& workspace) const;

  std::optional<expr::Program> where_;
  double sample_;
  std::vector<std::string> names_;  ///< of the layout
};

}  // namespace slipway::batch

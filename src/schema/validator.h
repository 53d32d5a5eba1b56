#pragma once
// Validator checks decoded rows against a schema and repairs what its policies allow. The same call stands behind every
// door, so all doors agree.
//
//   data::Decoded rows(validator.layout());
//   decoder.DecodeDocument(text, rows);
//   validator.Check(rows, report, workspace);   // rows.table is repaired, report says which rows cannot be taken and
//   why

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/decoded.h"
#include "schema/schema.h"

namespace slipway::schema {

/// The verdict on the rows of one Decoded. Reused: Clear() keeps memory.
struct Report {
  /// Of rejected rows: every one of them, the decoder's too. Sorted by row, then field (-1, the row as a whole, first),
  /// then code.
  std::vector<data::Violation> violations;
  /// Of rows that pass, sorted likewise: what was clamped, imputed, nulled or replaced because it broke a rule, or only
  /// reported (`warn`). Imputing what is merely missing is no warning.
  std::vector<data::Violation> warnings;
  std::vector<uint8_t> rejected;  ///< per row
  int64_t rejected_rows = 0;
  /// Violations and warnings left out because of kMaxDescribed.
  int64_t left_out = 0;

  void Clear();
};

/// Violations described in one Check, and warnings likewise, so that a large batch of broken rows cannot exhaust
/// memory. Rows rejected past it still carry one violation each.
inline constexpr size_t kMaxDescribed = 65536;
/// Elements described in one tensor; the others are judged all the same.
inline constexpr int kMaxDescribedElements = 10;

struct CheckOptions {
  bool collect_warnings = true;  ///< false: rows are repaired the same, Report::warnings stays empty
};

/// Working memory of Check(); one per thread.
class ValidatorWorkspace {
 public:
  ValidatorWorkspace();
  ~ValidatorWorkspace();
  ValidatorWorkspace(ValidatorWorkspace&&) noexcept;
  ValidatorWorkspace& operator=(ValidatorWorkspace&&) noexcept;

 private:
  friend class Validator;
  struct State;
  std::unique_ptr<State> state_;
};

/// Immutable; Check() from any number of threads. Allocates nothing in steady state for rows without violations.
class Validator {
 public:
  /// `fitted`: what fit learned for imputing, {"<column>": value, …}, or null. Errors: those of ParseSchema (for
  /// schemas made by programs), a pattern RE2 refuses, a rule that does not compile or is no boolean;
  /// "schema.not_fitted" for `impute` with neither default nor fitted value.
  static base::Result<Validator> Create(Schema schema, const base::Value& fitted = {});
  Validator(Validator&&) noexcept;
  Validator& operator=(Validator&&) noexcept;
  ~Validator();

  const Schema& schema() const;
  const data::Layout& layout() const;

  /// Judges every row of `rows` (decoded with layout()) and repairs the table in place. A row's verdict and repairs do
  /// not depend on the other rows. What a rejected row holds afterwards is for showing only: some of its cells may have
  /// been repaired.
  ///
  /// A value is judged by all rules of its column; `missing` decides on nulls and absent fields, `on_violation` on
  /// everything else, values of a wrong type included. A row's cross-field rules are judged on the repaired values, and
  /// only where no column they use has a violation.
  void Check(data::Decoded& rows, Report& report, ValidatorWorkspace& workspace, CheckOptions options = {}) const;

 private:
  struct Plan;
  explicit Validator(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

}  // namespace slipway::schema

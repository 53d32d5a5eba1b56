#pragma once
// Validator checks decoded rows against a schema and repairs what its policies allow. The same call stands behind every
// door, so all doors agree.

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
  std::vector<data::Violation> violations;  ///< of rejected rows: every one of them, sorted by row, then field
  std::vector<data::Violation> warnings;    ///< of rows that pass: what was repaired or only reported
  std::vector<uint8_t> rejected;            ///< per row
  int64_t rejected_rows = 0;

  void Clear();
};

/// Working memory of Check(); one per thread.
class ValidatorWorkspace {
 public:
  ValidatorWorkspace();
  ~ValidatorWorkspace();
  ValidatorWorkspace(ValidatorWorkspace&&) noexcept;

 private:
  friend class Validator;
  struct State;
  std::unique_ptr<State> state_;
};

/// Immutable; Check() from any number of threads. Allocates nothing in steady state for rows without violations.
class Validator {
 public:
  /// `fitted`: what fit learned for imputing, {"<column>": value, …}, or null. Errors: a pattern RE2 refuses, a rule
  /// that does not compile, a bound or default that does not fit the type, `impute` with neither default nor fit.
  static base::Result<Validator> Create(Schema schema, const base::Value& fitted = {});
  Validator(Validator&&) noexcept;
  Validator& operator=(Validator&&) noexcept;
  ~Validator();

  const Schema& schema() const;
  const data::Layout& layout() const;

  /// Judges every row of `rows` (decoded with layout()) and repairs the table in place. Rejected rows keep their values.
  void Check(data::Decoded& rows, Report& report, ValidatorWorkspace& workspace) const;

 private:
  struct Plan;
  explicit Validator(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

}  // namespace slipway::schema

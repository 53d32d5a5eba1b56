#pragma once
// TableCheck: one Check() of a table. Goes over the columns, lets ColumnPlan judge the values and applies the policies.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/decoded.h"
#include "expr/program.h"
#include "schema/column_plan.h"
#include "schema/validator.h"
#include "schema/wording.h"

namespace slipway::schema {

/// A compiled cross-field rule.
struct RulePlan {
  CrossFieldRule rule;
  expr::Program program;
};

/// Memory kept from check to check.
struct CheckMemory {
  struct Repair {
    int64_t row;
    Outcome outcome;
  };
  std::vector<uint64_t> bad_cells;      ///< field << 40 | row of cells the decoder could not take, sorted
  std::vector<uint8_t> malformed;       ///< per row; empty when none is
  std::vector<Repair> repairs;          ///< of the string or variable column at hand, ascending
  std::vector<data::ColumnView> views;  ///< for the rules
  expr::Workspace expressions;
};

/// Lives for one call.
class TableCheck {
 public:
  TableCheck(std::span<const ColumnPlan> columns, data::Decoded& rows, Report& report, CheckMemory& memory,
             CheckOptions options);

  void CheckColumns();
  void CheckRules(std::span<const RulePlan> rules);
  /// Sorts the report and drops the warnings of rejected rows.
  void Finish();

 private:
  /// A value in the table: element `element` of the column's values, in row `row`.
  struct Site {
    int field;
    int64_t row;
    int64_t element;
  };

  void TakeDecoderViolations();
  void CheckColumn(int field);
  template <typename JudgeRow>
  void WalkScalars(int field, bool look_at_nulls, const JudgeRow& judge);
  void WalkTensors(int field, bool look_at_nulls);
  void SettleNull(int field, int64_t row);
  void SettleScalar(int field, int64_t row, Faults faults);
  template <typename T>
  void SettleTensor(int field, int64_t row, const T* values, int64_t begin, int64_t end);

  const ColumnPlan& plan(int field) const { return columns_[static_cast<size_t>(field)]; }
  data::Column& column(int field) { return rows_.table.columns[static_cast<size_t>(field)]; }
  bool IsMalformed(int64_t row) const {
    return !memory_.malformed.empty() && memory_.malformed[static_cast<size_t>(row)];
  }
  bool IsBadCell(int field, int64_t row) const;
  bool UsesViolatedColumn(const RulePlan& rule, int64_t row) const;

  /// Marks the row rejected; whether this violation is to be described.
  bool MayDescribe(int64_t row);
  bool MayWarn();
  /// Describes each fault of a value, as violations or as warnings by outcome.
  void Describe(const Site& site, Faults faults, Outcome outcome);

  /// Changes a cell: at once where that is cheap, else noted in memory_.repairs for ApplyRepairs.
  void Repair(int field, int64_t row, Outcome outcome);
  void ApplyRepairs(int field);

  std::span<const ColumnPlan> columns_;
  data::Decoded& rows_;
  Report& report_;
  CheckMemory& memory_;
  CheckOptions options_;
};

}  // namespace slipway::schema

#pragma once
// Program is a compiled expression of the manifest's small typed language, e.g. `hour(sched_dep) >= 18 and distance >
// 500`. It is parsed and type-checked once, at load; evaluation runs column kernels over whole batches, never a tree
// per row. Grammar, functions, null rules: docs/expressions.md.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/type.h"

namespace slipway::expr {

/// A name an expression may use. Tensors of fixed width are indexed: `probabilities[1]`; a labelled vector also by
/// label: `probabilities["late"]`.
struct Symbol {
  std::string name;
  data::DataType type;
  int zone_minutes = 0;             ///< for timestamps: local time of hour(), date parts
  std::vector<std::string> labels;  ///< of a fixed vector's elements
};

/// Bounds on the text of one expression; exceeding one is an error at load.
struct ProgramLimits {
  size_t bytes = 16384;
  int depth = 64;
  int nodes = 4096;
};

/// Registers of one evaluation; reused from call to call, so that a warm workspace allocates nothing.
/// Thread-safety: one thread at a time.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

 private:
  friend class Program;
  struct State;
  std::unique_ptr<State> state_;
};

/// Immutable after Compile(); Evaluate() from any number of threads, each with its own Workspace.
class Program {
 public:
  /// Errors: "expr.syntax", "expr.type", "expr.unknown_name", "expr.limit"; the message shows the expression with a
  /// caret under the fault and names the nearest known column or function; `where` is left to the caller.
  static base::Result<Program> Compile(std::string_view text, std::span<const Symbol> symbols,
                                       const ProgramLimits& limits = {});
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  /// Type of the result (scalar).
  data::ScalarType type() const;
  /// Symbols used, as indices into the span given to Compile(), ascending.
  const std::vector<int>& inputs() const;
  const std::string& text() const;

  /// Evaluates over `rows` rows. `columns[i]` is the view of symbol i; those not in inputs() may be empty views.
  /// The result lives in the workspace until its next Evaluate(). Arithmetic follows IEEE 754; a null operand makes the
  /// result null, except in `and`/`or` (three-valued), `coalesce`, `is_null` and the untaken arm of a conditional.
  /// The same row gives the same bits in any batch.
  data::ColumnView Evaluate(std::span<const data::ColumnView> columns, int64_t rows, Workspace& workspace) const;

 private:
  struct Code;
  explicit Program(std::unique_ptr<const Code> code);
  std::unique_ptr<const Code> code_;
};

}  // namespace slipway::expr

#pragma once
// CompiledPlan is the outline turned into a flat list of kernels over slots fixed at compile time. Pipeline runs it for
// serving; Fitter runs a part of it, so that learners read features through the very same kernels.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "features/outline.h"
#include "features/pipeline.h"
#include "features/step.h"

namespace slipway::features {

/// Memory of runs; adapts itself to the plan and the number of rows. One thread at a time.
struct RunMemory {
  uint64_t plan_id = 0;
  int64_t rows = -1;
  std::vector<double> arena;
  std::vector<uint64_t> mask_words;
  std::vector<data::ColumnView> views;
  std::vector<const double*> streams;
  std::vector<double*> scratch;
  std::vector<uint64_t*> masks;
  std::vector<data::Column> columns;
  std::vector<ProgramMemory> programs;
  std::vector<TextMemory> text_memory;
};

/// Immutable once built.
class CompiledPlan {
 public:
  CompiledPlan();
  /// Runs all kernels; the frame stays good until the next run with this memory.
  Frame Run(std::span<const data::ColumnView> columns, int64_t rows, int64_t first_row, bool training,
            RunMemory& memory) const;

  std::vector<Feature> features;
  std::vector<int> feature_slots;
  bool has_training_path = false;

 private:
  friend class PlanBuilder;
  struct Block {
    int slot;
    int64_t width;
    int stream;  ///< the stream that is this block; -1 when none reads it directly
  };

  void Adopt(RunMemory& memory) const;
  void Arrange(int64_t rows, RunMemory& memory) const;

  uint64_t id_;
  size_t columns_ = 0;
  size_t slots_ = 0;
  std::vector<Block> blocks_;
  std::vector<int> scratch_streams_;  ///< streams that may need memory of their own
  size_t streams_ = 0;
  size_t masks_ = 0;
  std::vector<data::ScalarType> kept_columns_;
  std::vector<size_t> programs_;  ///< inputs of each
  size_t text_memories_ = 0;
  int64_t arena_width_ = 0;
  std::vector<std::unique_ptr<Kernel>> kernels_;
};

struct StepLearner {
  size_t step;
  std::unique_ptr<Learner> learner;
};

/// Compiles every step. Errors as Pipeline::Compile.
base::Result<CompiledPlan> BuildPlan(const Outline& outline, const base::Value& fitted);

/// Compiles what the learners of one pass need, and makes those learners. `fitted`: what earlier passes learned.
base::Result<CompiledPlan> BuildFitPlan(const Outline& outline, const base::Value& fitted, int pass,
                                        const FitOptions& options, std::vector<StepLearner>& learners);

}  // namespace slipway::features

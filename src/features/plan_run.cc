#include <algorithm>
#include <atomic>

#include "features/plan.h"

namespace slipway::features {
namespace {

uint64_t NextPlanId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

CompiledPlan::CompiledPlan() : id_(NextPlanId()) {}

void CompiledPlan::Adopt(RunMemory& memory) const {
  memory.plan_id = id_;
  memory.rows = -1;
  memory.views.assign(slots_, {});
  memory.streams.assign(streams_, nullptr);
  memory.scratch.assign(streams_, nullptr);
  memory.masks.assign(masks_, nullptr);
  memory.columns.clear();
  for (const data::ScalarType type : kept_columns_) memory.columns.emplace_back(data::DataType{type, {}});
  memory.programs.clear();
  memory.programs.resize(programs_.size());
  for (size_t i = 0; i < programs_.size(); ++i) memory.programs[i].inputs.resize(programs_[i]);
  memory.text_memory.clear();
  memory.text_memory.resize(text_memories_);
}

void CompiledPlan::Arrange(int64_t rows, RunMemory& memory) const {
  memory.rows = rows;
  const size_t needed = static_cast<size_t>(arena_width_ * rows);
  if (memory.arena.size() < needed) memory.arena.resize(needed);
  double* next = memory.arena.data();
  for (const Block& block : blocks_) {
    memory.views[static_cast<size_t>(block.slot)] = {
        .type = data::ScalarType::kNumber, .rows = rows, .width = block.width, .values = next};
    if (block.stream >= 0) memory.streams[static_cast<size_t>(block.stream)] = next;
    next += block.width * rows;
  }
  for (const int stream : scratch_streams_) {
    memory.scratch[static_cast<size_t>(stream)] = next;
    next += rows;
  }
  const size_t words = static_cast<size_t>((rows + 63) / 64);
  if (memory.mask_words.size() < words * masks_) memory.mask_words.resize(words * masks_);
  for (size_t i = 0; i < masks_; ++i) memory.masks[i] = memory.mask_words.data() + i * words;
}

Frame CompiledPlan::Run(std::span<const data::ColumnView> columns, int64_t rows, int64_t first_row, bool training,
                        RunMemory& memory) const {
  if (memory.plan_id != id_) Adopt(memory);
  if (memory.rows != rows) Arrange(rows, memory);
  std::copy_n(columns.begin(), std::min(columns.size(), columns_), memory.views.begin());
  Frame frame{.rows = rows,
              .first_row = first_row,
              .training = training,
              .views = memory.views.data(),
              .streams = memory.streams.data(),
              .scratch = memory.scratch.data(),
              .masks = memory.masks.data(),
              .columns = memory.columns.data(),
              .programs = memory.programs.data(),
              .text_memory = memory.text_memory.data()};
  for (const auto& kernel : kernels_) kernel->Run(frame);
  return frame;
}

}  // namespace slipway::features

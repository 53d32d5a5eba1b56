#include "expr/plan.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "expr/checker.h"

namespace slipway::expr {
namespace {

constexpr uint8_t kNull = 0;

/// Removes the steps that the result does not depend on, e.g. those of `slow(x) + null`.
void DropUnread(Plan& plan) {
  const size_t first = plan.first_step();
  std::vector<bool> read(plan.steps.size(), false);
  if (plan.result >= first) read[plan.result - first] = true;
  for (size_t i = plan.steps.size(); i-- > 0;) {
    if (!read[i]) continue;
    const Step& step = plan.steps[i];
    for (uint32_t a = 0; a < step.arg_count; ++a) {
      const uint32_t slot = plan.args[step.first_arg + a];
      if (slot >= first) read[slot - first] = true;
    }
  }
  std::vector<uint32_t> moved(plan.steps.size());
  std::vector<Step> kept;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    moved[i] = static_cast<uint32_t>(first + kept.size());
    if (read[i]) kept.push_back(std::move(plan.steps[i]));
  }
  plan.steps = std::move(kept);
  for (uint32_t& slot : plan.args) slot = slot >= first ? moved[slot - first] : slot;
  if (plan.result >= first) plan.result = moved[plan.result - first];
}

/// A step's buffer is free again after the last step that reads it.
void AssignBuffers(Plan& plan) {
  const size_t first = plan.first_step();
  std::vector<size_t> last_read(plan.steps.size(), 0);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    for (uint32_t a = 0; a < plan.steps[i].arg_count; ++a) {
      const uint32_t slot = plan.args[plan.steps[i].first_arg + a];
      if (slot >= first) last_read[slot - first] = i;
    }
  }
  if (plan.result >= first) last_read[plan.result - first] = std::numeric_limits<size_t>::max();
  std::vector<uint32_t> free_buffers;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    Step& step = plan.steps[i];
    const uint8_t bytes = ElementBytes(step.type);
    const auto fits = [&](uint32_t buffer) { return plan.buffers[buffer] == bytes; };
    const auto found = std::find_if(free_buffers.rbegin(), free_buffers.rend(), fits);
    if (found == free_buffers.rend()) {
      step.buffer = static_cast<uint32_t>(plan.buffers.size());
      plan.buffers.push_back(bytes);
    } else {
      step.buffer = *found;
      free_buffers.erase(std::next(found).base());
    }
    for (uint32_t a = 0; a < step.arg_count; ++a) {
      const uint32_t slot = plan.args[step.first_arg + a];
      if (slot < first || last_read[slot - first] != i) continue;
      last_read[slot - first] = 0;  // once, even when read twice by this step
      free_buffers.push_back(plan.steps[slot - first].buffer);
    }
  }
}

}  // namespace

Operand ConstantOperand(const Constant& constant, const std::string_view& text) {
  Operand operand{.values = nullptr, .valid = constant.valid ? nullptr : &kNull, .stride = 0};
  switch (constant.type) {
    case data::ScalarType::kBoolean:
      operand.values = &constant.boolean;
      break;
    case data::ScalarType::kNumber:
      operand.values = &constant.number;
      break;
    case data::ScalarType::kString:
      operand.values = &text;
      break;
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      operand.values = &constant.integer;
      break;
  }
  return operand;
}

void Seal(Plan& plan) {
  static std::atomic<uint64_t> next_id{1};
  plan.id = next_id.fetch_add(1, std::memory_order_relaxed);
  DropUnread(plan);
  AssignBuffers(plan);
  for (const Constant& constant : plan.constants) plan.constant_texts.emplace_back(constant.text);
}

}  // namespace slipway::expr

#include "expr/registers.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace slipway::expr {
namespace {

using data::ScalarType;

constexpr uint64_t kEightOnes = 0x0101010101010101;
constexpr size_t kMostResultBytes = std::numeric_limits<int32_t>::max();

size_t RoundUp(size_t bytes) {
  return (bytes + 7) / 8 * 8;
}

// Masks are bytes in memory rounded up to whole words, so that they are handled eight rows at a time.
void FillOnes(uint8_t* mask, int64_t rows) {
  std::memset(mask, 1, static_cast<size_t>(rows));
}

bool AllOnes(const uint8_t* mask, int64_t rows) {
  int64_t row = 0;
  for (; row + 8 <= rows; row += 8) {
    uint64_t word;
    std::memcpy(&word, mask + row, 8);
    if (word != kEightOnes) return false;
  }
  for (; row < rows; ++row) {
    if (mask[row] == 0) return false;
  }
  return true;
}

void And(const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t rows) {
  int64_t row = 0;
  for (; row + 8 <= rows; row += 8) {
    uint64_t left, right;
    std::memcpy(&left, a + row, 8);
    std::memcpy(&right, b + row, 8);
    left &= right;
    std::memcpy(out + row, &left, 8);
  }
  for (; row < rows; ++row) out[row] = a[row] & b[row];
}

// Bits of rows [first, first + rows) to bytes; false when all are set. `first` is a multiple of 64.
bool ExpandNulls(const uint64_t* bits, int64_t first, int64_t rows, uint8_t* mask) {
  bool nulls = false;
  for (int64_t row = 0; row < rows; row += 64) {
    const uint64_t word = bits[(first + row) >> 6];
    const int64_t count = std::min<int64_t>(64, rows - row);
    const uint64_t wanted = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    if ((word & wanted) == wanted) {
      FillOnes(mask + row, count);
      continue;
    }
    nulls = true;
    for (int64_t i = 0; i < count; ++i) mask[row + i] = word >> i & 1;
  }
  return nulls;
}

}  // namespace

void Registers::Bind(const Plan& plan, int64_t capacity) {
  if (plan_id_ == plan.id && capacity <= capacity_) return;
  capacity_ = std::max(capacity, capacity_);
  plan_id_ = plan.id;
  BindBuffers(plan);
}

void Registers::BindBuffers(const Plan& plan) {
  const auto rows = static_cast<size_t>(capacity_);
  mask_bytes_ = RoundUp(rows);
  size_t bytes = plan.slots() * mask_bytes_;
  for (const uint8_t element : plan.buffers) bytes += RoundUp(element * rows);
  for (const ColumnUse& use : plan.columns)
    bytes += use.type == ScalarType::kString ? rows * sizeof(std::string_view) : 0;
  if (memory_.size() * 8 < bytes) memory_.resize(bytes / 8);
  auto* next = reinterpret_cast<uint8_t*>(memory_.data());
  const auto take = [&](size_t wanted) { return std::exchange(next, next + RoundUp(wanted)); };

  texts_.assign(plan.columns.size(), nullptr);
  tensors_.assign(plan.columns.size(), {});
  slots_.assign(plan.slots(), {});
  outputs_.resize(plan.steps.size());
  for (size_t i = 0; i < plan.constants.size(); ++i) {
    slots_[i] = ConstantOperand(plan.constants[i], plan.constant_texts[i]);
  }
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].type != ScalarType::kString) continue;
    texts_[i] = reinterpret_cast<std::string_view*>(take(rows * sizeof(std::string_view)));
  }
  buffers_.clear();
  for (const uint8_t element : plan.buffers) buffers_.push_back(take(element * rows));
  for (size_t i = 0; i < plan.steps.size(); ++i) outputs_[i] = buffers_[plan.steps[i].buffer];
  masks_ = next;
}

void Registers::LoadColumn(const Plan& plan, size_t index, const data::ColumnView& view, int64_t first_row,
                           int64_t rows) {
  const ColumnUse& use = plan.columns[index];
  Operand& operand = slots_[plan.first_column() + index];
  uint8_t* mask = MaskOf(plan.first_column() + index);
  operand.valid = view.validity != nullptr && ExpandNulls(view.validity, first_row, rows, mask) ? mask : nullptr;
  if (use.tensor) {
    tensors_[index] = {&view, first_row};
    operand.values = &tensors_[index];
  } else if (use.type == ScalarType::kString) {
    std::string_view* texts = texts_[index];
    for (int64_t row = 0; row < rows; ++row) texts[row] = view.string(first_row + row);
    operand.values = texts;
  } else if (use.type == ScalarType::kBoolean) {
    operand.values = view.booleans() + first_row;
  } else {
    operand.values = view.integers() + first_row;  // a number takes as many bytes
  }
}

void Registers::RunStep(const Step& step, size_t slot, const Plan& plan, int64_t rows) {
  const uint32_t* args = plan.args.data() + step.first_arg;
  Operand& result = slots_[slot];
  uint8_t* own = MaskOf(slot);
  Call call{.slots = slots_.data(),
            .args = args,
            .arg_count = step.arg_count,
            .rows = rows,
            .out = outputs_[slot - plan.first_step()],
            .mask = nullptr,
            .valid = own,
            .binding = &step.binding,
            .scratch = &scratch_};
  result.values = call.out;
  if (step.nulls == Nulls::kOwn) {
    step.kernel(call);
    result.valid = AllOnes(own, rows) ? nullptr : own;
    return;
  }
  for (uint32_t i = 0; i < step.arg_count; ++i) {
    const uint8_t* valid = slots_[args[i]].valid;
    if (valid == nullptr || valid == call.mask) continue;
    if (call.mask == nullptr) {
      call.mask = valid;
    } else {
      And(call.mask, valid, own, rows);
      call.mask = own;
    }
  }
  if (step.nulls == Nulls::kStrict) {
    step.kernel(call);
    result.valid = call.mask;
    return;
  }
  if (call.mask == nullptr) {
    FillOnes(own, rows);
  } else if (call.mask != own) {
    std::memcpy(own, call.mask, static_cast<size_t>(rows));
  }
  step.kernel(call);
  result.valid = AllOnes(own, rows) ? nullptr : own;
}

data::ColumnView Registers::Run(const Plan& plan, std::span<const data::ColumnView> columns, int64_t rows) {
  const int64_t block = plan.makes_text ? kTextBlockRows : kBlockRows;
  Bind(plan, std::min(rows, block));
  const size_t bytes = plan.type == ScalarType::kString ? 0 : static_cast<size_t>(rows) * ElementBytes(plan.type);
  if (values_.size() * 8 < bytes) values_.resize((bytes + 7) / 8);
  has_nulls_ = false;
  offsets_.assign(1, 0);
  bytes_.clear();
  for (int64_t first_row = 0; first_row < rows; first_row += block) {
    const int64_t count = std::min(block, rows - first_row);
    if (plan.makes_text) scratch_.Reset();
    for (size_t i = 0; i < plan.columns.size(); ++i) {
      LoadColumn(plan, i, columns[static_cast<size_t>(plan.columns[i].symbol)], first_row, count);
    }
    const size_t first_step = plan.first_step();
    for (size_t i = 0; i < plan.steps.size(); ++i) RunStep(plan.steps[i], first_step + i, plan, count);
    const Operand& result = slots_[plan.result];
    StoreValidity(result, first_row, count);
    StoreValues(plan, result, first_row, count);
  }
  data::ColumnView view{.type = plan.type, .rows = rows, .values = values_.data()};
  if (plan.type == ScalarType::kString) {
    view.values = nullptr;
    view.offsets = offsets_.data();
    view.bytes = bytes_.data();
  }
  if (has_nulls_) view.validity = validity_.data();
  return view;
}

void Registers::StoreValidity(const Operand& result, int64_t first_row, int64_t rows) {
  const auto words = static_cast<size_t>(first_row + rows + 63) / 64;
  if (result.valid == nullptr && !has_nulls_) return;
  if (!has_nulls_) validity_.assign(words, ~uint64_t{0});
  validity_.resize(words, ~uint64_t{0});
  has_nulls_ = true;
  if (result.valid == nullptr) return;
  for (int64_t row = 0; row < rows; ++row) {
    if (!result.IsValid(row)) SetNull(first_row + row);
  }
}

void Registers::SetNull(int64_t row) {
  validity_[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
}

template <typename T>
void Registers::CopyValues(const Operand& result, int64_t first_row, int64_t rows) {
  const auto* from = static_cast<const T*>(result.values);
  T* to = reinterpret_cast<T*>(values_.data()) + first_row;
  if (result.stride == 0) {
    std::fill_n(to, rows, *from);
  } else {
    std::copy_n(from, rows, to);
  }
  if (result.valid == nullptr) return;
  for (int64_t row = 0; row < rows; ++row) {
    if (!result.IsValid(row)) to[row] = T{};
  }
}

void Registers::StoreValues(const Plan& plan, const Operand& result, int64_t first_row, int64_t rows) {
  switch (plan.type) {
    case ScalarType::kBoolean:
      return CopyValues<uint8_t>(result, first_row, rows);
    case ScalarType::kNumber:
      return CopyValues<double>(result, first_row, rows);
    case ScalarType::kString:
      return StoreTexts(result, first_row, rows);
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      break;
  }
  CopyValues<int64_t>(result, first_row, rows);
}

void Registers::StoreTexts(const Operand& result, int64_t first_row, int64_t rows) {
  const Cells<std::string_view> texts(result);
  for (int64_t row = 0; row < rows; ++row) {
    const std::string_view text = result.IsValid(row) ? texts[row] : std::string_view();
    if (text.size() <= kMostResultBytes - bytes_.size()) {
      bytes_ += text;
    } else {  // offsets cannot tell where it would end
      if (!has_nulls_) validity_.assign(static_cast<size_t>(first_row + rows + 63) / 64, ~uint64_t{0});
      has_nulls_ = true;
      SetNull(first_row + row);
    }
    offsets_.push_back(static_cast<int32_t>(bytes_.size()));
  }
}

}  // namespace slipway::expr

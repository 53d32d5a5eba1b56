#pragma once
// Plan is what an expression compiles to: a flat list of kernel calls over numbered slots.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expr/constant.h"
#include "expr/kernel.h"

namespace slipway::expr {

/// One kernel call. It writes `buffer`, which later calls may take over once nobody reads the slot any more.
struct Step {
  Kernel kernel = nullptr;
  Nulls nulls = Nulls::kStrict;
  data::ScalarType type = data::ScalarType::kNumber;
  uint32_t first_arg = 0;  ///< in Plan::args
  uint32_t arg_count = 0;
  uint32_t buffer = 0;
  Binding binding;
};

struct ColumnUse {
  int symbol = 0;
  bool tensor = false;
  data::ScalarType type = data::ScalarType::kNumber;
};

/// Slots are numbered constants first, then columns, then steps. Immutable once built and not moved after that.
struct Plan {
  uint64_t id = 0;  ///< of no other plan in this process
  std::string text;
  data::ScalarType type = data::ScalarType::kNumber;
  std::vector<int> inputs;
  std::vector<Constant> constants;
  std::vector<std::string_view> constant_texts;  ///< views of constants[i].text
  std::vector<ColumnUse> columns;
  std::vector<Step> steps;
  std::vector<uint32_t> args;    ///< slots
  std::vector<uint8_t> buffers;  ///< bytes of an element of each
  uint32_t result = 0;           ///< slot
  bool makes_text = false;

  size_t first_column() const { return constants.size(); }
  size_t first_step() const { return constants.size() + columns.size(); }
  size_t slots() const { return first_step() + steps.size(); }
};

/// Bytes of an element in a register.
constexpr uint8_t ElementBytes(data::ScalarType type) {
  if (type == data::ScalarType::kBoolean) return sizeof(uint8_t);
  return type == data::ScalarType::kString ? sizeof(std::string_view) : sizeof(int64_t);
}

/// A constant as an operand. `text` is where its view is kept.
Operand ConstantOperand(const Constant& constant, const std::string_view& text);

}  // namespace slipway::expr

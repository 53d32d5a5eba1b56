#pragma once
// Constant is a value known when an expression is compiled: a literal, or what folding made of literals.

#include <cstdint>
#include <string>

#include "data/type.h"

namespace slipway::expr {

struct Constant {
  data::ScalarType type = data::ScalarType::kNumber;
  bool valid = true;     ///< false: null of that type
  bool untyped = false;  ///< the literal `null`, whose type its surroundings decide
  uint8_t boolean = 0;
  int64_t integer = 0;  ///< also timestamps, in microseconds
  double number = 0;
  std::string text;
};

}  // namespace slipway::expr

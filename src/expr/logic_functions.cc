// Choosing between values, and questions about nulls.

#include <algorithm>

#include "expr/functions.h"

namespace slipway::expr {
namespace {

using Text = std::string_view;

template <typename T>
void If(const Call& call) {
  const Cells<uint8_t> condition(call.arg(0));
  const Cells<T> then(call.arg(1));
  const Cells<T> otherwise(call.arg(2));
  auto* out = static_cast<T*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) out[row] = condition[row] != 0 ? then[row] : otherwise[row];
  if (call.arg(0).valid == nullptr && call.arg(1).valid == nullptr && call.arg(2).valid == nullptr) {
    std::fill_n(call.valid, call.rows, uint8_t{1});
    return;
  }
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool taken = condition[row] != 0;
    call.valid[row] = call.arg(0).IsValid(row) && call.arg(taken ? 1 : 2).IsValid(row);
  }
}

template <typename T>
void Coalesce(const Call& call) {
  auto* out = static_cast<T*>(call.out);
  const Cells<T> first(call.arg(0));
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = first[row];
    call.valid[row] = call.arg(0).IsValid(row);
  }
  for (uint32_t i = 1; i < call.arg_count; ++i) {
    const Cells<T> next(call.arg(i));
    for (int64_t row = 0; row < call.rows; ++row) {
      if (call.valid[row] != 0) continue;
      out[row] = next[row];
      call.valid[row] = call.arg(i).IsValid(row);
    }
  }
}

void IsNull(const Call& call) {
  auto* out = static_cast<uint8_t*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = !call.arg(0).IsValid(row);
    call.valid[row] = 1;
  }
}

}  // namespace

const std::vector<Function>& LogicFunctions() {
  static const std::vector<Function> table{
      {"if",
       {{"bii:i", If<int64_t>, Nulls::kOwn},
        {"bnn:n", If<double>, Nulls::kOwn},
        {"bss:s", If<Text>, Nulls::kOwn},
        {"btt:t", If<int64_t>, Nulls::kOwn},
        {"bbb:b", If<uint8_t>, Nulls::kOwn}}},
      {"coalesce",
       {{"i+:i", Coalesce<int64_t>, Nulls::kOwn},
        {"n+:n", Coalesce<double>, Nulls::kOwn},
        {"s+:s", Coalesce<Text>, Nulls::kOwn},
        {"t+:t", Coalesce<int64_t>, Nulls::kOwn},
        {"b+:b", Coalesce<uint8_t>, Nulls::kOwn}}},
      {"is_null",
       {{"i:b", IsNull, Nulls::kOwn},
        {"n:b", IsNull, Nulls::kOwn},
        {"s:b", IsNull, Nulls::kOwn},
        {"t:b", IsNull, Nulls::kOwn},
        {"b:b", IsNull, Nulls::kOwn}}},
  };
  return table;
}

}  // namespace slipway::expr

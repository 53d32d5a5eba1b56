// Operators, and the kernels that have no name in the language.

#include <algorithm>
#include <cmath>
#include <limits>

#include "expr/functions.h"

namespace slipway::expr {
namespace {

using data::ScalarType;
using Text = std::string_view;

constexpr auto kAddChecked = [](int64_t a, int64_t b, int64_t& out) { return !__builtin_add_overflow(a, b, &out); };
constexpr auto kSubtractChecked = [](int64_t a, int64_t b, int64_t& out) {
  return !__builtin_sub_overflow(a, b, &out);
};
constexpr auto kMultiplyChecked = [](int64_t a, int64_t b, int64_t& out) {
  return !__builtin_mul_overflow(a, b, &out);
};

constexpr bool Divides(int64_t a, int64_t b) {
  return b != 0 && !(b == -1 && a == std::numeric_limits<int64_t>::min());
}
constexpr auto kFloorDivide = [](int64_t a, int64_t b, int64_t& out) {
  if (!Divides(a, b)) return false;
  out = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
  return true;
};
constexpr auto kFloorModulo = [](int64_t a, int64_t b, int64_t& out) {
  if (b == 0) return false;
  if (b == -1) return out = 0, true;
  const int64_t rest = a % b;
  out = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  return true;
};

// Python's and NumPy's: the remainder has the divisor's sign.
double NumberModulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}
double NumberFloorDivide(double a, double b) {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

// Exact below 2^53 microseconds of distance (285 years), correctly rounded past it unless the difference overflows.
double Elapsed(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return (static_cast<double>(a) - static_cast<double>(b)) / 1e6;
  return static_cast<double>(difference) / 1e6;
}

void Join(const Call& call) {
  auto* out = static_cast<Text*>(call.out);
  const Cells<Text> a(call.arg(0));
  const Cells<Text> b(call.arg(1));
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = {};
    if (call.IsNull(row)) continue;
    const Text left = a[row];
    const Text right = b[row];
    char* room = call.scratch->Allocate(row, left.size() + right.size());
    if (room == nullptr) {
      call.valid[row] = 0;
      continue;
    }
    std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), room));
    out[row] = {room, left.size() + right.size()};
  }
}

template <typename T>
Overload Comparison(std::string_view signature, auto operation) {
  return {signature, Map2<uint8_t, T, T, decltype(operation){}>};
}

template <typename Operation>
Function Ordering(std::string_view name, Operation op) {
  return {name,
          {Comparison<int64_t>("ii:b", op), Comparison<double>("nn:b", op), Comparison<Text>("ss:b", op),
           Comparison<int64_t>("tt:b", op)}};
}

template <typename Operation>
Function Equality(std::string_view name, Operation op) {
  Function function = Ordering(name, op);
  function.overloads.push_back(
      {"bb:b", Map2<uint8_t, uint8_t, uint8_t, [](uint8_t a, uint8_t b) { return Operation{}(a != 0, b != 0); }>});
  return function;
}

// Three-valued logic: `kDecides` (true for or, false for and) wins over null.
template <bool kDecides>
void Logical(const Call& call) {
  const Operand& left = call.arg(0);
  const Operand& right = call.arg(1);
  const Cells<uint8_t> a(left);
  const Cells<uint8_t> b(right);
  auto* out = static_cast<uint8_t*>(call.out);
  if (left.valid == nullptr && right.valid == nullptr) {
    for (int64_t row = 0; row < call.rows; ++row) {
      const bool left_decides = (a[row] != 0) == kDecides;
      const bool right_decides = (b[row] != 0) == kDecides;
      out[row] = (left_decides | right_decides) == kDecides;
    }
    std::fill_n(call.valid, call.rows, uint8_t{1});
    return;
  }
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool left_decides = left.IsValid(row) && (a[row] != 0) == kDecides;
    const bool right_decides = right.IsValid(row) && (b[row] != 0) == kDecides;
    const bool decided = left_decides || right_decides;
    out[row] = decided == kDecides;
    call.valid[row] = decided || (left.IsValid(row) && right.IsValid(row));
  }
}

template <typename T>
T ElementOf(const data::ColumnView& view, int64_t element) {
  if constexpr (std::is_same_v<T, Text>) {
    return view.string(element);
  } else {
    return static_cast<const T*>(view.values)[element];
  }
}

template <typename T>
void Element(const Call& call) {
  const auto& block = *static_cast<const TensorBlock*>(call.arg(0).values);
  const data::ColumnView& view = *block.view;
  const Cells<int64_t> index(call.arg(1));
  auto* out = static_cast<T*>(call.out);
  for (int64_t i = 0; i < call.rows; ++i) {
    out[i] = T{};
    if (call.IsNull(i)) continue;
    const int64_t row = block.first_row + i;
    const int64_t first = view.row_offsets != nullptr ? view.row_offsets[row] : row * view.width;
    const int64_t width = view.row_offsets != nullptr ? view.row_offsets[row + 1] - first : view.width;
    if (index[i] < 0 || index[i] >= width) {
      call.valid[i] = 0;
      continue;
    }
    out[i] = ElementOf<T>(view, first + index[i]);
  }
}

// Sorted, without NaN (which equals nothing). Texts are owned.
template <typename T>
struct Set {
  std::vector<T> items;
};

// Short lists are compared item by item, which a processor predicts better than a search.
constexpr size_t kShortList = 8;

template <typename T, typename Item>
bool IsMember(const std::vector<Item>& items, const T& value) {
  if (items.size() <= kShortList) {
    bool found = false;
    for (const Item& item : items) found |= value == item;
    return found;
  }
  const auto at = std::lower_bound(items.begin(), items.end(), value, std::less<>{});
  return at != items.end() && *at == value;
}

template <typename T, typename Item>
void Member(const Call& call) {
  const std::vector<Item>& items = static_cast<const Set<Item>*>(call.binding->object.get())->items;
  const Cells<T> values(call.arg(0));
  auto* out = static_cast<uint8_t*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) out[row] = IsMember<T, Item>(items, values[row]);
}

template <typename Item>
std::shared_ptr<const void> SortedSet(std::span<const Constant> constants, Item Constant::* member) {
  auto set = std::make_shared<Set<Item>>();
  for (const Constant& constant : constants) {
    if constexpr (std::is_same_v<Item, double>) {
      if (std::isnan(constant.*member)) continue;
    }
    set->items.push_back(constant.*member);
  }
  std::sort(set->items.begin(), set->items.end());
  return set;
}

}  // namespace

const std::vector<Function>& OperatorTable() {
  static const std::vector<Function> table{
      {"+",
       {{"ii:i", Try2<int64_t, int64_t, int64_t, kAddChecked>, Nulls::kMakes},
        {"nn:n", Map2<double, double, double, [](double a, double b) { return a + b; }>},
        {"ss:s", Join, Nulls::kMakes, nullptr, true}}},
      {"-",
       {{"ii:i", Try2<int64_t, int64_t, int64_t, kSubtractChecked>, Nulls::kMakes},
        {"nn:n", Map2<double, double, double, [](double a, double b) { return a - b; }>},
        {"tt:n", Map2<double, int64_t, int64_t, Elapsed>}}},
      {"*",
       {{"ii:i", Try2<int64_t, int64_t, int64_t, kMultiplyChecked>, Nulls::kMakes},
        {"nn:n", Map2<double, double, double, [](double a, double b) { return a * b; }>}}},
      {"/", {{"nn:n", Map2<double, double, double, [](double a, double b) { return a / b; }>}}},
      {"//",
       {{"ii:i", Try2<int64_t, int64_t, int64_t, kFloorDivide>, Nulls::kMakes},
        {"nn:n", Map2<double, double, double, NumberFloorDivide>}}},
      {"%",
       {{"ii:i", Try2<int64_t, int64_t, int64_t, kFloorModulo>, Nulls::kMakes},
        {"nn:n", Map2<double, double, double, NumberModulo>}}},
      {"**", {{"nn:n", Map2<double, double, double, [](double a, double b) { return std::pow(a, b); }>}}},
      {"unary -",
       {{"i:i", Try1<int64_t, int64_t, [](int64_t a, int64_t& out) { return kSubtractChecked(0, a, out); }>,
         Nulls::kMakes},
        {"n:n", Map1<double, double, [](double a) { return -a; }>}}},
      {"unary +",
       {{"i:i", Map1<int64_t, int64_t, [](int64_t a) { return a; }>},
        {"n:n", Map1<double, double, [](double a) { return a; }>}}},
      Equality("==", [](auto a, auto b) { return static_cast<uint8_t>(a == b); }),
      Equality("!=", [](auto a, auto b) { return static_cast<uint8_t>(a != b); }),
      Ordering("<", [](auto a, auto b) { return static_cast<uint8_t>(a < b); }),
      Ordering("<=", [](auto a, auto b) { return static_cast<uint8_t>(a <= b); }),
      Ordering(">", [](auto a, auto b) { return static_cast<uint8_t>(a > b); }),
      Ordering(">=", [](auto a, auto b) { return static_cast<uint8_t>(a >= b); }),
      {"and", {{"bb:b", Logical<false>, Nulls::kOwn}}},
      {"or", {{"bb:b", Logical<true>, Nulls::kOwn}}},
      {"not", {{"b:b", Map1<uint8_t, uint8_t, [](uint8_t a) { return static_cast<uint8_t>(a == 0); }>}}},
  };
  return table;
}

void PromoteInteger(const Call& call) {
  Map1<double, int64_t, [](int64_t a) { return static_cast<double>(a); }>(call);
}

Kernel ElementKernel(ScalarType element) {
  switch (element) {
    case ScalarType::kBoolean:
      return Element<uint8_t>;
    case ScalarType::kNumber:
      return Element<double>;
    case ScalarType::kString:
      return Element<Text>;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      break;
  }
  return Element<int64_t>;
}

Kernel MembershipKernel(ScalarType type) {
  switch (type) {
    case ScalarType::kBoolean:
      return Member<uint8_t, uint8_t>;
    case ScalarType::kNumber:
      return Member<double, double>;
    case ScalarType::kString:
      return Member<Text, std::string>;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      break;
  }
  return Member<int64_t, int64_t>;
}

std::shared_ptr<const void> MakeSet(std::span<const Constant> items) {
  switch (items.front().type) {
    case ScalarType::kBoolean:
      return SortedSet(items, &Constant::boolean);
    case ScalarType::kNumber:
      return SortedSet(items, &Constant::number);
    case ScalarType::kString:
      return SortedSet(items, &Constant::text);
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      break;
  }
  return SortedSet(items, &Constant::integer);
}

}  // namespace slipway::expr

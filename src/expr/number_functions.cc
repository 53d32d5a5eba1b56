// Arithmetic functions. Every call goes to the scalar C library, one element at a time: the same bits in any batch.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/number_text.h"
#include "expr/functions.h"
#include "expr/haversine.h"

namespace slipway::expr {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMostDigits = 15;

template <auto kOp>
Function Number(std::string_view name) {
  return {name, {{"n:n", Map1<double, double, kOp>}}};
}

constexpr auto kSame = [](int64_t a) { return a; };

// floor, ceil and round leave integers as they are.
template <auto kOp>
Function Rounding(std::string_view name) {
  return {name, {{"i:i", Map1<int64_t, int64_t, kSame>}, {"n:n", Map1<double, double, kOp>}}};
}

constexpr auto kSmaller = [](int64_t a, int64_t b) { return std::min(a, b); };
constexpr auto kLarger = [](int64_t a, int64_t b) { return std::max(a, b); };
double Smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNan : (b < a ? b : a);
}
double Larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNan : (b > a ? b : a);
}

double Clip(double x, double low, double high) {
  return Smaller(Larger(x, low), high);
}

double Sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double power = std::exp(x);
  return power / (1 + power);
}

double Sign(double x) {
  return std::isnan(x) ? kNan : static_cast<double>((x > 0) - (x < 0));
}

// NumPy's: scale by a power of ten, round half to even, scale back. Past the range of doubles x has no such digits.
void RoundDigits(const Call& call) {
  const Cells<double> x(call.arg(0));
  auto* out = static_cast<double*>(call.out);
  const int64_t digits = call.binding->immediate;
  double scale = 1;
  for (int64_t i = 0; i < std::abs(digits); ++i) scale *= 10;  // exact up to 10^22
  for (int64_t row = 0; row < call.rows; ++row) {
    const double scaled = digits >= 0 ? x[row] * scale : x[row] / scale;
    if (!std::isfinite(scaled)) {
      out[row] = x[row];
      continue;
    }
    const double rounded = std::nearbyint(scaled);
    out[row] = digits >= 0 ? rounded / scale : rounded * scale;
  }
}

std::string PrepareDigits(std::span<const Constant* const> args, Binding& binding) {
  binding.immediate = args[1]->integer;
  if (binding.immediate >= -kMostDigits && binding.immediate <= kMostDigits) return {};
  return fmt::format("round takes -{0} to {0} digits, not {1}", kMostDigits, binding.immediate);
}

void Haversine(const Call& call) {
  const Cells<double> latitude_a(call.arg(0)), longitude_a(call.arg(1)), latitude_b(call.arg(2)),
      longitude_b(call.arg(3));
  auto* out = static_cast<double*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = HaversineKm(latitude_a[row], longitude_a[row], latitude_b[row], longitude_b[row]);
  }
}

bool Truncate(double x, int64_t& out) {
  if (!(x > -9223372036854777856.0 && x < 9223372036854775808.0)) return false;
  out = static_cast<int64_t>(x);
  return true;
}

// Texts are read as CSV cells are.
bool ReadNumber(std::string_view text, double& out) {
  const data::NumberText read = data::ReadNumberText(text);
  switch (read.kind) {
    case data::NumberText::Kind::kNone:
      return false;
    case data::NumberText::Kind::kInteger:
      out = static_cast<double>(read.integer);
      break;
    case data::NumberText::Kind::kUnsigned:
      out = static_cast<double>(read.unsigned_integer);
      break;
    case data::NumberText::Kind::kNumber:
      out = read.number;
      break;
  }
  return true;
}

bool ReadInteger(std::string_view text, int64_t& out) {
  const data::NumberText read = data::ReadNumberText(text);
  if (read.kind == data::NumberText::Kind::kInteger) {
    out = read.integer;
    return true;
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53: past it a written number may not be the integer meant
  if (read.kind != data::NumberText::Kind::kNumber) return false;
  if (!(std::fabs(read.number) <= kExact) || read.number != std::floor(read.number)) return false;
  return Truncate(read.number, out);
}

}  // namespace

const std::vector<Function>& NumberFunctions() {
  static const std::vector<Function> table{
      {"abs",
       {{"i:i",
         Try1<int64_t, int64_t,
              [](int64_t x, int64_t& out) {
                out = x < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(x)) : x;
                return out >= 0;
              }>,
         Nulls::kMakes},
        {"n:n", Map1<double, double, [](double x) { return std::fabs(x); }>}}},
      {"min", {{"i+:i", Fold<int64_t, kSmaller>}, {"n+:n", Fold<double, Smaller>}, {"t+:t", Fold<int64_t, kSmaller>}}},
      {"max", {{"i+:i", Fold<int64_t, kLarger>}, {"n+:n", Fold<double, Larger>}, {"t+:t", Fold<int64_t, kLarger>}}},
      {"clip",
       {{"iii:i", Map3<int64_t, int64_t, int64_t, int64_t,
                       [](int64_t x, int64_t low, int64_t high) { return std::min(std::max(x, low), high); }>},
        {"nnn:n", Map3<double, double, double, double, Clip>}}},
      Rounding<[](double x) { return std::floor(x); }>("floor"),
      Rounding<[](double x) { return std::ceil(x); }>("ceil"),
      {"round",
       {{"i:i", Map1<int64_t, int64_t, kSame>},
        {"n:n", Map1<double, double, [](double x) { return std::nearbyint(x); }>},
        {"nI:n", RoundDigits, Nulls::kStrict, PrepareDigits}}},
      {"sign",
       {{"i:i", Map1<int64_t, int64_t, [](int64_t x) { return static_cast<int64_t>((x > 0) - (x < 0)); }>},
        {"n:n", Map1<double, double, Sign>}}},
      Number<[](double x) { return std::sqrt(x); }>("sqrt"),
      Number<[](double x) { return std::cbrt(x); }>("cbrt"),
      Number<[](double x) { return std::exp(x); }>("exp"),
      Number<[](double x) { return std::expm1(x); }>("expm1"),
      Number<[](double x) { return std::log(x); }>("log"),
      Number<[](double x) { return std::log1p(x); }>("log1p"),
      Number<[](double x) { return std::log2(x); }>("log2"),
      Number<[](double x) { return std::log10(x); }>("log10"),
      {"pow", {{"nn:n", Map2<double, double, double, [](double x, double y) { return std::pow(x, y); }>}}},
      Number<[](double x) { return std::sin(x); }>("sin"),
      Number<[](double x) { return std::cos(x); }>("cos"),
      Number<[](double x) { return std::tan(x); }>("tan"),
      Number<[](double x) { return std::asin(x); }>("asin"),
      Number<[](double x) { return std::acos(x); }>("acos"),
      Number<[](double x) { return std::atan(x); }>("atan"),
      {"atan2", {{"nn:n", Map2<double, double, double, [](double y, double x) { return std::atan2(y, x); }>}}},
      Number<[](double x) { return std::sinh(x); }>("sinh"),
      Number<[](double x) { return std::cosh(x); }>("cosh"),
      Number<[](double x) { return std::tanh(x); }>("tanh"),
      Number<Sigmoid>("sigmoid"),
      Number<[](double p) { return std::log(p / (1 - p)); }>("logit"),
      {"is_nan", {{"n:b", Map1<uint8_t, double, [](double x) { return static_cast<uint8_t>(std::isnan(x)); }>}}},
      {"is_finite", {{"n:b", Map1<uint8_t, double, [](double x) { return static_cast<uint8_t>(std::isfinite(x)); }>}}},
      {"to_number",
       {{"n:n", Map1<double, double, [](double x) { return x; }>},
        {"b:n", Map1<double, uint8_t, [](uint8_t x) { return x != 0 ? 1.0 : 0.0; }>},
        {"s:n", Try1<double, std::string_view, ReadNumber>, Nulls::kMakes}}},
      {"to_integer",
       {{"i:i", Map1<int64_t, int64_t, kSame>},
        {"n:i", Try1<int64_t, double, Truncate>, Nulls::kMakes},
        {"b:i", Map1<int64_t, uint8_t, [](uint8_t x) { return static_cast<int64_t>(x != 0); }>},
        {"s:i", Try1<int64_t, std::string_view, ReadInteger>, Nulls::kMakes}}},
      {"haversine", {{"nnnn:n", Haversine}}},
  };
  return table;
}

}  // namespace slipway::expr

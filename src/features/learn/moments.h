#pragma once
// Moments: mean and variance of a stream in one pass, right to the last bit or two whatever the order of magnitude of
// the values. Sums run in the order of the rows, in double-double arithmetic (T. J. Dekker, "A floating-point technique
// for extending the available precision", 1971), about a shift: the first value seen.

#include <cmath>
#include <cstdint>

namespace slipway::features {

/// An unevaluated sum of two doubles: some 106 bits.
struct DoubleDouble {
  double high = 0;
  double low = 0;

  static DoubleDouble Sum(double a, double b) {
    const double s = a + b;
    const double t = s - a;
    return {s, (a - (s - t)) + (b - t)};
  }
  static DoubleDouble Product(double a, double b) {
    const double p = a * b;
    return {p, std::fma(a, b, -p)};
  }
  static DoubleDouble Normal(double high, double low) {
    const double s = high + low;
    return {s, low - (s - high)};
  }

  double value() const { return high + low; }

  friend DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
    const DoubleDouble s = Sum(a.high, b.high);
    const DoubleDouble t = Sum(a.low, b.low);
    const DoubleDouble u = Normal(s.high, s.low + t.high);
    return Normal(u.high, u.low + t.low);
  }
  friend DoubleDouble operator-(DoubleDouble a) { return {-a.high, -a.low}; }
  friend DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + -b; }
  friend DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
    const DoubleDouble p = Product(a.high, b.high);
    return Normal(p.high, p.low + (a.high * b.low + a.low * b.high));
  }
  friend DoubleDouble operator/(DoubleDouble a, double b) {
    const double q = a.high / b;
    const DoubleDouble rest = a - Product(q, b);
    return Normal(q, (rest.high + rest.low) / b);
  }
};

/// Thread-safety: one thread.
class Moments {
 public:
  /// Precondition: x is finite. Overflow shows as a mean or variance that is not finite.
  void Add(double x) {
    if (count_ == 0) shift_ = x;
    ++count_;
    const DoubleDouble d = DoubleDouble::Sum(x, -shift_);
    sum_ = sum_ + d;
    squares_ = squares_ + d * d;
  }
  /// The same value several times, below 2^53.
  void Add(double x, int64_t times) {
    if (times == 0) return;
    if (count_ == 0) shift_ = x;
    count_ += times;
    const DoubleDouble d = DoubleDouble::Sum(x, -shift_);
    const DoubleDouble weight{static_cast<double>(times), 0};
    sum_ = sum_ + d * weight;
    squares_ = squares_ + d * d * weight;
  }

  int64_t count() const { return count_; }
  /// Precondition for both: count() > 0.
  double Mean() const { return (DoubleDouble{shift_, 0} + sum_ / static_cast<double>(count_)).value(); }
  /// Of the population: divided by n.
  double Variance() const {
    const auto n = static_cast<double>(count_);
    const double variance = ((squares_ - sum_ * (sum_ / n)) / n).value();
    return variance < 0 ? 0 : variance;
  }

 private:
  int64_t count_ = 0;
  double shift_ = 0;
  DoubleDouble sum_, squares_;
};

}  // namespace slipway::features

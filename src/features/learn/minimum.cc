#include "features/learn/minimum.h"

#include <cmath>
#include <utility>

namespace slipway::features {
namespace {

constexpr double kTolerance = 1.48e-8;
constexpr int kMaxEvaluations = 500;

using Function = std::function<double(double)>;

// The state of Brent's search: a bracket and the three best points.
class Search {
 public:
  Search(double low, double high, double start, double value, double golden)
      : low_(low),
        high_(high),
        golden_(golden),
        best_(start),
        second_(start),
        third_(start),
        f_best_(value),
        f_second_(value),
        f_third_(value) {}

  double best() const { return best_; }
  bool Done(double tolerance) const { return std::fabs(best_ - Middle()) <= 2 * tolerance - 0.5 * (high_ - low_); }

  double Next(double tolerance) {
    if (std::fabs(before_last_) <= tolerance || !TryParabola(tolerance)) {
      before_last_ = best_ >= Middle() ? low_ - best_ : high_ - best_;
      step_ = golden_ * before_last_;
    }
    if (std::fabs(step_) >= tolerance) return best_ + step_;
    return step_ >= 0 ? best_ + tolerance : best_ - tolerance;
  }

  void Learn(double x, double f) {
    if (f <= f_best_) {
      (x >= best_ ? low_ : high_) = best_;
      third_ = std::exchange(second_, std::exchange(best_, x));
      f_third_ = std::exchange(f_second_, std::exchange(f_best_, f));
      return;
    }
    (x < best_ ? low_ : high_) = x;
    if (f <= f_second_ || second_ == best_) {
      third_ = std::exchange(second_, x);
      f_third_ = std::exchange(f_second_, f);
    } else if (f <= f_third_ || third_ == best_ || third_ == second_) {
      third_ = x;
      f_third_ = f;
    }
  }

 private:
  double Middle() const { return 0.5 * (low_ + high_); }

  // The minimum of the parabola through the three points, when it is inside and the steps shrink.
  bool TryParabola(double tolerance) {
    const double r = (best_ - second_) * (f_best_ - f_third_);
    double q = (best_ - third_) * (f_best_ - f_second_);
    double p = (best_ - third_) * q - (best_ - second_) * r;
    q = 2 * (q - r);
    if (q > 0) p = -p;
    q = std::fabs(q);
    const double old = std::exchange(before_last_, step_);
    if (!(std::fabs(p) < std::fabs(0.5 * q * old) && p > q * (low_ - best_) && p < q * (high_ - best_))) return false;
    step_ = p / q;
    const double x = best_ + step_;
    if (x - low_ < 2 * tolerance || high_ - x < 2 * tolerance) step_ = Middle() >= best_ ? tolerance : -tolerance;
    return true;
  }

  double low_, high_, golden_;
  double best_, second_, third_;
  double f_best_, f_second_, f_third_;
  double step_ = 0, before_last_ = 0;
};

struct Bracket {
  double a, b, c, f_b;
};

// Walks downhill from a and b until the function rises again (W. H. Press et al., "Numerical Recipes", mnbrak).
Bracket FindBracket(double a, double b, const Function& f) {
  constexpr double kGrow = 1.618034, kLimit = 110, kTiny = 1e-21;
  double fa = f(a), fb = f(b);
  if (fa < fb) {
    std::swap(a, b);
    std::swap(fa, fb);
  }
  double c = b + kGrow * (b - a);
  double fc = f(c);
  for (int i = 0; i < kMaxEvaluations && fc < fb; ++i) {
    const double r = (b - a) * (fb - fc), q = (b - c) * (fb - fa);
    const double difference = q - r;
    const double denominator = std::fabs(difference) < kTiny ? 2 * kTiny : 2 * difference;
    double w = b - ((b - c) * q - (b - a) * r) / denominator;
    const double limit = b + kLimit * (c - b);
    double fw;
    if ((w - c) * (b - w) > 0) {
      fw = f(w);
      if (fw < fc) return {b, w, c, fw};
      if (fw > fb) return {a, b, w, fb};
      w = c + kGrow * (c - b);
      fw = f(w);
    } else if ((w - limit) * (limit - c) >= 0) {
      w = limit;
      fw = f(w);
    } else if ((w - limit) * (c - w) > 0) {
      fw = f(w);
      if (fw < fc) {
        b = std::exchange(c, w);
        fb = std::exchange(fc, fw);
        w = c + kGrow * (c - b);
        fw = f(w);
      }
    } else {
      w = c + kGrow * (c - b);
      fw = f(w);
    }
    a = std::exchange(b, std::exchange(c, w));
    fa = std::exchange(fb, std::exchange(fc, fw));
  }
  return {a, b, c, fb};
}

}  // namespace

double MinimumBetween(double low, double high, const Function& f) {
  const double golden = 0.5 * (3 - std::sqrt(5.0));
  const double start = low + golden * (high - low);
  Search search(low, high, start, f(start), golden);
  for (int i = 1; i < kMaxEvaluations; ++i) {
    const double tolerance = std::sqrt(2.2e-16) * std::fabs(search.best()) + kTolerance / 3;
    if (search.Done(tolerance)) break;
    const double x = search.Next(tolerance);
    search.Learn(x, f(x));
  }
  return search.best();
}

double MinimumNear(double a, double b, const Function& f) {
  const Bracket bracket = FindBracket(a, b, f);
  Search search(std::fmin(bracket.a, bracket.c), std::fmax(bracket.a, bracket.c), bracket.b, bracket.f_b, 0.3819660);
  for (int i = 0; i < kMaxEvaluations; ++i) {
    const double tolerance = kTolerance * std::fabs(search.best()) + 1e-11;
    if (search.Done(tolerance)) break;
    const double x = search.Next(tolerance);
    search.Learn(x, f(x));
  }
  return search.best();
}

}  // namespace slipway::features

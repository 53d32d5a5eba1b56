#pragma once
// RunCost: what runs of a model take, by rows, learnt from the runs themselves.

#include <array>
#include <bit>
#include <cstdint>

namespace slipway::engine {

/// Moving averages (each run counts 1/8) per class of row counts: 1, 2 to 3, 4 to 7, … Thread-safety: none.
class RunCost {
 public:
  static constexpr int kClasses = 11;  ///< the last one holds 1,024 rows and more

  void Add(int64_t rows, int64_t nanoseconds) {
    Class& known = classes_[ClassOf(rows)];
    const double row = static_cast<double>(nanoseconds) / static_cast<double>(rows);
    known.row = known.runs == 0 ? row : known.row + (row - known.row) / 8;
    ++known.runs;
  }

  /// Nanoseconds that a run of so many rows will take, by the nearest class that is known, a smaller one first; 0 while
  /// nothing is.
  double Of(int64_t rows) const {
    const int wanted = ClassOf(rows);
    for (int distance = 0; distance < kClasses; ++distance) {
      for (const int at : {wanted - distance, wanted + distance}) {
        if (at >= 0 && at < kClasses && classes_[at].runs > 0) return classes_[at].row * static_cast<double>(rows);
      }
    }
    return 0;
  }

  /// Nanoseconds of a row that runs alone; 0 while that is not known.
  double alone() const { return classes_[0].row; }
  /// Of a row in the company in which it takes least; 0 while no rows have run together.
  double together() const {
    double best = 0;
    for (int i = 1; i < kClasses; ++i) {
      if (classes_[i].runs > 0 && (best == 0 || classes_[i].row < best)) best = classes_[i].row;
    }
    return best;
  }
  /// Whether rows should run together: they take less then, or nobody knows yet.
  bool TogetherPays() const { return alone() == 0 || together() == 0 || together() < 0.85 * alone(); }

  struct Class {
    int64_t runs = 0;
    double row = 0;  ///< nanoseconds
  };
  const std::array<Class, kClasses>& classes() const { return classes_; }

 private:
  static int ClassOf(int64_t rows) {
    const int width = std::bit_width(static_cast<uint64_t>(rows > 0 ? rows : 1)) - 1;
    return width < kClasses ? width : kClasses - 1;
  }
  std::array<Class, kClasses> classes_{};
};

}  // namespace slipway::engine

#pragma once
// Structures of the Arrow C interfaces with an owner: moved from whoever lent them, released at the end of a scope.

#include "slipway/slipway.h"

namespace slipway::embed {

/// One of ArrowSchema, ArrowArray, ArrowArrayStream. The C interfaces let a structure be moved by its bytes; a
/// structure that was moved from, or released, has no `release`.
template <typename Structure>
class Owned {
 public:
  Owned() = default;
  /// Takes it over; nullptr gives an empty one.
  explicit Owned(Structure* from) {
    if (from == nullptr) return;
    structure_ = *from;
    from->release = nullptr;
  }
  Owned(Owned&& other) noexcept : structure_(other.structure_) { other.structure_.release = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    if (this == &other) return *this;
    Release();
    structure_ = other.structure_;
    other.structure_.release = nullptr;
    return *this;
  }
  ~Owned() { Release(); }

  bool is_empty() const { return structure_.release == nullptr; }
  const Structure& operator*() const { return structure_; }
  Structure* get() { return &structure_; }
  Structure* operator->() { return &structure_; }
  const Structure* operator->() const { return &structure_; }
  /// Hands it on.
  void MoveTo(Structure* to) {
    *to = structure_;
    structure_.release = nullptr;
  }

 private:
  void Release() {
    if (structure_.release != nullptr) structure_.release(&structure_);
    structure_.release = nullptr;
  }

  Structure structure_{};
};

}  // namespace slipway::embed

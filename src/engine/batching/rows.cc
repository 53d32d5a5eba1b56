#include "engine/batching/rows.h"

#include <algorithm>
#include <cstring>

namespace slipway::engine {
namespace {

int64_t ElementsOf(const TensorView& view) {
  int64_t count = 1;
  for (const int64_t size : view.shape) count *= size;
  return count;
}

bool SameRow(const TensorView& a, const TensorView& b) {
  return a.type == b.type && !a.shape.empty() && a.shape.size() == b.shape.size() &&
         std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1);
}

}  // namespace

int64_t RowsOf(std::span<const TensorView> tensors) {
  return tensors.empty() || tensors[0].shape.empty() ? 0 : tensors[0].shape[0];
}

bool CanJoin(std::span<const TensorView> a, std::span<const TensorView> b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), SameRow);
}

TensorView JoinedInput::Join(std::span<const std::span<const TensorView>> calls, size_t index, int64_t rows) {
  TensorView joined = calls[0][index];
  joined.shape[0] = rows;
  if (joined.type == ElementType::kString) {
    strings_.clear();
    for (const auto& call : calls) {
      strings_.insert(strings_.end(), call[index].strings, call[index].strings + ElementsOf(call[index]));
    }
    joined.strings = strings_.data();
    return joined;
  }
  bytes_.clear();
  for (const auto& call : calls) {
    const auto* from = static_cast<const std::byte*>(call[index].data);
    bytes_.insert(bytes_.end(), from, from + static_cast<size_t>(ElementsOf(call[index])) * ElementSize(joined.type));
  }
  joined.data = bytes_.data();
  return joined;
}

TensorView SliceRows(const TensorView& whole, int64_t first, int64_t rows) {
  TensorView slice = whole;
  slice.shape[0] = rows;
  const auto skipped = static_cast<size_t>(whole.shape[0] == 0 ? 0 : ElementsOf(whole) / whole.shape[0] * first);
  if (whole.strings != nullptr) slice.strings = whole.strings + skipped;
  if (whole.data != nullptr) {
    slice.data = static_cast<const std::byte*>(whole.data) + skipped * ElementSize(whole.type);
  }
  return slice;
}

bool CopyRows(const Tensor& from, int64_t first, int64_t rows, Tensor& to) {
  if (from.shape.empty() || first + rows > from.shape[0]) return false;
  const auto all = static_cast<size_t>(from.shape[0]), begin = static_cast<size_t>(first);
  const auto count = static_cast<size_t>(rows);
  if (all == 0 || from.data.size() % all != 0 || from.strings.size() % all != 0) return false;
  to.type = from.type;
  to.shape = from.shape;
  to.shape[0] = rows;
  const size_t bytes = from.data.size() / all, texts = from.strings.size() / all;
  to.data.resize(bytes * count);
  if (!to.data.empty()) std::memcpy(to.data.data(), from.data.data() + bytes * begin, to.data.size());
  to.strings.resize(texts * count);
  std::copy_n(from.strings.begin() + static_cast<std::ptrdiff_t>(texts * begin), to.strings.size(), to.strings.begin());
  to.labels = from.labels;
  return true;
}

}  // namespace slipway::engine

// Operators that only give another shape to what they take, or a part of it.
#include <array>
#include <numeric>
#include <utility>

#include "engine/onnx/light/light_rules.h"

namespace slipway::engine::onnx {

namespace {

using Kind = Dimension::Kind;

bool Contains(const std::vector<size_t>& axes, size_t axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

bool Concat(LightNode& node) {
  const KnownTensor* first = node.input(0);
  if (first == nullptr) return false;
  const auto axis = AxisOf(node.node().Integer("axis", 1), first->shape.size());
  if (!axis) return false;
  Dimensions shape = first->shape;
  for (size_t i = 1; i < node.node().inputs.size(); ++i) {
    const KnownTensor* x = node.input(i);
    if (x == nullptr || x->shape.size() != shape.size()) return false;
    for (size_t d = 0; d < shape.size(); ++d) {
      Dimension& size = shape[d];
      if (d == *axis) {
        const bool exact = size.exact() && x->shape[d].exact();
        size = {size.most + x->shape[d].most, exact ? Kind::kExact : Kind::kOpen};
      } else if (!size.exact()) {
        size = x->shape[d].exact() ? x->shape[d] : Dimension{std::max(size.most, x->shape[d].most), size.kind};
      }
    }
  }
  return node.Give(0, first->type, std::move(shape));
}

/// Copies of its inputs. Nothing that is light takes sequences, so the result is given to nobody.
bool SequenceConstruct(LightNode& node) {
  for (size_t i = 0; i < node.node().inputs.size(); ++i) {
    const KnownTensor* x = node.input(i);
    if (x == nullptr) return false;
    node.Work(MostElements(x->shape));
    node.Take(x->MostBytes());
  }
  return !node.node().inputs.empty();
}

int64_t ExactProduct(const Dimensions& shape) {
  int64_t product = 1;
  for (const Dimension& dimension : shape) product = Times(product, dimension.exact() ? dimension.most : 1);
  return product;
}

/// The size that Reshape's -1 stands for, given the other sizes of the result.
std::optional<Dimension> Inferred(const Dimensions& from, const Dimensions& others) {
  const auto open = [](const Dimension& dimension) { return !dimension.exact(); };
  const int64_t have = ExactProduct(from), given = ExactProduct(others);
  const auto open_from = std::ranges::count_if(from, open), open_others = std::ranges::count_if(others, open);
  if (open_from == open_others) {  // the result has the open ones too: it copies them
    if (have % given != 0) return std::nullopt;
    return Dimension{have / given, Kind::kExact};
  }
  if (open_from != 1 || open_others != 0) return std::nullopt;
  const Dimension only = *std::ranges::find_if(from, open);
  if (have == given) return only;
  return Dimension{Times(only.most, have) / given + 1, Kind::kOpen};
}

bool Reshape(LightNode& node) {
  const KnownTensor* x = node.input(0);
  bool told = false;
  const auto target = IntegersOf(node, "shape", 1, told);
  if (x == nullptr || !target || node.node().Integer("allowzero", 0) != 0) return false;
  Dimensions shape, others;
  std::optional<size_t> missing;
  for (size_t i = 0; i < target->size(); ++i) {
    const int64_t size = (*target)[i];
    if (size < -1 || (size == -1 && missing) || (size == 0 && i >= x->shape.size())) return false;
    if (size == -1) missing = i;
    shape.push_back(size == 0 ? x->shape[i] : Dimension{std::max<int64_t>(size, 1), Kind::kExact});
    if (size != -1) others.push_back(shape.back());
  }
  if (missing) {
    const auto inferred = Inferred(x->shape, others);
    if (!inferred) return false;
    shape[*missing] = *inferred;
  }
  return node.Give(0, x->type, std::move(shape));
}

bool Flatten(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr) return false;
  const int64_t axis = node.node().Integer("axis", 1);
  const auto rank = static_cast<int64_t>(x->shape.size());
  if (axis < -rank || axis > rank) return false;
  const auto middle = x->shape.begin() + (axis < 0 ? axis + rank : axis);
  const auto fold = [](auto begin, auto end) {
    if (std::distance(begin, end) == 1) return *begin;
    const Dimensions part(begin, end);
    return Dimension{MostElements(part), std::ranges::all_of(part, &Dimension::exact) ? Kind::kExact : Kind::kOpen};
  };
  return node.Give(0, x->type, {fold(x->shape.begin(), middle), fold(middle, x->shape.end())});
}

bool Squeeze(LightNode& node) {
  const KnownTensor* x = node.input(0);
  bool told = false;
  const auto values = IntegersOf(node, "axes", 1, told);
  if (x == nullptr || !values) return false;
  const auto axes = AxesOf(*values, x->shape.size());
  if (!axes) return false;
  Dimensions shape;
  for (size_t i = 0; i < x->shape.size(); ++i) {
    if (!Contains(*axes, i)) shape.push_back(x->shape[i]);
  }
  return node.Give(0, x->type, std::move(shape));
}

bool Unsqueeze(LightNode& node) {
  const KnownTensor* x = node.input(0);
  bool told = false;
  const auto values = IntegersOf(node, "axes", 1, told);
  if (x == nullptr || !values) return false;
  const size_t rank = x->shape.size() + values->size();
  const auto axes = AxesOf(*values, rank);
  if (!axes) return false;
  Dimensions shape;
  auto next = x->shape.begin();
  for (size_t i = 0; i < rank; ++i) shape.push_back(Contains(*axes, i) ? Dimension() : *next++);
  return node.Give(0, x->type, std::move(shape));
}

bool Transpose(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr) return false;
  std::vector<size_t> order(x->shape.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = order.size() - 1 - i;
  if (const KnownAttribute* perm = node.node().Find("perm")) {
    const auto axes = AxesOf(perm->Integers(), x->shape.size());
    if (!axes || axes->size() != order.size()) return false;
    order = *axes;
  }
  Dimensions shape;
  for (size_t axis : order) shape.push_back(x->shape[axis]);
  return node.Give(0, x->type, std::move(shape));
}

bool Gather(LightNode& node) {
  const KnownTensor* x = node.input(0);
  const KnownTensor* indices = node.input(1);
  if (x == nullptr || indices == nullptr) return false;
  const auto axis = AxisOf(node.node().Integer("axis", 0), x->shape.size());
  if (!axis) return false;
  Dimensions shape(x->shape.begin(), x->shape.begin() + static_cast<std::ptrdiff_t>(*axis));
  shape.insert(shape.end(), indices->shape.begin(), indices->shape.end());
  shape.insert(shape.end(), x->shape.begin() + static_cast<std::ptrdiff_t>(*axis) + 1, x->shape.end());
  return node.Give(0, x->type, std::move(shape));
}

/// What is left of `size` between two bounds of Slice with step 1; nullopt when nothing is.
std::optional<Dimension> Between(const Dimension& size, int64_t start, int64_t end) {
  if (!size.exact()) {
    const bool all = start == 0 && end > (int64_t{1} << 30);
    return all ? size : Dimension{size.most, Kind::kOpen};
  }
  const auto clamp = [&](int64_t place) {
    return std::clamp<int64_t>(place < 0 ? place + size.most : place, 0, size.most);
  };
  const int64_t left = clamp(end) - clamp(start);
  if (left < 1) return std::nullopt;
  return Dimension{left, Kind::kExact};
}

bool StepsAreOne(const LightNode& node) {
  const KnownTensor* steps = node.input(4);
  if (!node.given(4)) return true;
  return steps != nullptr && steps->integers &&
         std::ranges::all_of(*steps->integers, [](int64_t step) { return step == 1; });
}

bool Slice(LightNode& node) {
  const KnownTensor* x = node.input(0);
  bool told = false, axes_told = false;
  const auto starts = IntegersOf(node, "starts", 1, told);
  const auto ends = IntegersOf(node, "ends", 2, told);
  auto places = IntegersOf(node, "axes", 3, axes_told);
  if (x == nullptr || !starts || !ends || starts->size() != ends->size() || !StepsAreOne(node)) return false;
  if (!axes_told) {
    places.emplace(starts->size());
    std::iota(places->begin(), places->end(), 0);
  }
  const auto axes = places ? AxesOf(*places, x->shape.size()) : std::nullopt;
  if (!axes || axes->size() != starts->size()) return false;
  Dimensions shape = x->shape;
  for (size_t i = 0; i < axes->size(); ++i) {
    const auto left = Between(shape[(*axes)[i]], (*starts)[i], (*ends)[i]);
    if (!left) return false;
    shape[(*axes)[i]] = *left;
  }
  return node.Give(0, x->type, std::move(shape));
}

struct NamedRule {
  std::string_view name;
  LightRule rule;
};

constexpr std::array kRules = {
    NamedRule{"Concat", Concat},       NamedRule{"Flatten", Flatten},
    NamedRule{"Gather", Gather},       NamedRule{"SequenceConstruct", SequenceConstruct},
    NamedRule{"Reshape", Reshape},     NamedRule{"Slice", Slice},
    NamedRule{"Squeeze", Squeeze},     NamedRule{"Transpose", Transpose},
    NamedRule{"Unsqueeze", Unsqueeze},
};

}  // namespace

LightRule FindShapeRule(std::string_view name) {
  const auto found = std::ranges::find(kRules, name, &NamedRule::name);
  return found == kRules.end() ? nullptr : found->rule;
}

}  // namespace slipway::engine::onnx

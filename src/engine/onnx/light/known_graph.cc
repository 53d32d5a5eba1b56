#include "engine/onnx/light/known_graph.h"

#include <algorithm>
#include <utility>

namespace slipway::engine::onnx {

namespace {

using enum WireField::Type;

// What a trial run at load gives open dimensions: row_exactness.cc.
constexpr int64_t kRowsOfATrial = 256;
constexpr int64_t kOpenOfATrial = 64;
constexpr int64_t kCopiesOfInputs = 4;  // the made-up rows, a batch of them, what is bound, and the rest
constexpr size_t kMostRank = 8;
constexpr int64_t kMostIntegers = 64;

constexpr uint64_t Bits(std::initializer_list<int> fields) {
  uint64_t bits = 0;
  for (int field : fields) bits |= uint64_t{1} << field;
  return bits;
}

/// Bytes of one element; 0: a type that is not known here.
int64_t SizeOf(int64_t type) {
  constexpr int64_t kSizes[] = {0, 4, 1, 1, 2, 2, 4, 8, 32, 1, 2, 8, 4, 8, 0, 0, 2};
  return type > 0 && type < static_cast<int64_t>(std::size(kSizes)) ? kSizes[type] : 0;
}

/// Appends a repeated varint, packed or not; false when the packed bytes break off.
bool AppendVarints(const WireField& field, std::vector<int64_t>& values) {
  if (field.type == kVarint) {
    values.push_back(static_cast<int64_t>(field.value));
    return true;
  }
  if (field.type != kBytes) return false;
  uint64_t value = 0;
  int shift = 0;
  for (char c : field.bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    values.push_back(static_cast<int64_t>(value));
    value = 0;
    shift = 0;
  }
  return shift == 0;
}

/// The number of entries that a field adds to a list of varints.
int64_t CountVarints(const WireField& field) {
  if (field.type != kBytes) return 1;
  return std::ranges::count_if(field.bytes, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

int64_t CountFloats(const WireField& field) {
  return field.type == kBytes ? static_cast<int64_t>(field.bytes.size() / sizeof(float)) : 1;
}

std::optional<Dimensions> ExactShape(const std::vector<int64_t>& sizes) {
  if (sizes.size() > kMostRank) return std::nullopt;
  Dimensions shape;
  for (int64_t size : sizes) {
    if (size < 1) return std::nullopt;
    shape.push_back({size, Dimension::Kind::kExact});
  }
  return shape;
}

/// Raw bytes of whole numbers.
std::optional<std::vector<int64_t>> RawIntegers(std::string_view raw, int64_t size) {
  std::vector<int64_t> values;
  for (size_t at = 0; at + static_cast<size_t>(size) <= raw.size(); at += static_cast<size_t>(size)) {
    uint64_t value = 0;
    for (int64_t i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(raw[at + static_cast<size_t>(i)]);
    values.push_back(size == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value));
  }
  return values;
}

std::optional<Dimension> ReadDimension(std::string_view message, bool first) {
  StrictReader reader(message, Bits({1, 2, 3}), 0);
  WireField field;
  Dimension dimension{first ? kRowsOfATrial : kOpenOfATrial, first ? Dimension::Kind::kRows : Dimension::Kind::kOpen};
  while (reader.Next(field)) {
    if (!field.Is(1, kVarint)) continue;
    const auto size = static_cast<int64_t>(field.value);
    if (size == 0) return std::nullopt;
    if (size > 0) dimension = {size, Dimension::Kind::kExact};
  }
  if (!reader.ok()) return std::nullopt;
  return dimension;
}

}  // namespace

bool StrictReader::Next(WireField& field) {
  if (!ok_ || !reader_.Next(field)) return false;
  const uint64_t bit = field.number < 64 ? uint64_t{1} << field.number : 0;
  ok_ = (bit & (once_ | many_)) != 0 && (bit & once_ & seen_) == 0;
  seen_ |= bit;
  return ok_;
}

int64_t MostElements(const Dimensions& shape) {
  int64_t elements = 1;
  for (const Dimension& dimension : shape) elements = Times(elements, dimension.most);
  return elements;
}

int64_t KnownTensor::MostBytes() const {
  return Times(MostElements(shape), SizeOf(type));
}

bool KnownTensor::floating() const {
  return type == kFloatElement || type == 10 || type == 11 || type == 16;
}

std::optional<KnownTensor> ReadKnownTensor(std::string_view message) {
  // Once: type, name, raw bytes, documentation. Many: dimensions, data of each type, metadata. Not at all: segments,
  // external data.
  StrictReader reader(message, Bits({2, 8, 9, 12}), Bits({1, 4, 5, 6, 7, 10, 11, 16}));
  WireField field;
  KnownTensor tensor;
  std::vector<int64_t> sizes, integers;
  std::string_view raw;
  while (reader.Next(field)) {
    if (field.number == 1 && !AppendVarints(field, sizes)) return std::nullopt;
    if (field.Is(2, kVarint)) tensor.type = static_cast<int64_t>(field.value);
    if (field.Is(9, kBytes)) raw = field.bytes;
    const bool integer = field.number == 7 || field.number == 5;
    if (integer && integers.size() <= kMostIntegers && field.whole.size() <= kMostIntegers * 11 &&
        !AppendVarints(field, integers)) {
      return std::nullopt;
    }
  }
  const auto shape = ExactShape(sizes);
  if (!reader.ok() || !shape || SizeOf(tensor.type) == 0) return std::nullopt;
  tensor.shape = *shape;
  const int64_t count = MostElements(tensor.shape);
  if (count > static_cast<int64_t>(message.size())) return std::nullopt;
  if ((tensor.type == kInt64Element || tensor.type == 6) && count <= kMostIntegers) {
    if (!raw.empty()) integers = *RawIntegers(raw, SizeOf(tensor.type));
    if (static_cast<int64_t>(integers.size()) == count) tensor.integers = std::move(integers);
  }
  return tensor;
}

std::vector<int64_t> KnownAttribute::Integers() const {
  std::vector<int64_t> values;
  values.reserve(static_cast<size_t>(integers));
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.number == 7) reader.SkipFixed32(7);
    if (field.number != 8) continue;
    AppendVarints(field, values);
    reader.EachVarint(8, [&](uint64_t value) { values.push_back(static_cast<int64_t>(value)); });
  }
  return values;
}

std::vector<std::string_view> KnownAttribute::Texts() const {
  std::vector<std::string_view> values;
  values.reserve(static_cast<size_t>(texts));
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.number != 9) continue;
    values.push_back(field.bytes);
    reader.EachText(9, [&](std::string_view text) { values.push_back(text); });
  }
  return values;
}

const KnownAttribute* KnownNode::Find(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &KnownAttribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

int64_t KnownNode::Integer(std::string_view name, int64_t otherwise) const {
  const KnownAttribute* attribute = Find(name);
  return attribute == nullptr ? otherwise : attribute->integer;
}

std::string_view KnownNode::Text(std::string_view name, std::string_view otherwise) const {
  const KnownAttribute* attribute = Find(name);
  return attribute == nullptr ? otherwise : attribute->text;
}

namespace {

std::optional<KnownAttribute> ReadKnownAttribute(std::string_view message) {
  // Not at all: graphs, sparse tensors, types, references to a function's parameters, lists of tensors.
  StrictReader reader(message, Bits({1, 2, 3, 4, 5, 13, 20}), Bits({7, 8, 9}));
  WireField field;
  KnownAttribute attribute;
  attribute.message = message;
  WireReader& lists = reader.lists();
  while (reader.Next(field)) {
    if (field.Is(1, kBytes)) attribute.name = field.bytes;
    if (field.number == 2) attribute.has_float = true;
    if (field.Is(3, kVarint)) attribute.integer = static_cast<int64_t>(field.value);
    if (field.Is(4, kBytes)) attribute.text = field.bytes;
    if (field.Is(5, kBytes)) attribute.tensor = field.bytes;
    if (field.number == 7) attribute.floats += CountFloats(field) + static_cast<int64_t>(lists.SkipFixed32(7));
    if (field.number == 8) attribute.integers += CountVarints(field);
    if (field.number == 9) ++attribute.texts;
    if (field.number == 8) lists.EachVarint(8, [&](uint64_t) { ++attribute.integers; });
    if (field.number == 9) lists.EachText(9, [&](std::string_view) { ++attribute.texts; });
  }
  if (!reader.ok() || attribute.name.empty()) return std::nullopt;
  return attribute;
}

}  // namespace

std::optional<KnownNode> ReadKnownNode(std::string_view message) {
  StrictReader reader(message, Bits({3, 4, 6, 7}), Bits({1, 2, 5, 9}));
  WireField field;
  KnownNode node;
  while (reader.Next(field)) {
    if (field.type != kBytes) return std::nullopt;
    if (field.number == 1) node.inputs.push_back(field.bytes);
    if (field.number == 2) node.outputs.push_back(field.bytes);
    if (field.number == 4) node.type = field.bytes;
    if (field.number == 7) node.domain = field.bytes;
    if (field.number != 5) continue;
    auto attribute = ReadKnownAttribute(field.bytes);
    if (!attribute || node.Find(attribute->name) != nullptr || node.attributes.size() == 64) return std::nullopt;
    node.attributes.push_back(*attribute);
  }
  if (!reader.ok()) return std::nullopt;
  return node;
}

bool KnownGraph::Open(std::string_view graph) {
  // Once: name, documentation. Many: nodes, initializers, inputs, outputs, declared shapes, metadata. Not at all:
  // sparse initializers, quantization.
  StrictReader reader(graph, Bits({2, 10}), Bits({1, 5, 11, 12, 13, 16}));
  WireField field;
  std::vector<std::string_view> inputs;
  while (reader.Next(field)) {
    if (field.type != kBytes) return false;
    if (field.number == 1) nodes_.push_back(field.bytes);
    if (field.number == 11) inputs.push_back(field.bytes);
    if (field.number == 5 && !ReadInitializer(field.bytes)) return false;
  }
  return reader.ok() && std::ranges::all_of(inputs, [this](std::string_view input) { return ReadInput(input); });
}

bool KnownGraph::ReadInitializer(std::string_view message) {
  auto tensor = ReadKnownTensor(message);
  if (!tensor) return false;
  WireReader reader(message);
  WireField field;
  std::string_view name;
  while (reader.Next(field)) {
    if (field.Is(8, kBytes)) name = field.bytes;
  }
  return !name.empty() && tensors_.emplace(name, std::move(*tensor)).second;
}

bool KnownGraph::ReadInput(std::string_view message) {
  StrictReader value(message, Bits({1, 2, 3}), Bits({4}));
  WireField field;
  std::string_view name, type, tensor_type, shape;
  while (value.Next(field)) {
    if (field.Is(1, kBytes)) name = field.bytes;
    if (field.Is(2, kBytes)) type = field.bytes;
  }
  if (Find(name) != nullptr) return value.ok();  // an initializer that is an input too, as older files have them
  StrictReader types(type, Bits({1, 6}), 0);
  while (types.Next(field)) {
    if (field.Is(1, kBytes)) tensor_type = field.bytes;
  }
  StrictReader parts(tensor_type, Bits({1, 2}), 0);
  KnownTensor tensor;
  bool has_shape = false;
  while (parts.Next(field)) {
    if (field.Is(1, kVarint)) tensor.type = static_cast<int64_t>(field.value);
    if (field.Is(2, kBytes)) shape = field.bytes, has_shape = true;
  }
  StrictReader dimensions(shape, 0, Bits({1}));
  while (dimensions.Next(field)) {
    const auto dimension = ReadDimension(field.bytes, tensor.shape.empty());
    if (!dimension || tensor.shape.size() == kMostRank) return false;
    tensor.shape.push_back(*dimension);
  }
  Take(Times(tensor.MostBytes(), kCopiesOfInputs - 1));
  return value.ok() && types.ok() && parts.ok() && dimensions.ok() && has_shape && SizeOf(tensor.type) > 0 &&
         Put(name, std::move(tensor));
}

const KnownTensor* KnownGraph::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() || name.empty() ? nullptr : &found->second;
}

void KnownGraph::Take(int64_t bytes) {
  bytes_ = std::min(bytes_ + bytes, kSaturatedSize);
}

bool KnownGraph::Put(std::string_view name, KnownTensor tensor) {
  Take(tensor.MostBytes());
  return !name.empty() && tensors_.emplace(name, std::move(tensor)).second;
}

}  // namespace slipway::engine::onnx

#include "serving/grpc/tensor_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/infer_message.h"
#include "serving/tensors/tensor_encoder.h"

namespace slipway::serving::grpc {
namespace {

using base::Code;
using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;
using tensors::Datatype;

constexpr std::string_view kType = "tensorflow.TensorProto";
constexpr size_t kMostFilled = 64 << 20;  ///< bytes of a tensor that gives fewer elements than it has

/// A datatype of TensorFlow: its number, and the field that its elements stand in.
struct Facts {
  Datatype datatype;
  uint64_t number;
  uint32_t field;
  WireType element;
};
constexpr Facts kFacts[] = {
    {Datatype::kFp32, 1, 5, WireType::kFixed32},    {Datatype::kFp64, 2, 6, WireType::kFixed64},
    {Datatype::kInt32, 3, 7, WireType::kVarint},    {Datatype::kUint8, 4, 7, WireType::kVarint},
    {Datatype::kInt16, 5, 7, WireType::kVarint},    {Datatype::kInt8, 6, 7, WireType::kVarint},
    {Datatype::kBytes, 7, 8, WireType::kBytes},     {Datatype::kInt64, 9, 10, WireType::kVarint},
    {Datatype::kBool, 10, 11, WireType::kVarint},   {Datatype::kBf16, 14, 13, WireType::kVarint},
    {Datatype::kUint16, 17, 7, WireType::kVarint},  {Datatype::kFp16, 19, 13, WireType::kVarint},
    {Datatype::kUint32, 22, 16, WireType::kVarint}, {Datatype::kUint64, 23, 17, WireType::kVarint}};

const Facts& FactsOf(Datatype datatype) {
  return *std::ranges::find(kFacts, datatype, &Facts::datatype);
}

template <typename T>
void Append(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The bits of a number in the width of its datatype. False: it does not fit.
bool AppendBits(Datatype datatype, uint64_t bits, std::string& out) {
  const auto size = static_cast<size_t>(tensors::DatatypeSize(datatype));
  if (datatype == Datatype::kBool) bits = bits != 0 ? 1 : 0;
  if (size < 8 && datatype != Datatype::kFp32) {
    const auto value = static_cast<int64_t>(bits);
    const bool is_signed = datatype >= Datatype::kInt8 && datatype <= Datatype::kInt64;
    const int64_t span = int64_t{1} << (8 * size - (is_signed ? 1 : 0));
    if (value >= span || value < (is_signed ? -span : 0)) return false;
  }
  out.append(reinterpret_cast<const char*>(&bits), size);
  return true;
}

void AppendText(std::string_view text, std::string& out) {
  Append(static_cast<uint32_t>(text.size()), out);
  out += text;
}

/// Texts in tensor_content: all lengths as varints, then all bytes.
bool AppendContentTexts(std::string_view content, int64_t count, std::string& out) {
  std::string_view lengths = content;
  uint64_t length = 0, total = 0;
  bool broken = false;
  for (int64_t i = 0; i < count; ++i) {
    if (!NextPacked(lengths, WireType::kVarint, length, broken) || length > content.size()) return false;
    total += length;
  }
  if (lengths.size() != total) return false;
  std::string_view texts = lengths;
  for (int64_t i = 0; i < count; ++i) {
    NextPacked(content, WireType::kVarint, length, broken);
    AppendText(texts.substr(0, length), out);
    texts.remove_prefix(length);
  }
  return true;
}

}  // namespace

struct TensorMessageReader::Head {
  const Facts* facts = nullptr;
  std::optional<tensors::Shape> shape;
  std::string_view content;
};

namespace {

base::Result<tensors::Shape> ReadShape(std::string_view message, std::string_view name) {
  tensors::Shape shape;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(3, WireType::kVarint) && reader.boolean()) {
      return base::Fail(Code::kInvalidArgument, "tensor.shape",
                        fmt::format("input {} has no known shape; send one", base::Shorten(name)));
    }
    if (!reader.Is(2, WireType::kBytes)) continue;
    if (shape.rank == tensors::Shape::kMaxRank) {
      return base::Fail(Code::kInvalidArgument, "tensor.limit",
                        fmt::format("a tensor has at most {} dimensions", tensors::Shape::kMaxRank));
    }
    int64_t size = 0;
    WireReader dimension(reader.bytes());
    while (dimension.Next()) {
      if (dimension.Is(1, WireType::kVarint)) size = dimension.integer();
    }
    if (dimension.broken()) return std::unexpected(BrokenMessage(kType));
    shape.Add(size);
  }
  if (reader.broken()) return std::unexpected(BrokenMessage(kType));
  return shape;
}

}  // namespace

base::Result<void> TensorMessageReader::Read(std::string_view name, std::string_view message,
                                             tensors::TensorDecoder& decoder) {
  Head head;
  uint64_t number = 0;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kVarint)) number = reader.varint();
    if (reader.Is(4, WireType::kBytes)) head.content = reader.bytes();
    if (!reader.Is(2, WireType::kBytes)) continue;
    SLIPWAY_ASSIGN(head.shape, ReadShape(reader.bytes(), name));
  }
  if (reader.broken()) return std::unexpected(BrokenMessage(kType));
  head.facts = std::ranges::find(kFacts, number, &Facts::number);
  if (head.facts == std::end(kFacts)) {
    return base::Fail(Code::kInvalidArgument, "tensor.datatype",
                      fmt::format("input {} has dtype {}, which no input takes; send DT_FLOAT, DT_DOUBLE, DT_INT64, "
                                  "DT_BOOL, DT_STRING or another plain type",
                                  base::Shorten(name), number));
  }
  const tensors::Shape shape = head.shape.value_or(tensors::Shape());
  SLIPWAY_ASSIGN(const auto slot, decoder.Admit({name, head.facts->datatype, shape}));
  if (slot.input < 0) return {};  // one that the schema says to ignore
  SLIPWAY_ASSIGN(const std::string_view elements, Elements(head, name, message, slot.elements));
  return decoder.AddRaw(slot, elements);
}

base::Result<std::string_view> TensorMessageReader::Elements(const Head& head, std::string_view name,
                                                             std::string_view message, int64_t count) {
  const Facts& facts = *head.facts;
  elements_.clear();
  if (!head.content.empty()) {
    if (facts.datatype != Datatype::kBytes) return head.content;
    if (AppendContentTexts(head.content, count, elements_)) return elements_;
    return std::unexpected(BrokenMessage(kType));
  }
  int64_t found = 0;
  std::string_view packed;
  bool fits = true, read = true;
  WireReader reader(message);
  const auto add = [&](uint64_t bits) {
    ++found;
    last_ = elements_.size();
    return fits = AppendBits(facts.datatype, bits, elements_);
  };
  while (read && reader.Next()) {
    if (reader.field() != facts.field) continue;
    if (facts.element == WireType::kBytes) {
      if (reader.type() != WireType::kBytes) continue;
      ++found;
      last_ = elements_.size();
      AppendText(reader.bytes(), elements_);
      continue;
    }
    const int64_t size = tensors::DatatypeSize(facts.datatype);
    const bool whole = facts.element != WireType::kVarint && reader.type() == WireType::kBytes && found == 0;
    if (whole && std::ssize(reader.bytes()) == count * size && packed.empty()) {
      packed = reader.bytes();  // what raw tensors have, and all of it
      continue;
    }
    read = std::exchange(packed, {}).empty() && ForEachNumber(reader, facts.element, add);
  }
  if (!fits) {
    return base::Fail(Code::kInvalidArgument, "tensor.data",
                      fmt::format("an element of input {} is no {}; send another dtype", base::Shorten(name),
                                  DatatypeName(facts.datatype)));
  }
  if (reader.broken() || !read) return std::unexpected(BrokenMessage(kType));
  if (!packed.empty()) return packed;
  if (found > 0 && found < count) SLIPWAY_TRY(FillUp(facts.datatype, count - found));
  return elements_;
}

/// Elements that are left out are as the last one.
base::Result<void> TensorMessageReader::FillUp(Datatype datatype, int64_t missing) {
  const std::string last = elements_.substr(last_);
  if (static_cast<uint64_t>(missing) > kMostFilled / std::max<size_t>(last.size(), 1)) {
    return base::Fail(Code::kInvalidArgument, "tensor.limit",
                      fmt::format("a tensor of {} that repeats its last element may have {} bytes; send its elements",
                                  DatatypeName(datatype), kMostFilled));
  }
  for (int64_t i = 0; i < missing; ++i) elements_ += last;
  return {};
}

void AppendShape(uint32_t field, const tensors::Shape& shape, std::string& out) {
  WireWriter writer(out);
  const auto part = writer.Begin(field);
  for (const int64_t dimension : shape.span()) {
    const auto entry = writer.Begin(2);
    if (dimension != 0) writer.Integer(1, dimension);
    writer.End(entry);
  }
  writer.End(part);
}

namespace {

/// Raw texts, each with its length before it, as elements of string_val.
void AppendTexts(std::string_view raw, WireWriter& writer) {
  while (!raw.empty()) {
    uint32_t length = 0;
    std::memcpy(&length, raw.data(), sizeof length);
    writer.Text(8, raw.substr(sizeof length, length));
    raw.remove_prefix(sizeof length + length);
  }
}

void AppendVarints(Datatype datatype, std::string_view raw, WireWriter& writer) {
  VisitNumeric(datatype, [&]<typename T>(T) {
    for (; raw.size() >= sizeof(T); raw.remove_prefix(sizeof(T))) {
      T value;
      std::memcpy(&value, raw.data(), sizeof value);
      if constexpr (std::is_integral_v<T>) {
        writer.Number(static_cast<uint64_t>(static_cast<int64_t>(value)));
      } else if constexpr (sizeof(T) == 2) {
        writer.Number(value.bits);
      }
    }
  });
}

}  // namespace

void AppendTensor(Datatype datatype, const tensors::Shape& shape, const data::Column& column, std::string& out) {
  const Facts& facts = FactsOf(datatype);
  WireWriter writer(out);
  writer.Varint(1, facts.number);
  AppendShape(2, shape, out);
  if (facts.element == WireType::kFixed32 || facts.element == WireType::kFixed64) {
    const auto part = writer.Begin(facts.field, static_cast<size_t>(column.rows()) * 8);
    AppendRaw(datatype, column, out);
    writer.End(part);
    return;
  }
  std::string raw;
  AppendRaw(datatype, column, raw);
  if (datatype == Datatype::kBytes) return AppendTexts(raw, writer);
  if (raw.empty()) return;
  const auto part = writer.Begin(facts.field, raw.size());
  AppendVarints(datatype, raw, writer);
  writer.End(part);
}

}  // namespace slipway::serving::grpc

#include "serving/tensors/tensor_decoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "scoring/half.h"

namespace slipway::serving::tensors {
namespace {

using base::Code;
using data::ScalarType;

std::unexpected<base::Error> Refuse(std::string reason, std::string message) {
  return base::Fail(Code::kInvalidArgument, std::move(reason), std::move(message));
}

/// The element as what it means: 16-bit floats as float, everything else as it is.
template <typename T>
auto Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::is_same_v<T, Half>) {
    return scoring::HalfToFloat(value.bits);
  } else if constexpr (std::is_same_v<T, Bfloat>) {
    return scoring::Bfloat16ToFloat(value.bits);
  } else {
    return value;
  }
}
template <typename T>
using Loaded = decltype(Load<T>(nullptr));

/// Product of dimensions none of which is negative; nullopt past 2^63.
std::optional<int64_t> Product(std::span<const int64_t> dimensions) {
  int64_t product = 1;
  for (const int64_t dimension : dimensions) {
    if (__builtin_mul_overflow(product, dimension, &product)) return std::nullopt;
  }
  return product;
}

bool Fits(std::span<const int64_t> found, std::span<const int64_t> wanted) {
  return std::ranges::equal(found, wanted, [](int64_t f, int64_t w) { return w < 0 || f == w; });
}

bool IsInteger(Datatype type) {
  return type >= Datatype::kUint8 && type <= Datatype::kInt64;
}

bool Rounds(Datatype type) {
  return type == Datatype::kFp32 || type == Datatype::kFp16 || type == Datatype::kBf16;
}

double RoundTo(Datatype type, double value) {
  switch (type) {
    case Datatype::kFp32:
      return static_cast<float>(value);
    case Datatype::kFp16:
      return scoring::HalfToFloat(scoring::FloatToHalf(static_cast<float>(value)));
    case Datatype::kBf16:
      return scoring::Bfloat16ToFloat(scoring::FloatToBfloat16(static_cast<float>(value)));
    default:
      return value;
  }
}

double AsDouble(const data::NumberText& number) {
  using Kind = data::NumberText::Kind;
  if (number.kind == Kind::kInteger) return static_cast<double>(number.integer);
  return number.kind == Kind::kUnsigned ? static_cast<double>(number.unsigned_integer) : number.number;
}

/// "a, b, c", the first sixteen.
std::string NamesOf(const data::Layout& layout) {
  const std::span names = layout.names();
  return fmt::format("{}{}", fmt::join(names.first(std::min<size_t>(16, names.size())), ", "),
                     names.size() > 16 ? ", …" : "");
}

/// Whether an integer datatype holds this number of a JSON text.
bool Holds(Datatype type, const data::NumberText& number) {
  using Kind = data::NumberText::Kind;
  if (number.kind == Kind::kUnsigned) return type == Datatype::kUint64;
  int64_t value = 0;
  if (number.kind == Kind::kInteger) {
    value = number.integer;
  } else {
    if (!(std::abs(number.number) < 0x1p53) || number.number != std::trunc(number.number)) return false;
    value = static_cast<int64_t>(number.number);
  }
  return VisitNumeric(type, [&]<typename T>(T) {
    if constexpr (std::is_integral_v<T>) return std::in_range<T>(value);
    return true;
  });
}

}  // namespace

TensorDecoder::TensorDecoder(const Contract& contract, const data::Layout& layout)
    : contract_(contract), layout_(layout), seen_(contract.inputs.size()) {}

void TensorDecoder::Begin(data::Decoded& out) {
  out_ = &out;
  builder_.emplace(layout_, out);
  std::ranges::fill(seen_, 0);
  rows_ = -1;
}

base::Result<TensorDecoder::Slot> TensorDecoder::Admit(const TensorHead& head) {
  Slot slot;
  slot.datatype = head.datatype;
  slot.shape = head.shape;
  for (const int64_t dimension : head.shape.span()) {
    if (dimension < 0) {
      return Refuse("tensor.shape", fmt::format("input {} has shape {}, and no dimension can be negative",
                                                base::Shorten(head.name), head.shape.ToString()));
    }
  }
  const auto elements = Product(head.shape.span());
  if (!elements || *elements > std::numeric_limits<int64_t>::max() / 8) {
    return Refuse("tensor.shape", fmt::format("input {} has shape {}, more elements than a request can hold",
                                              base::Shorten(head.name), head.shape.ToString()));
  }
  slot.elements = *elements;
  slot.input = layout_.Find(head.name);
  if (slot.input < 0) {
    if (layout_.unknown_fields() == data::UnknownFields::kIgnore) return slot;
    return Refuse("tensor.unknown",
                  fmt::format("\"{}\" is no input of this model{}; its inputs are {}", base::Shorten(head.name),
                              base::DidYouMean(head.name, layout_.names()), NamesOf(layout_)));
  }
  if (seen_[static_cast<size_t>(slot.input)] != 0) {
    return Refuse("tensor.duplicate", fmt::format("input {} came more than once; send it once", head.name));
  }
  seen_[static_cast<size_t>(slot.input)] = 1;
  SLIPWAY_TRY(FitShape(head, port(slot), slot));
  return slot;
}

base::Result<void> TensorDecoder::FitShape(const TensorHead& head, const Port& port, Slot& slot) {
  std::span<const int64_t> found = head.shape.span();
  std::span<const int64_t> wanted = port.shape;
  int64_t rows = 1;
  bool fits = true;
  if (port.rows_first) {
    fits = !found.empty();
    rows = fits ? found[0] : 0;
    if (fits) found = found.subspan(1);
    wanted = wanted.subspan(std::min<size_t>(1, wanted.size()));
  }
  slot.scalar = layout_.fields()[static_cast<size_t>(slot.input)].type.is_scalar();
  fits &= Fits(found, wanted) || (slot.scalar && std::ranges::all_of(found, [](int64_t d) { return d == 1; }));
  if (!fits) {
    return Refuse("tensor.shape", fmt::format("input {} takes shape [{}], not {}", port.name,
                                              fmt::join(port.shape, ","), head.shape.ToString()));
  }
  for (const int64_t dimension : found) {
    slot.row_shape.Add(dimension);
    slot.width *= dimension;
  }
  return FitRows(head, rows);
}

base::Result<void> TensorDecoder::FitRows(const TensorHead& head, int64_t rows) {
  if (rows > contract_.max_rows) {
    return base::Fail(Code::kInvalidArgument, "tensor.limit",
                      fmt::format("input {} has {} rows, and this model takes at most {} in a request "
                                  "(limits.max_batch_rows); send fewer at a time",
                                  head.name, rows, contract_.max_rows));
  }
  if (rows_ >= 0 && rows != rows_) {
    return Refuse("tensor.shape",
                  fmt::format("input {} has {} rows, but the inputs before it have {}; all inputs have the same number "
                              "of rows",
                              head.name, rows, rows_));
  }
  rows_ = rows;
  return {};
}

base::Result<void> TensorDecoder::AddRaw(const Slot& slot, std::string_view bytes) {
  if (slot.datatype == Datatype::kBytes) return AddTexts(slot, bytes);
  const int64_t size = DatatypeSize(slot.datatype);
  if (static_cast<int64_t>(bytes.size()) != slot.elements * size) {
    return Refuse("tensor.size",
                  fmt::format("a tensor of shape {} and datatype {} has {} bytes, but {} came{}{}",
                              slot.shape.ToString(), DatatypeName(slot.datatype), slot.elements * size, bytes.size(),
                              slot.input < 0 ? "" : " for input ", slot.input < 0 ? "" : port(slot).name));
  }
  if (slot.input < 0) return {};
  VisitNumeric(slot.datatype, [&]<typename T>(T) {
    if (!FillColumn<T>(slot, bytes.data())) FillCells<T>(slot, bytes.data());
  });
  return {};
}

/// Whole columns at once where every element converts. False, with the column as it was, where some may not.
template <typename T>
bool TensorDecoder::FillColumn(const Slot& slot, const char* bytes) {
  data::Column& column = out_->table.columns[static_cast<size_t>(slot.input)];
  if (column.type().is_variable()) return false;
  const auto at = [&](int64_t i) { return Load<T>(bytes + i * static_cast<int64_t>(sizeof(T))); };
  const int64_t count = slot.elements;
  if (slot.datatype == Datatype::kBool) {
    if (column.type().scalar != ScalarType::kBoolean) return false;
    if (!std::all_of(bytes, bytes + count, [](char c) { return c == 0 || c == 1; })) return false;
    std::copy_n(bytes, count, column.ResizeBooleans(rows_));
    return true;
  }
  if (column.type().scalar == ScalarType::kNumber) {
    double* to = column.ResizeNumbers(rows_);
    if constexpr (std::is_same_v<T, double>) {
      if (count > 0) std::memcpy(to, bytes, static_cast<size_t>(count) * sizeof(double));
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = static_cast<double>(at(i));
    }
    if (std::is_floating_point_v<Loaded<T>> && port(slot).nan_is_missing) {
      for (int64_t i = 0; i < count; ++i) {
        if (std::isnan(to[i])) column.SetNull(i);
      }
    }
    return true;
  }
  if constexpr (std::is_integral_v<T>) {
    if (column.type().scalar != ScalarType::kInteger) return false;
    for (int64_t i = 0; std::is_same_v<T, uint64_t> && i < count; ++i) {
      if (!std::in_range<int64_t>(at(i))) return false;
    }
    int64_t* to = column.ResizeIntegers(rows_);
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<int64_t>(at(i));
    return true;
  }
  return false;
}

template <typename T>
void TensorDecoder::FillCells(const Slot& slot, const char* bytes) {
  const bool scalar = slot.scalar;
  data::RowBuilder& builder = *builder_;
  const auto set = [&](const Loaded<T>& value) {
    if (slot.datatype == Datatype::kBool && (value == 0 || value == 1)) {
      scalar ? builder.SetBoolean(slot.input, value != 0) : builder.ElementBoolean(value != 0);
    } else if constexpr (std::is_floating_point_v<Loaded<T>>) {
      scalar ? builder.SetNumber(slot.input, value) : builder.ElementNumber(value);
    } else if constexpr (std::is_same_v<T, uint64_t>) {
      scalar ? builder.SetUnsigned(slot.input, value) : builder.ElementUnsigned(value);
    } else {
      scalar ? builder.SetInteger(slot.input, value) : builder.ElementInteger(value);
    }
  };
  StartElements();
  if (slot.width == 0) AddEmptyRows(slot);
  for (int64_t i = 0; i < slot.elements; ++i) {
    BeginElement(slot);
    set(Load<T>(bytes + i * static_cast<int64_t>(sizeof(T))));
    EndElement(slot);
  }
}

base::Result<void> TensorDecoder::AddTexts(const Slot& slot, std::string_view bytes) {
  const auto refuse = [&](std::string_view why) {
    return Refuse("tensor.size", fmt::format("the BYTES data of shape {} {}: each element is a 32-bit length, then so "
                                             "many bytes",
                                             slot.shape.ToString(), why));
  };
  StartElements();
  if (slot.input >= 0 && slot.width == 0) AddEmptyRows(slot);
  for (int64_t i = 0; i < slot.elements; ++i) {
    uint32_t length = 0;
    if (bytes.size() < sizeof length) return refuse("ends before its last element");
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes.remove_prefix(sizeof length);
    if (bytes.size() < length) return refuse("has an element that is longer than what is left of it");
    const std::string_view text = bytes.substr(0, length);
    bytes.remove_prefix(length);
    if (slot.input < 0) continue;
    BeginElement(slot);
    slot.scalar ? builder_->SetString(slot.input, text) : builder_->ElementString(text);
    EndElement(slot);
  }
  if (!bytes.empty()) return refuse("goes on after its last element");
  return {};
}

void TensorDecoder::StartElements() {
  element_ = row_ = in_row_ = 0;
}

void TensorDecoder::BeginElement(const Slot& slot) {
  if (in_row_ != 0) return;
  builder_->MoveTo(row_);
  if (!slot.scalar) builder_->BeginTensor(slot.input);
}

void TensorDecoder::EndElement(const Slot& slot) {
  ++element_;
  if (++in_row_ != slot.width) return;
  in_row_ = 0;
  ++row_;
  if (!slot.scalar) builder_->EndTensor(slot.row_shape.span(), false);
}

/// Rows that have no elements.
void TensorDecoder::AddEmptyRows(const Slot& slot) {
  for (int64_t row = 0; row < rows_; ++row) {
    builder_->MoveTo(row);
    builder_->BeginTensor(slot.input);
    builder_->EndTensor(slot.row_shape.span(), false);
  }
}

base::Result<void> TensorDecoder::AddJson(const Slot& slot, data::JsonCursor& cursor, bool& broken) {
  StartElements();
  if (cursor.Peek() != '[') {
    return Refuse("tensor.data", "the data of a tensor is a list, flat or nested as its shape");
  }
  SLIPWAY_TRY(ReadList(slot, cursor, 0, broken));
  if (!broken && slot.input >= 0 && slot.width == 0) AddEmptyRows(slot);
  return {};
}

base::Result<void> TensorDecoder::ReadList(const Slot& slot, data::JsonCursor& cursor, size_t level, bool& broken) {
  const auto refuse = [&] {
    return Refuse("tensor.size",
                  fmt::format("the data of {}{} does not have shape {}: it is a flat list of {} elements, or lists "
                              "nested by dimension",
                              slot.input < 0 ? "a tensor" : "input ", slot.input < 0 ? "" : port(slot).name,
                              slot.shape.ToString(), slot.elements));
  };
  int64_t lists = 0, scalars = 0;
  for (bool more = cursor.FirstElement(broken); more; more = cursor.NextElement(broken)) {
    if (cursor.Peek() == '[') {
      if (++lists > 0 && (scalars > 0 || level + 1 >= slot.shape.rank)) return refuse();
      SLIPWAY_TRY(ReadList(slot, cursor, level + 1, broken));
      if (broken) return {};
      continue;
    }
    ++scalars;
    if (lists > 0 || element_ >= slot.elements) return refuse();
    SLIPWAY_TRY(ReadElement(slot, cursor, broken));
    if (broken) return {};
  }
  if (broken) return {};
  const bool flat = level == 0 && lists == 0;
  const bool leaf = level + 1 == slot.shape.rank || lists > 0 || slot.elements == 0;
  if (flat ? scalars != slot.elements : !leaf || lists + scalars != slot.shape[level]) return refuse();
  return {};
}

base::Result<void> TensorDecoder::ReadElement(const Slot& slot, data::JsonCursor& cursor, bool& broken) {
  if (slot.input < 0) {
    ++element_;
    broken = !cursor.Skip();
    return {};
  }
  const bool scalar = slot.scalar;
  data::RowBuilder& builder = *builder_;
  BeginElement(slot);
  switch (const char first = cursor.Peek(); first) {
    case '"': {
      std::string_view text;
      broken = !cursor.ReadString(text);
      if (!broken) scalar ? builder.SetString(slot.input, text) : builder.ElementString(text);
      break;
    }
    case 't':
    case 'f':
      broken = !cursor.ReadLiteral(first == 't' ? "true" : "false");
      scalar ? builder.SetBoolean(slot.input, first == 't') : builder.ElementBoolean(first == 't');
      break;
    case 'n':
      broken = !cursor.ReadLiteral("null");
      scalar ? builder.SetNull(slot.input) : builder.ElementNull();
      break;
    case '{':
      broken = !cursor.Skip();
      scalar ? builder.SetWrong(slot.input, "an object") : builder.ElementWrong("an object");
      break;
    default: {
      data::NumberText number;
      broken = !cursor.ReadNumber(number);
      if (!broken) SLIPWAY_TRY(AddNumber(slot, number));
    }
  }
  if (!broken) EndElement(slot);
  return {};
}

base::Result<void> TensorDecoder::AddNumber(const Slot& slot, data::NumberText number) {
  using Kind = data::NumberText::Kind;
  const ScalarType type = layout_.fields()[static_cast<size_t>(slot.input)].type.scalar;
  // A fraction in an integer column is that column's violation, in the words of every door.
  const bool wrong_anyway = number.kind == Kind::kNumber && type != ScalarType::kNumber;
  if (IsInteger(slot.datatype) && !wrong_anyway && !Holds(slot.datatype, number)) {
    return Refuse("tensor.data", fmt::format("element {} of input {} is no {}; send another datatype", element_,
                                             port(slot).name, DatatypeName(slot.datatype)));
  }
  data::RowBuilder& builder = *builder_;
  if (Rounds(slot.datatype)) {
    number.number = RoundTo(slot.datatype, AsDouble(number));
    number.kind = Kind::kNumber;
  }
  switch (number.kind) {
    case Kind::kUnsigned:
      slot.scalar ? builder.SetUnsigned(slot.input, number.unsigned_integer)
                  : builder.ElementUnsigned(number.unsigned_integer);
      break;
    case Kind::kInteger:
      slot.scalar ? builder.SetInteger(slot.input, number.integer) : builder.ElementInteger(number.integer);
      break;
    default:
      slot.scalar ? builder.SetNumber(slot.input, number.number) : builder.ElementNumber(number.number);
      break;
  }
  return {};
}

base::Result<void> TensorDecoder::End() {
  if (rows_ < 0) {
    return Refuse("tensor.missing", fmt::format("the request has no inputs; this model takes {}", NamesOf(layout_)));
  }
  builder_->EndColumns(rows_);
  return {};
}

}  // namespace slipway::serving::tensors

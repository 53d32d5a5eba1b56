#include "serving/grpc/example_message.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "rpc/wire_reader.h"
#include "serving/grpc/infer_message.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireReader;
using rpc::WireType;

/// Fields of Feature.
constexpr uint32_t kTexts = 1, kFloats = 2, kIntegers = 3;

std::unexpected<base::Error> Broken() {
  return std::unexpected(BrokenMessage("tensorflow.serving.Input"));
}

/// Calls `value(WireReader&, uint64_t bits)` with each value of a list; texts stand in the reader.
template <typename Value>
bool ForEachValue(uint32_t kind, std::string_view list, Value value) {
  WireReader reader(list);
  bool read = true;
  while (read && reader.Next()) {
    if (reader.field() != 1) continue;
    if (kind == kTexts) {
      if (reader.type() == WireType::kBytes) value(reader.bytes(), 0);
    } else {
      read = ForEachNumber(reader, kind == kFloats ? WireType::kFixed32 : WireType::kVarint, [&](uint64_t bits) {
        value({}, bits);
        return true;
      });
    }
  }
  return read && !reader.broken();
}

double FloatOf(uint64_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits));
}

void SetScalar(int field, uint32_t kind, std::string_view text, uint64_t bits, data::RowBuilder& builder) {
  if (kind == kTexts) {
    builder.SetString(field, text);
  } else if (kind == kFloats) {
    builder.SetNumber(field, FloatOf(bits));
  } else {
    builder.SetInteger(field, static_cast<int64_t>(bits));
  }
}

void AddElement(uint32_t kind, std::string_view text, uint64_t bits, data::RowBuilder& builder) {
  if (kind == kTexts) {
    builder.ElementString(text);
  } else if (kind == kFloats) {
    builder.ElementNumber(FloatOf(bits));
  } else {
    builder.ElementInteger(static_cast<int64_t>(bits));
  }
}

}  // namespace

base::Result<void> ExampleMessageReader::Read(std::string_view input, int64_t most, data::Decoded& out) {
  examples_.clear();
  context_.clear();
  std::string_view list;
  WireReader kinds(input);
  while (kinds.Next()) {
    if (kinds.type() == WireType::kBytes && (kinds.field() == 1 || kinds.field() == 2)) list = kinds.bytes();
  }
  if (kinds.broken()) return Broken();
  WireReader reader(list);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kBytes)) examples_.push_back(reader.bytes());
    if (reader.Is(2, WireType::kBytes)) SLIPWAY_TRY(CollectFeatures(reader.bytes(), context_));
  }
  if (reader.broken()) return Broken();
  if (std::ssize(examples_) > most) {
    return base::Fail(base::Code::kInvalidArgument, "example.limit",
                      fmt::format("the request has {} examples, and this model takes at most {} "
                                  "(limits.max_batch_rows); send fewer at a time",
                                  examples_.size(), most));
  }
  data::RowBuilder builder(layout_, out);
  for (const std::string_view example : examples_) {
    features_.clear();
    SLIPWAY_TRY(CollectFeatures(example, features_));
    builder.BeginRow();
    for (const Feature& feature : features_) SLIPWAY_TRY(SetFeature(feature, builder));
    for (const Feature& feature : context_) {
      const int field = layout_.Find(feature.name);
      if (field < 0 || !builder.Has(field)) SLIPWAY_TRY(SetFeature(feature, builder));
    }
    builder.EndRow();
  }
  return {};
}

base::Result<void> ExampleMessageReader::CollectFeatures(std::string_view example,
                                                         std::vector<Feature>& features) const {
  WireReader reader(example);
  while (reader.Next()) {
    if (!reader.Is(1, WireType::kBytes)) continue;
    WireReader entries(reader.bytes());
    while (entries.Next()) {
      if (!entries.Is(1, WireType::kBytes)) continue;
      Feature feature;
      WireReader entry(entries.bytes());
      while (entry.Next()) {
        if (entry.Is(1, WireType::kBytes)) feature.name = entry.bytes();
        if (entry.Is(2, WireType::kBytes)) feature.value = entry.bytes();
      }
      if (entry.broken()) return Broken();
      features.push_back(feature);
    }
    if (entries.broken()) return Broken();
  }
  if (reader.broken()) return Broken();
  return {};
}

base::Result<void> ExampleMessageReader::SetFeature(const Feature& feature, data::RowBuilder& builder) const {
  const int field = layout_.Find(feature.name);
  if (field < 0) {
    builder.Unknown(feature.name);
    return {};
  }
  uint32_t kind = 0;
  std::string_view list;
  WireReader reader(feature.value);
  while (reader.Next()) {
    if (reader.type() != WireType::kBytes || reader.field() > kIntegers) continue;
    kind = reader.field();
    list = reader.bytes();
  }
  if (reader.broken()) return Broken();
  if (kind == 0) {
    builder.SetNull(field);
    return {};
  }
  return SetList(field, kind, list, builder);
}

base::Result<void> ExampleMessageReader::SetList(int field, uint32_t kind, std::string_view list,
                                                 data::RowBuilder& builder) const {
  const data::DataType& type = layout_.fields()[static_cast<size_t>(field)].type;
  int64_t count = 0;
  if (!ForEachValue(kind, list, [&](std::string_view, uint64_t) { ++count; })) return Broken();
  if (type.is_scalar()) {
    if (count != 1) {
      builder.SetWrong(field, fmt::format("a list of {} values", count));
      return {};
    }
    ForEachValue(kind, list,
                 [&](std::string_view text, uint64_t bits) { SetScalar(field, kind, text, bits, builder); });
    return {};
  }
  builder.BeginTensor(field);
  ForEachValue(kind, list, [&](std::string_view text, uint64_t bits) { AddElement(kind, text, bits, builder); });
  // Lists of features are flat, in row-major order, whatever the shape.
  int64_t elements = 1;
  for (const int64_t dimension : type.shape) elements *= dimension;
  if (!type.is_variable() && elements == count) {
    builder.EndTensor(type.shape, false);
  } else {
    builder.EndTensor(std::array<int64_t, 1>{count}, false);
  }
  return {};
}

}  // namespace slipway::serving::grpc

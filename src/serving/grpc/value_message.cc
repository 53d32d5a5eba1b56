#include "serving/grpc/value_message.h"

#include <algorithm>

#include "base/text.h"
#include "rpc/wire_writer.h"

namespace slipway::serving::grpc {
namespace {

using base::Value;
using rpc::WireWriter;

int64_t IntegerOf(const Value& value) {
  if (value.is_string()) return base::ParseInt64(value.string()).value_or(0);
  return value.is_integer() ? value.integer() : 0;
}

int64_t WordOf(const Value& value, std::span<const WordNumber> words) {
  const auto found = std::ranges::find(words, std::string_view(value.string()), &WordNumber::word);
  return found == words.end() ? 0 : found->number;
}

void AppendNested(const Value& value, const FieldShape& field, WireWriter& writer) {
  const auto part = writer.Begin(field.number);
  AppendMessage(value, *field.message, writer.out());
  writer.End(part);
}

/// `bare`: an element of a list, which is written whatever it is.
void AppendOne(const Value& value, const FieldShape& field, bool bare, WireWriter& writer) {
  int64_t number = 0;
  switch (field.kind) {
    case FieldShape::kText:
      if (bare || !value.string().empty()) writer.Text(field.number, value.string());
      return;
    case FieldShape::kMessage:
      AppendNested(value, field, writer);
      return;
    case FieldShape::kMap:
      for (const auto& [name, entry] : value.map()) {
        const auto part = writer.Begin(field.number);
        writer.Text(1, name);
        AppendNested(entry, {.name = {}, .number = 2, .kind = FieldShape::kMessage, .message = field.message}, writer);
        writer.End(part);
      }
      return;
    case FieldShape::kInteger:
      number = IntegerOf(value);
      break;
    case FieldShape::kFlag:
      number = value.boolean() ? 1 : 0;
      break;
    case FieldShape::kWord:
      number = WordOf(value, field.words);
      break;
  }
  if (bare || number != 0) writer.Integer(field.number, number);
}

void AppendPacked(const Value& list, const FieldShape& field, WireWriter& writer) {
  if (list.list().empty()) return;
  const auto part = writer.Begin(field.number);
  for (const Value& value : list.list()) writer.Number(static_cast<uint64_t>(IntegerOf(value)));
  writer.End(part);
}

}  // namespace

void AppendMessage(const Value& map, const MessageShape& shape, std::string& out) {
  WireWriter writer(out);
  for (const FieldShape& field : shape.fields) {
    const Value* value = map.Find(field.name);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_list()) {
      AppendOne(*value, field, false, writer);
    } else if (field.kind == FieldShape::kInteger) {
      AppendPacked(*value, field, writer);
    } else {
      for (const Value& element : value->list()) AppendOne(element, field, true, writer);
    }
  }
}

}  // namespace slipway::serving::grpc

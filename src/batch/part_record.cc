#include "batch/part_record.h"

#include <fmt/format.h>

#include <utility>

namespace slipway::batch {
namespace {

using base::Value;

Value PlaceValue(const tables::PiecePlace& place) {
  return Value::List().Add(place.offset).Add(place.row).Add(place.line);
}

/// Reads members and remembers whether one was missing.
class Members {
 public:
  explicit Members(const Value& value) : value_(value) {}

  int64_t Integer(std::string_view key) {
    const Value* found = Find(key);
    if (found == nullptr || !found->is_integer()) return Missing();
    return found->integer();
  }
  std::string Text(std::string_view key) {
    const Value* found = Find(key);
    if (found == nullptr || !found->is_string()) {
      Missing();
      return {};
    }
    return found->string();
  }
  tables::PiecePlace Place(std::string_view key) {
    const Value* found = Find(key);
    if (found == nullptr || !found->is_list() || found->list().size() != 3) return {.offset = Missing()};
    const auto& list = found->list();
    for (const auto& item : list) {
      if (!item.is_integer()) return {.offset = Missing()};
    }
    return {.offset = list[0].integer(), .row = list[1].integer(), .line = list[2].integer()};
  }
  const Value* Find(std::string_view key) { return value_.Find(key); }
  bool complete() const { return complete_; }

 private:
  int64_t Missing() {
    complete_ = false;
    return 0;
  }
  const Value& value_;
  bool complete_ = true;
};

}  // namespace

std::string ToLine(const PartRecord& part) {
  auto reasons = Value::Map();
  for (const auto& [reason, count] : part.reasons) reasons.Set(reason, count);
  auto value = Value::Map();
  value.Set("part", part.number).Set("file", part.file).Set("begin", PlaceValue(part.begin));
  value.Set("end", PlaceValue(part.end))
      .Set("before", part.rows_before)
      .Set("rejected", part.rejected)
      .Set("input", part.input);
  value.Set("bytes", part.bytes).Set("output", part.output).Set("reject_bytes", part.reject_bytes);
  value.Set("rejects", part.rejects).Set("reasons", std::move(reasons));
  return base::ToJson(value) + "\n";
}

base::Result<PartRecord> ParsePart(std::string_view line) {
  SLIPWAY_ASSIGN(const auto value, base::ParseJson(line));
  Members members(value);
  PartRecord part;
  part.number = members.Integer("part");
  part.file = members.Integer("file");
  part.begin = members.Place("begin");
  part.end = members.Place("end");
  part.rows_before = members.Integer("before");
  part.rejected = members.Integer("rejected");
  part.input = members.Text("input");
  part.bytes = members.Integer("bytes");
  part.output = members.Text("output");
  part.reject_bytes = members.Integer("reject_bytes");
  part.rejects = members.Text("rejects");
  const Value* reasons = members.Find("reasons");
  if (!members.complete() || reasons == nullptr || !reasons->is_map()) {
    return base::Fail(base::Code::kDataLoss, "batch.damaged", "a line in the list of finished parts lacks a member");
  }
  for (const auto& [reason, count] : reasons->map()) {
    if (count.is_integer()) part.reasons[reason] = count.integer();
  }
  return part;
}

std::string PartName(int64_t number) {
  return fmt::format("part-{:06}", number);
}

}  // namespace slipway::batch

#include "batch/part_record.h"

#include <fmt/format.h>

#include <utility>

#include "base/map_reader.h"
#include "base/text.h"

namespace slipway::batch {
namespace {

using base::Value;

Value PlaceValue(const tables::PiecePlace& place) {
  return Value::List().Add(place.offset).Add(place.row).Add(place.line);
}

tables::PiecePlace PlaceOf(base::MapReader& reader, std::string_view key) {
  const auto numbers = reader.Integers(key);
  if (numbers.size() == 3) return {.offset = numbers[0], .row = numbers[1], .line = numbers[2]};
  reader.Fail();
  return {};
}

Value FilesValue(const std::vector<WrittenFile>& files) {
  auto list = Value::List();
  for (const auto& file : files) {
    auto item = Value::Map().Set("path", file.path).Set("rows", file.rows);
    list.Add(std::move(item.Set("bytes", file.bytes).Set("digest", file.digest)));
  }
  return list;
}

/// Whether all of them could be read.
bool ReadFiles(const Value& value, std::vector<WrittenFile>& files) {
  if (!value.is_list()) return false;
  for (const auto& item : value.list()) {
    base::MapReader members(item);
    files.push_back({.path = members.Text("path"),
                     .rows = members.Integer("rows"),
                     .bytes = members.Integer("bytes"),
                     .digest = members.Text("digest")});
    if (!members.fine()) return false;
  }
  return true;
}

}  // namespace

void CountReason(std::map<std::string, int64_t>& reasons, std::string_view field, std::string_view code,
                 int64_t count) {
  constexpr size_t kFieldBytes = 128;
  std::string reason =
      field.empty() ? std::string(code) : fmt::format("{} {}", base::Shorten(field, kFieldBytes), code);
  if (!field.empty() && reasons.size() >= kMostReasons && !reasons.contains(reason)) {
    reason = fmt::format("(other fields) {}", code);
  }
  reasons[std::move(reason)] += count;
}

std::string ToLine(const PartRecord& part) {
  auto reasons = Value::Map();
  for (const auto& [reason, count] : part.reasons) reasons.Set(reason, count);
  auto value = Value::Map();
  value.Set("part", part.number).Set("file", part.file).Set("begin", PlaceValue(part.begin));
  value.Set("end", PlaceValue(part.end))
      .Set("before", part.rows_before)
      .Set("left_out", part.left_out)
      .Set("rejected", part.rejected)
      .Set("input", part.input);
  value.Set("bytes", part.bytes).Set("output", part.output).Set("reject_bytes", part.reject_bytes);
  if (!part.files.empty()) value.Set("files", FilesValue(part.files));
  value.Set("rejects", part.rejects).Set("reasons", std::move(reasons));
  return base::ToJson(value) + "\n";
}

base::Result<PartRecord> ParsePart(std::string_view line) {
  SLIPWAY_ASSIGN(const auto value, base::ParseJson(line));
  base::MapReader members(value);
  PartRecord part;
  part.number = members.Integer("part");
  part.file = members.Integer("file");
  part.begin = PlaceOf(members, "begin");
  part.end = PlaceOf(members, "end");
  part.rows_before = members.Integer("before");
  part.left_out = members.Integer("left_out");
  part.rejected = members.Integer("rejected");
  part.input = members.Text("input");
  part.bytes = members.Integer("bytes");
  part.output = members.Text("output");
  part.reject_bytes = members.Integer("reject_bytes");
  part.rejects = members.Text("rejects");
  const Value* reasons = members.Find("reasons");
  const Value* files = value.Find("files");
  const bool files_fine = files == nullptr || ReadFiles(*files, part.files);
  if (!members.fine() || !files_fine || reasons == nullptr || !reasons->is_map()) {
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

#include "batch/partitions/partitioned_part.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "tables/output_file.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostBytes = int64_t{512} << 20;  ///< of the rows that are held
constexpr size_t kMostNameBytes = 255;              ///< of a folder, on the file systems there are

int64_t BytesOf(const data::Table& table) {
  int64_t bytes = 0;
  for (const auto& column : table.columns) {
    const auto view = column.view();
    if (view.rows == 0) continue;
    const int64_t elements = view.width < 0 ? view.row_offsets[view.rows] : view.rows * view.width;
    bytes += elements * 8;
    if (view.type == data::ScalarType::kString) bytes += view.offsets[elements];
  }
  return bytes;
}

base::Result<void> CheckNames(std::string_view folder) {
  while (!folder.empty()) {
    const auto name = folder.substr(0, folder.find('/'));
    folder.remove_prefix(std::min(folder.size(), name.size() + 1));
    if (name.size() <= kMostNameBytes) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.partition_value",
        fmt::format("a value of a column of --partition-by is too long for the name of a folder: {:?} has "
                    "{} bytes, and {} is the most; partition by another column",
                    base::Shorten(name), name.size(), kMostNameBytes));
  }
  return {};
}

base::Result<void> MakeFolder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return base::Fail(base::Code::kUnavailable, "tables.write", fmt::format("cannot be made: {}", failed.message()),
                    folder.string());
}

}  // namespace

std::string_view FolderOfFile(std::string_view path) {
  return path.substr(0, std::min(path.size(), path.rfind('/')));
}

base::Result<WrittenFile> FinishTable(tables::RowSink& table, const fs::path& path) {
  SLIPWAY_TRY(table.Finish());
  SLIPWAY_ASSIGN(const std::string bytes, base::ReadFile(path, INT64_MAX));
  return WrittenFile{
      .path = {}, .rows = 0, .bytes = static_cast<int64_t>(bytes.size()), .digest = base::Xxh3Digits(bytes)};
}

std::unexpected<base::Error> TooManyPartitions(const Job& job) {
  return base::Fail(
      base::Code::kFailedPrecondition, "batch.too_many_partitions",
      fmt::format("the rows have more than {} different values of {}, each a folder with a file a part; "
                  "partition by columns with fewer values, or allow more with --max-partitions, which resume takes too",
                  job.max_partitions, fmt::join(job.partition_by, ", ")));
}

base::Result<PartitionedPart::Group*> PartitionedPart::GroupOf(const std::string& folder) {
  const auto [group, is_new] = groups_.try_emplace(folder);
  if (!is_new) return &group->second;
  if (static_cast<int64_t>(groups_.size()) > plan_.job.max_partitions) return TooManyPartitions(plan_.job);
  if (!plan_.form->is_text()) group->second.table = data::Table::Make(plan_.form->fields());
  return &group->second;
}

base::Result<void> PartitionedPart::Add(ScoredRows& batch, int64_t file) {
  const auto& path = plan_.path_columns[static_cast<size_t>(file)];
  SLIPWAY_TRY(plan_.form->is_text() ? AddText(batch, file, path) : AddTable(batch, path));
  if (bytes_ <= kMostBytes) return {};
  return base::Fail(
      base::Code::kResourceExhausted, "batch.part_too_large",
      fmt::format("a part of {} rows takes more than 512 MiB, and with --partition-by all of it is held at "
                  "once; give a smaller --part-rows",
                  plan_.job.part_rows));
}

base::Result<void> PartitionedPart::AddText(ScoredRows& batch, int64_t file, const PathColumns& path) {
  text_.clear();
  plan_.form->AppendText(batch, plan_.NameOf(file), text_, &ends_);
  bytes_ += static_cast<int64_t>(text_.size());
  size_t begin = 0;
  for (size_t row = 0; row < ends_.size(); ++row) {
    if (ends_[row] == begin) continue;
    SLIPWAY_ASSIGN(auto* group, GroupOf(plan_.keys->FolderOf(batch, path, static_cast<int64_t>(row))));
    group->text.append(text_, begin, ends_[row] - begin);
    ++group->rows;
    begin = ends_[row];
  }
  return {};
}

base::Result<void> PartitionedPart::AddTable(ScoredRows& batch, const PathColumns& path) {
  const auto& table = plan_.form->Tabulate(batch);
  bytes_ += BytesOf(table);
  int64_t at = 0;
  for (int64_t row = 0; row < batch.rows.table.rows; ++row) {
    const bool rejected = batch.scores.report.rejected[static_cast<size_t>(row)] != 0;
    if (rejected && !plan_.job.rejects.empty()) continue;
    SLIPWAY_ASSIGN(auto* group, GroupOf(plan_.keys->FolderOf(batch, path, row)));
    for (size_t c = 0; c < table.columns.size(); ++c) {  // those of constants are empty
      if (table.columns[c].rows() > 0) group->table.columns[c].AppendFrom(table.columns[c], at);
    }
    ++at;
    group->table.rows = ++group->rows;
  }
  return {};
}

base::Result<WrittenFile> PartitionedPart::WriteGroup(const fs::path& path, const OpenTable& open, Group& group) const {
  WrittenFile file{.path = {}, .rows = group.rows, .bytes = 0, .digest = {}};
  if (!plan_.form->is_text()) {
    SLIPWAY_ASSIGN(const auto sink, open(path));
    SLIPWAY_TRY(sink->Write(group.table));
    SLIPWAY_ASSIGN(file, FinishTable(*sink, path));
    file.rows = group.rows;
    return file;
  }
  const std::string header = plan_.form->Header();
  SLIPWAY_ASSIGN(auto to, tables::OutputFile::Create(path.string()));
  base::Xxh3Stream digest;
  for (const auto& text : {std::string_view(header), std::string_view(group.text)}) {
    digest.Add(text);
    SLIPWAY_TRY(to.Append(text));
    file.bytes += static_cast<int64_t>(text.size());
  }
  SLIPWAY_TRY(to.Finish());
  file.digest = digest.Digits();
  return file;
}

base::Result<void> PartitionedPart::Write(const fs::path& parts, const OpenTable& open, PartRecord& record) {
  base::Xxh3Stream digests;
  std::set<fs::path> folders;
  for (auto& [folder, group] : groups_) {
    SLIPWAY_TRY(CheckNames(folder));
    SLIPWAY_TRY(MakeFolder(parts / folder));
    for (auto place = parts / folder; place != parts; place = place.parent_path()) folders.insert(place);
    const std::string name = fmt::format("{}/{}", folder, plan_.PartFile(record.number));
    SLIPWAY_ASSIGN(auto file, WriteGroup(parts / name, open, group));
    group = {};
    file.path = name;
    record.bytes += file.bytes;
    digests.Add(fmt::format("{} {}\n", file.path, file.digest));
    record.files.push_back(std::move(file));
  }
  for (const auto& folder : folders) SLIPWAY_TRY(base::SyncFolder(folder));
  record.output = digests.Digits();
  return {};
}

}  // namespace slipway::batch

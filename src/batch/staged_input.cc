#include "batch/staged_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "batch/query_objects.h"
#include "tables/database_address.h"
#include "tables/input_file.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

/// What the program takes beside the engine that answers.
constexpr int64_t kBaseBytes = int64_t{128} << 20;

base::Result<std::unique_ptr<tables::TableQuery>> Ask(const Job& job, const InputFile& file, const fs::path& folder) {
  SLIPWAY_ASSIGN(const auto text, QuestionOf(job, file));
  tables::QueryOptions options;
  options.threads = job.threads;
  options.memory = {job.memory.count - kBaseBytes};
  options.writes_to = folder.string();
  return tables::TableQuery::Open(text, options);
}

/// Of the columns there are, those that the model or the output needs.
std::vector<std::string> NeededColumns(const Plan& plan, const std::vector<tables::StoredColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) {
    if (plan.carried.layout.Find(column.name) >= 0) names.push_back(column.name);
  }
  if (names.empty() && !columns.empty()) names.push_back(columns.front().name);  // the rows count all the same
  return names;
}

base::Result<std::string> DigestOf(const std::string& path) {
  SLIPWAY_ASSIGN(auto file, tables::InputFile::Open(path));
  base::Xxh3Stream digest;
  while (true) {
    SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
    if (block.empty()) return digest.Digits();
    digest.Add(block);
  }
}

std::unexpected<base::Error> Damaged(const std::string& path, std::string_view what) {
  return base::Fail(base::Code::kDataLoss, "batch.staged_damaged",
                    fmt::format("the staged rows of this job {}; remove the job's folder and run the job again", what),
                    path);
}

base::Result<InputFile> StageOne(const Plan& plan, const InputFile& file, const fs::path& path,
                                 const StagingHooks& hooks) {
  SLIPWAY_ASSIGN(const auto query, Ask(plan.job, file, path.parent_path()));
  tables::QueryHooks watch;
  watch.stop = hooks.stop;
  watch.on_progress = [&](std::optional<double> share, int64_t bytes) {
    if (hooks.on_progress) hooks.on_progress(file.source, share, bytes);
  };
  auto written = query->WriteTo(path.string(), NeededColumns(plan, query->columns()), plan.job.limit, watch);
  if (!written && written.error().reason == "tables.stopped") {
    return base::Fail(base::Code::kAborted, "batch.stopped", "the job was stopped by a signal");
  }
  if (!written) return std::unexpected(written.error());
  SLIPWAY_TRY(base::SyncFolder(path.parent_path()));
  SLIPWAY_ASSIGN(auto staged, Look(path.string()));
  staged.source = file.source;
  staged.digest = written->digest;
  if (hooks.on_staged) hooks.on_staged(staged, written->rows);
  return staged;
}

}  // namespace

base::Result<tables::QuestionText> QuestionOf(const Job& job, const InputFile& file) {
  tables::QuestionText text{
      .database = {}, .files = {}, .sql = QueryOverCopies(job), .folder = job.sql_folder, .shown = file.source};
  text.copies = job.copies;
  if (job.sql.empty()) {
    SLIPWAY_ASSIGN(text.database, tables::ParseDatabaseSource(job.AddressOf(file.source)));
    return text;
  }
  if (!job.input.empty() && tables::IsDatabaseAddress(job.input.front())) {
    SLIPWAY_ASSIGN(text.database, tables::ParseDatabaseSource(job.AddressOf(job.input.front())));
    return text;
  }
  SLIPWAY_ASSIGN(const auto files, ListInput(InputsOverCopies(job), !job.format.empty()));
  if (!job.format.empty()) {
    SLIPWAY_ASSIGN(text.format, tables::ParseFormat(job.format));
  }
  for (const auto& input : files) text.files.push_back(input.path);
  return text;
}

base::Result<std::vector<InputFile>> ListSources(const Job& job) {
  if (!job.sql.empty()) return std::vector<InputFile>{{.path = "", .source = job.sql}};
  std::vector<InputFile> all;
  std::vector<std::string> paths;
  const auto list_paths = [&]() -> base::Result<void> {
    SLIPWAY_ASSIGN(const auto files, ListInput(paths, !job.format.empty()));
    for (const auto& file : files) {
      if (std::ranges::find(all, file.path, &InputFile::path) == all.end()) all.push_back(file);
    }
    paths.clear();
    return {};
  };
  for (const auto& input : job.input) {
    if (!tables::IsDatabaseAddress(input)) {
      paths.push_back(input);
      continue;
    }
    SLIPWAY_TRY(list_paths());
    all.push_back({.path = "", .source = input});
  }
  SLIPWAY_TRY(list_paths());
  return all;
}

base::Result<tables::TableHead> HeadOfSource(const Job& job, const InputFile& file) {
  if (file.is_staged()) {
    tables::TableOptions options;
    options.format = tables::Format::kParquet;
    return tables::ReadHead(file.path, options);
  }
  SLIPWAY_ASSIGN(const auto query, Ask(job, file, {}));
  tables::TableHead head;
  head.path = file.source;
  head.format = tables::Format::kParquet;
  head.columns = query->columns();
  return head;
}

base::Result<void> CheckTypes(const Plan& plan) {
  for (size_t i = 0; i < plan.files.size(); ++i) {
    const bool is_file = plan.files[i].source.empty();
    for (const auto& column : plan.heads[i].columns) {
      const int field = plan.carried.layout.Find(column.name);
      if (field >= 0 && !column.unreadable.empty()) {
        return base::Fail(base::Code::kInvalidArgument, "batch.unusable_column", column.unreadable, plan.heads[i].path);
      }
      if (is_file || field < 0 || column.type || plan.carried.layout.fields()[static_cast<size_t>(field)].as_text)
        continue;
      return base::Fail(base::Code::kInvalidArgument, "batch.unusable_column",
                        fmt::format("the column {:?} has the type {}, which no model takes; cast it in a query: "
                                    "SELECT CAST({} AS …) AS {} FROM …",
                                    column.name, column.stored_type, column.name, column.name),
                        plan.heads[i].path);
    }
  }
  return {};
}

base::Result<std::vector<InputFile>> Stage(const Plan& plan, const fs::path& folder, const StagingHooks& hooks) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    return base::Fail(base::Code::kUnavailable, "file.write", fmt::format("cannot be made: {}", failed.message()),
                      folder.string());
  }
  std::set<std::string> staged;
  for (const auto& file : plan.files) {
    if (!file.source.empty()) staged.insert(file.path);
  }
  std::vector<fs::path> strays;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (!staged.contains(entry.path().string())) strays.push_back(entry.path());
  }
  for (const auto& stray : strays) fs::remove_all(stray, failed);
  auto files = plan.files;
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i].is_staged()) continue;
    SLIPWAY_ASSIGN(files[i], StageOne(plan, files[i], folder / fmt::format("{:03}.parquet", i), hooks));
  }
  return files;
}

base::Result<InputFile> LookAgain(const InputFile& listed) {
  if (!listed.is_staged()) return listed;
  auto now = Look(listed.path);
  if (listed.source.empty()) return now;
  if (!now && now.error().code == base::Code::kNotFound) return Damaged(listed.path, "are gone");
  if (!now) return now;
  now->source = listed.source;
  now->digest = listed.digest;
  if (*now == listed) return now;
  SLIPWAY_ASSIGN(const auto digest, DigestOf(listed.path));
  if (digest != listed.digest) return Damaged(listed.path, "are not what they were");
  return now;
}

}  // namespace slipway::batch

#include "batch/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "bundle/manifest.h"
#include "bundle/manifest/section_reader.h"
#include "storage/object_store.h"
#include "tables/database_address.h"

namespace slipway::batch {
namespace {

using base::Value;

const std::vector<std::string> kKeys = {"model",
                                        "input",
                                        "format",
                                        "output",
                                        "output_format",
                                        "keep",
                                        "rejects",
                                        "threads",
                                        "ignore_unknown",
                                        "part_rows",
                                        "limit",
                                        "shard",
                                        "job",
                                        "memory",
                                        "max_errors",
                                        "where",
                                        "sample",
                                        "model_columns",
                                        "sql",
                                        "partition_columns",
                                        "partition_by",
                                        "max_partitions",
                                        "row_group_rows"};
/// Of job.yaml, beside them: what schedule/periodic.h reads.
const std::vector<std::string> kFileKeys = [] {
  auto keys = kKeys;
  for (const auto* key : {"name", "schedule", "retry", "timeout"}) keys.emplace_back(key);
  return keys;
}();
/// Of the record of a job, beside them.
const std::vector<std::string> kRecordKeys = [] {
  auto keys = kKeys;
  keys.insert(keys.end(), {"output_folder", "sql_folder"});
  return keys;
}();

std::unexpected<base::Error> Usage(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "usage", std::move(message));
}

/// A text, or a list of texts.
std::vector<std::string> Texts(bundle::SectionReader& reader, std::string_view key) {
  std::vector<std::string> texts;
  const Value* value = reader.Find(key);
  if (value == nullptr) return texts;
  if (value->is_string()) return {value->string()};
  const bool fits = value->is_list() && !value->list().empty() &&
                    std::ranges::all_of(value->list(), [](const Value& item) { return item.is_string(); });
  if (!fits) {
    reader.Reject(key, "manifest.type",
                  fmt::format("{} must be a text or a list of texts, not {}", reader.Name(key), bundle::Shown(*value)));
    return texts;
  }
  for (const auto& item : value->list()) texts.push_back(item.string());
  return texts;
}

/// A text or a number, as people write limits.
std::string Written(bundle::SectionReader& reader, std::string_view key) {
  const Value* value = reader.Find(key);
  if (value == nullptr) return {};
  if (value->is_integer() || value->is_number()) return base::ToJson(*value);
  return reader.Text(key).value_or("");
}

std::string Absolute(const std::string& path) {
  return path.empty() || path == "-" || storage::IsObjectUrl(path)
             ? path
             : std::filesystem::absolute(path).lexically_normal().string();
}

bool NamesAFolder(const std::string& path) {
  std::error_code ignored;
  if (storage::IsObjectUrl(path)) return path.ends_with('/') || !std::filesystem::path(path).has_extension();
  if (path.ends_with('/') || std::filesystem::is_directory(path, ignored)) return true;
  return !std::filesystem::exists(path, ignored) && !std::filesystem::path(path).has_extension();
}

/// A path made absolute; an address of a database without its password, which is kept aside.
std::string Placed(const std::string& text, Job& job) {
  if (!tables::IsDatabaseAddress(text)) return Absolute(text);
  std::string whole = tables::WithAbsolutePath(text);
  std::string shown = tables::WithoutPassword(whole);
  job.addresses[shown] = std::move(whole);
  return shown;
}

base::Result<void> CheckTwice(std::string_view option, const std::vector<std::string>& columns) {
  std::set<std::string> names;
  for (const auto& name : columns) {
    if (!names.insert(name).second) return Usage(fmt::format("{} names {:?} twice; leave one out", option, name));
  }
  return {};
}

base::Result<void> CheckPartitionBy(const Job& job) {
  if (job.partition_by.empty()) return {};
  if (!job.output_folder) {
    return Usage(fmt::format(
        "--partition-by writes a folder for each value, and the output {} is none; give a name that ends in "
        "/ or has no extension, and the format by --output-format",
        job.output));
  }
  for (const auto& name : job.partition_by) {
    if (name.empty() || name.front() == '.' || name.front() == '_') {
      return Usage(fmt::format(
          "--partition-by names {:?}, and folders whose names begin with . or _ are passed over by those who "
          "read them; name another column",
          name));
    }
  }
  return CheckTwice("--partition-by", job.partition_by);
}

base::Result<void> CheckAddresses(const Job& job) {
  for (const auto& input : job.input) {
    if (tables::IsDatabaseAddress(input)) SLIPWAY_TRY(tables::ParseDatabaseSource(job.AddressOf(input)));
  }
  if (!job.sql.empty() && job.input.size() > 1 &&
      std::ranges::any_of(job.input, [](const auto& input) { return tables::IsDatabaseAddress(input); })) {
    return Usage("a query is asked of one database; name one --input");
  }
  if (!job.sql.empty() && !job.input.empty() && job.input.front() == "-") {
    return Usage("a query reads files and databases, not standard input; name a file");
  }
  const bool reads_files = std::ranges::any_of(job.input, [](const auto& i) { return !tables::IsDatabaseAddress(i); });
  if (!job.format.empty() && !reads_files) {
    return Usage(
        "--format is of the files that --input names, and there is none; leave it out, or name the reader in "
        "the query: read_csv('…')");
  }
  if (!tables::IsDatabaseAddress(job.output)) return {};
  SLIPWAY_ASSIGN(const auto target, tables::ParseDatabaseTarget(job.AddressOf(job.output)));
  if (job.shard.count > 1 && target.mode == tables::WriteMode::kReplace) {
    return Usage("with --shard each process would replace what the others wrote; use mode=append or mode=upsert");
  }
  if (!job.output_format.empty() && job.output_format != "parquet") {
    return Usage("a table of a database has no --output-format; leave it out");
  }
  return {};
}

/// Beside the output; of objects and tables on a server, in the working folder.
std::string FolderFor(const Job& job) {
  if (storage::IsObjectUrl(job.output)) return Absolute(job.output.substr(job.output.rfind('/') + 1)) + ".job";
  if (!tables::IsDatabaseAddress(job.output)) return job.output + ".job";
  const auto target = tables::ParseDatabaseTarget(job.output);
  const std::string table = target ? target->TableName() : "table";
  return target && !target->file.empty() ? fmt::format("{}.{}.job", target->file, table) : Absolute(table + ".job");
}

/// Processes of one job write apart from each other.
base::Result<void> GiveOwnNames(Job& job) {
  const auto own = fmt::format("{}-of-{}", job.shard.index, job.shard.count);
  if (job.output_folder) {
    if (job.folder.empty()) job.folder = std::filesystem::path(FolderFor(job)).replace_extension(own + ".job").string();
    job.output = fmt::format("{}/shard-{}", job.output, own);
  }
  if (tables::IsDatabaseAddress(job.output) && job.folder.empty()) {
    job.folder = std::filesystem::path(FolderFor(job)).replace_extension(own + ".job").string();
  }
  for (auto* name : {&job.output, &job.rejects, &job.folder}) {
    if (tables::IsDatabaseAddress(*name)) continue;
    const size_t at = name->find("{shard}");
    if (at != std::string::npos) {
      name->replace(at, 7, own);
    } else if (!name->empty() && name->find(own) == std::string::npos) {
      return Usage(
          fmt::format("with --shard each process writes a file of its own: put {{shard}} into the name {}, or "
                      "give a folder as output",
                      *name));
    }
  }
  return {};
}

void Read(bundle::SectionReader& reader, Job& job) {
  job.model = reader.Text("model").value_or("");
  job.input = Texts(reader, "input");
  job.sql = reader.Text("sql").value_or("");
  job.sql_folder = reader.Text("sql_folder").value_or("");
  job.output_folder = reader.Boolean("output_folder", false);
  job.format = reader.Text("format").value_or("");
  job.output = reader.Text("output").value_or("");
  job.output_format = reader.Text("output_format").value_or("");
  job.keep = Texts(reader, "keep");
  job.partition_by = Texts(reader, "partition_by");
  job.max_partitions = reader.Integer("max_partitions", 1, kMostPartitions).value_or(job.max_partitions);
  job.row_group_rows = reader.Integer("row_group_rows", kLeastGroupRows, kMostPartRows);
  job.rejects = reader.Text("rejects").value_or("");
  job.folder = reader.Text("job").value_or("");
  job.ignore_unknown = reader.Boolean("ignore_unknown", false);
  job.partition_columns = reader.Boolean("partition_columns", true);
  job.part_rows = reader.Integer("part_rows", 1, kMostPartRows).value_or(job.part_rows);
  job.limit = reader.Integer("limit", 0, INT64_MAX);
  job.where = reader.Text("where").value_or("");
  job.model_columns = reader.Boolean("model_columns", true);
  if (const auto text = Written(reader, "sample"); !text.empty()) reader.Put(ParseSample(text), job.sample);
  job.threads = static_cast<int>(reader.Integer("threads", 1, 1024).value_or(0));
  if (const auto text = Written(reader, "shard"); !text.empty()) reader.Put(ParseShard(text), job.shard);
  if (const auto text = Written(reader, "max_errors"); !text.empty()) reader.Put(ParseErrorLimit(text), job.max_errors);
  if (const auto text = Written(reader, "memory"); !text.empty()) reader.Put(base::ParseBytes(text), job.memory);
}

Value TextList(const std::vector<std::string>& texts) {
  auto list = Value::List();
  for (const auto& text : texts) list.Add(text);
  return list;
}

}  // namespace

const std::string& Job::AddressOf(const std::string& shown) const {
  const auto given = addresses.find(shown);
  return given == addresses.end() ? shown : given->second;
}

bool ErrorLimit::Exceeded(int64_t rejected, int64_t of) const {
  if (rows && rejected > *rows) return true;
  return percent && static_cast<double>(rejected) * 100 > *percent * static_cast<double>(of);
}

std::string ErrorLimit::Text() const {
  if (rows) return std::to_string(*rows);
  return percent ? fmt::format("{}%", *percent) : "";
}

base::Result<ErrorLimit> ParseErrorLimit(std::string_view text) {
  ErrorLimit limit;
  if (text.ends_with('%')) {
    limit.percent = base::ParseDouble(text.substr(0, text.size() - 1));
    if (limit.percent && *limit.percent >= 0 && *limit.percent <= 100) return limit;
  } else {
    limit.rows = base::ParseInt64(text);
    if (limit.rows && *limit.rows >= 0) return limit;
  }
  return Usage(fmt::format("a limit of errors is a number of rows or a share, such as 1000 or 2.5%, not \"{}\"",
                           base::Shorten(text)));
}

base::Result<double> ParseSample(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto number = base::ParseDouble(text.substr(0, text.size() - (percent ? 1 : 0)));
  const double share = number.value_or(-1) / (percent ? 100 : 1);
  if (share > 0 && share <= 1) return share;
  return Usage(fmt::format("a sample is a share of the rows above 0 and up to 1, such as 0.01 or 1%, not \"{}\"",
                           base::Shorten(text)));
}

base::Result<Shard> ParseShard(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view index = text.substr(0, slash);
  const auto count = slash == std::string_view::npos ? std::nullopt : base::ParseInt64(text.substr(slash + 1));
  auto number = base::ParseInt64(index);
  if (index == "auto") {
    const char* given = std::getenv("JOB_COMPLETION_INDEX");
    if (given == nullptr) {
      return Usage("--shard auto/N takes its index from JOB_COMPLETION_INDEX, which is not set; name it: --shard 0/N");
    }
    number = base::ParseInt64(given);
  }
  if (number && count && *count >= 1 && *number >= 0 && *number < *count) {
    return Shard{.index = *number, .count = *count};
  }
  return Usage(fmt::format("a shard is I/N with I from 0 to N-1, such as 0/8 or auto/8, not \"{}\"{}",
                           base::Shorten(text), index == "auto" ? " with that JOB_COMPLETION_INDEX" : ""));
}

base::Result<Job> ParseJob(std::string_view yaml, const std::string& path) {
  const auto in_file = [&](base::Error error) {
    error.where = error.where.empty() ? path : fmt::format("{}:{}", path, error.where);
    return std::unexpected(std::move(error));
  };
  auto document = bundle::ParseYaml(yaml);
  if (!document) return in_file(std::move(document).error());
  if (!document->is_map()) {
    return in_file({base::Code::kInvalidArgument,
                    "job.type",
                    "a job is a map of keys: model, input, output and what else docs/batch.md names",
                    {}});
  }
  Job job;
  bundle::SectionReader reader(*document, "", kFileKeys);
  Read(reader, job);
  if (auto read = reader.Finish(); !read) return in_file(std::move(read).error());
  return job;
}

Value ToValue(const Job& job) {
  auto value = Value::Map();
  value.Set("model", job.model).Set("output", job.output);
  if (!job.input.empty()) value.Set("input", TextList(job.input));
  if (!job.sql.empty()) value.Set("sql", job.sql).Set("sql_folder", job.sql_folder);
  if (!job.format.empty()) value.Set("format", job.format);
  if (!job.output_format.empty()) value.Set("output_format", job.output_format);
  if (!job.keep.empty()) value.Set("keep", TextList(job.keep));
  if (!job.partition_by.empty()) value.Set("partition_by", TextList(job.partition_by));
  if (!job.partition_by.empty()) value.Set("max_partitions", job.max_partitions);
  if (job.row_group_rows) value.Set("row_group_rows", *job.row_group_rows);
  if (!job.rejects.empty()) value.Set("rejects", job.rejects);
  if (job.output_folder) value.Set("output_folder", true);
  if (job.ignore_unknown) value.Set("ignore_unknown", true);
  if (!job.partition_columns) value.Set("partition_columns", false);
  value.Set("part_rows", job.part_rows);
  if (job.limit) value.Set("limit", *job.limit);
  if (!job.where.empty()) value.Set("where", job.where);
  if (job.sample < 1) value.Set("sample", fmt::format("{}", job.sample));
  if (!job.model_columns) value.Set("model_columns", false);
  if (job.shard.count > 1) value.Set("shard", fmt::format("{}/{}", job.shard.index, job.shard.count));
  if (!job.max_errors.Text().empty()) value.Set("max_errors", job.max_errors.Text());
  value.Set("memory", job.memory.count);
  if (job.threads > 0) value.Set("threads", job.threads);
  value.Set("job", job.folder);
  return value;
}

base::Result<Job> FromValue(const Value& value) {
  Job job;
  bundle::SectionReader reader(value, "job", kRecordKeys);
  Read(reader, job);
  SLIPWAY_TRY(reader.Finish());
  return job;
}

void ForEachText(Job& job, const std::function<void(std::string_view key, std::string& text)>& visit) {
  visit("model", job.model);
  for (auto& input : job.input) visit("input", input);
  visit("output", job.output);
  visit("sql", job.sql);
  visit("rejects", job.rejects);
  visit("where", job.where);
  visit("job", job.folder);
}

base::Result<void> CheckSameJob(const Job& kept, const Job& asked) {
  const Value was = ToValue(kept), is = ToValue(asked);
  for (const auto& key : kRecordKeys) {
    if (key == "threads" || key == "memory" || key == "max_errors" || key == "max_partitions") continue;
    const Value* a = was.Find(key);
    const Value* b = is.Find(key);
    if ((a == nullptr && b == nullptr) || (a != nullptr && b != nullptr && *a == *b)) continue;
    const auto shown = [](const Value* value) { return value ? base::Shorten(base::ToJson(*value), 256) : "nothing"; };
    return base::Fail(
        base::Code::kFailedPrecondition, "batch.changed",
        fmt::format("the unfinished job has another `{}`: {} there, {} here; run it as it was, or remove its "
                    "folder",
                    key, shown(a), shown(b)),
        kept.folder);
  }
  return {};
}

base::Result<void> Complete(Job& job) {
  if (job.model.empty()) return Usage("a job needs a model: --model BUNDLE, or `model:` in job.yaml");
  if (job.input.empty() && job.sql.empty())
    return Usage("a job needs an input: --input SOURCE, or `input:` in job.yaml");
  if (job.output.empty()) return Usage("a job needs an output: --output SINK, or `output:` in job.yaml");
  for (const auto& input : job.input) {
    if (input == "-" && job.input.size() > 1) return Usage("standard input (-) is the only input, or none of them");
  }
  if (job.memory < kLeastMemory) {
    return Usage(fmt::format("--memory {} is too little; give {} or more", base::FormatBytes(job.memory),
                             base::FormatBytes(kLeastMemory)));
  }
  for (const auto& name : {job.output, job.rejects}) {
    if (!storage::IsObjectUrl(name)) continue;
    if (const auto url = storage::ParseObjectUrl(name); !url) return Usage(url.error().message);
  }
  if (storage::IsObjectUrl(job.folder)) return Usage("the job's folder lies on this machine; give --job a path");
  if (!job.sql.empty() && !job.partition_columns) {
    return Usage(
        "a query finds columns in paths by itself; in place of --no-partition-columns name the files in it: "
        "read_parquet('…', hive_partitioning = false)");
  }
  const bool to_database = tables::IsDatabaseAddress(job.output);
  job.output_folder = job.output != "-" && !to_database && NamesAFolder(job.output);
  for (auto* path : {&job.model, &job.rejects, &job.folder}) *path = Absolute(*path);
  job.output = Placed(job.output, job);
  for (auto& path : job.input) path = Placed(path, job);
  if (!job.sql.empty()) job.sql_folder = std::filesystem::current_path().string();
  SLIPWAY_TRY(CheckTwice("--keep", job.keep));
  SLIPWAY_TRY(CheckPartitionBy(job));
  if (job.row_group_rows.value_or(0) > job.part_rows) {
    return Usage(fmt::format("a row group never spans parts: --row-group-rows {} needs --part-rows {} or more",
                             *job.row_group_rows, *job.row_group_rows));
  }
  SLIPWAY_TRY(CheckAddresses(job));
  while (!to_database && job.output.size() > 1 && job.output.ends_with('/')) job.output.pop_back();
  if (job.shard.count > 1) SLIPWAY_TRY(GiveOwnNames(job));
  if (job.folder.empty() && job.output != "-") job.folder = FolderFor(job);
  return {};
}

}  // namespace slipway::batch

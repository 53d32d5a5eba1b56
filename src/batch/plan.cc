#include "batch/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "batch/part_record.h"
#include "batch/staged_input.h"
#include "tables/csv_text.h"
#include "tables/database_address.h"

namespace slipway::batch {
namespace {

using tables::Format;

base::Result<Format> FormatNamed(const std::string& name, const std::string& path, Format of_stream) {
  if (!name.empty()) return tables::ParseFormat(name);
  return path == "-" ? base::Result<Format>(of_stream) : tables::FormatOf(path);
}

bool HasColumn(const std::vector<tables::StoredColumn>& columns, std::string_view name) {
  return std::ranges::find(columns, name, &tables::StoredColumn::name) != columns.end();
}

/// The columns of a file, and behind them those of its path.
std::vector<std::string> NamesOf(const tables::TableHead& head, const std::vector<PartitionValue>& partitions) {
  std::vector<std::string> names;
  for (const auto& column : head.columns) names.push_back(column.name);
  for (const auto& partition : partitions) names.push_back(partition.name);
  return names;
}

std::unexpected<base::Error> NoPartitionColumn(const Plan& plan, const std::string& name,
                                               std::vector<std::string> names, const std::string& where) {
  for (const auto& field : plan.scorer->output_fields()) names.push_back(field.name);
  if (plan.job.model_columns) names.insert(names.end(), {"model", "version"});
  return base::Fail(
      base::Code::kInvalidArgument, "batch.partition_by",
      fmt::format("--partition-by names {:?}, which is no column of the table and no answer of the model{}", name,
                  base::DidYouMean(name, names)),
      where);
}

/// For JSON, where columns come and go from record to record, nothing can be said ahead.
base::Result<void> CheckColumns(const Plan& plan, size_t file) {
  const auto& head = plan.heads[file];
  const auto& job = plan.job;
  if (head.columns.empty()) return {};
  const auto names = NamesOf(head, plan.partitions[file]);
  const auto lacks = [&](const std::string& name) { return std::ranges::find(names, name) == names.end(); };
  for (const auto& column : plan.scorer->schema().columns) {
    if (column.may_be_absent() || !lacks(column.field.name)) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.missing_column",
        fmt::format("the table has no column {:?}, which the model needs{}; add it, or leave the file out",
                    column.field.name, base::DidYouMean(column.field.name, names)),
        head.path);
  }
  for (const auto& name : job.keep) {
    if (!lacks(name)) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.keep",
        fmt::format("--keep names {:?}, which is no column of the table{}", name, base::DidYouMean(name, names)),
        head.path);
  }
  for (const auto& name : job.partition_by) {
    if (!lacks(name) || !PartitionKeys::IsOfInput(name, *plan.scorer, job.model_columns)) continue;
    return NoPartitionColumn(plan, name, names, head.path);
  }
  if (plan.carried.layout.unknown_fields() == data::UnknownFields::kIgnore) return {};
  for (const auto& column : head.columns) {
    const auto& name = column.name;
    if (plan.carried.layout.Find(name) >= 0) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.unknown_column",
        fmt::format("the table has a column {:?}, which is no input of the model{}: --keep carries it along, "
                    "--ignore-unknown leaves it out",
                    base::Shorten(name), base::DidYouMean(name, plan.scorer->layout().names())),
        head.path);
  }
  return {};
}

/// Types of the columns that are carried along: what all files agree on; what they do not agree on becomes text.
std::vector<tables::StoredColumn> AgreedColumns(const Plan& plan) {
  std::vector<tables::StoredColumn> agreed;
  const auto add = [&](const tables::StoredColumn& column) {
    const auto known = std::ranges::find(agreed, column.name, &tables::StoredColumn::name);
    if (known == agreed.end()) {
      agreed.push_back(column);
    } else if (known->type != column.type || column.stored_type.empty()) {
      known->type.reset();
    }
  };
  for (size_t file = 0; file < plan.heads.size(); ++file) {
    const auto& columns = plan.heads[file].columns;
    for (const auto& column : columns) add(column);
    for (const auto& partition : plan.partitions[file]) {
      const bool in_file = HasColumn(columns, partition.name);
      if (!in_file) add({.name = partition.name, .type = std::nullopt, .stored_type = {}});
    }
  }
  return agreed;
}

/// What is read: the model's inputs, what is carried along, and what chooses rows.
base::Result<void> ChooseColumns(Plan& plan) {
  const auto& job = plan.job;
  const auto agreed = AgreedColumns(plan);
  std::vector<std::string> also;
  auto carried = job.keep;
  for (const auto& name : job.partition_by) {
    const bool is_kept = std::ranges::find(carried, name) != carried.end();
    if (!is_kept && PartitionKeys::IsOfInput(name, *plan.scorer, job.model_columns)) carried.push_back(name);
  }
  if (!job.where.empty()) {
    std::vector<std::string> all;
    for (const auto& column : agreed) all.push_back(column.name);
    const auto every = Carry(*plan.scorer, carried, true, agreed, all);
    SLIPWAY_ASSIGN(const auto filter, RowFilter::Create(job.where, job.sample, every.layout));
    also = filter.Names();
  }
  plan.carried = Carry(*plan.scorer, carried, job.ignore_unknown, agreed, also);
  if (job.where.empty() && job.sample >= 1) return {};
  SLIPWAY_ASSIGN(plan.filter, RowFilter::Create(job.where, job.sample, plan.carried.layout));
  return {};
}

std::string NamesOf(const std::vector<PartitionValue>& partitions) {
  std::vector<std::string> names;
  for (const auto& partition : partitions) names.push_back(partition.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

/// Columns of paths that nobody asks for are no business of the job. Of the others, a file without them would give rows
/// in which they are missing, and nobody would see why: all files have the same folders, or the columns themselves.
base::Result<void> CheckPartitions(const Plan& plan) {
  const auto is_used = [&](const PartitionValue& partition) { return plan.carried.layout.Find(partition.name) >= 0; };
  const auto pattern = std::ranges::find_if(
      plan.partitions, [&](const auto& partitions) { return std::ranges::any_of(partitions, is_used); });
  if (pattern == plan.partitions.end()) return {};
  const auto names = [](const auto& partitions) {
    std::set<std::string> set;
    for (const auto& partition : partitions) set.insert(partition.name);
    return set;
  };
  for (size_t file = 0; file < plan.files.size(); ++file) {
    const auto& own = plan.partitions[file];
    if (names(own) == names(*pattern)) continue;
    const auto& columns = plan.heads[file].columns;
    const bool has_all = own.empty() && std::ranges::all_of(*pattern, [&](const PartitionValue& partition) {
                           return !is_used(partition) || HasColumn(columns, partition.name);
                         });
    if (has_all) continue;
    const auto& other = plan.files[static_cast<size_t>(pattern - plan.partitions.begin())];
    return base::Fail(
        base::Code::kInvalidArgument, "batch.partitions",
        fmt::format("the folders of this file give the columns {}, and those of {} {}: all files of a job have the "
                    "same; leave it out, move it, or leave the folders alone with --no-partition-columns",
                    NamesOf(own), other.Name(), NamesOf(*pattern)),
        plan.files[file].Name());
  }
  return {};
}

base::Result<void> ChoosePathColumns(Plan& plan) {
  SLIPWAY_TRY(CheckPartitions(plan));
  for (size_t file = 0; file < plan.files.size(); ++file) {
    SLIPWAY_ASSIGN(auto columns,
                   PathColumns::Create(plan.partitions[file], plan.carried.layout, plan.files[file].Name()));
    plan.path_columns.push_back(std::move(columns));
  }
  return {};
}

}  // namespace

base::Result<Format> NamedOutputFormat(const Job& job) {
  const auto format = FormatNamed(job.output_format, job.output, Format::kJsonLines);
  if (format) return format;
  return base::Fail(
      base::Code::kInvalidArgument, "tables.format",
      fmt::format("the format of the output {} is unclear by its name; name it with --output-format (csv, "
                  "tsv, ssv, jsonl, parquet), or use such an extension",
                  base::Shorten(job.output, 256)));
}

namespace {

base::Result<Format> OutputFormat(const Plan& plan) {
  const auto& job = plan.job;
  if (tables::IsDatabaseAddress(job.output)) return Format::kParquet;  // which the table is filled from
  Format standard = plan.heads.front().format;
  if (standard == Format::kJson) standard = Format::kJsonLines;
  if (job.output_folder && job.output_format.empty()) return standard;
  SLIPWAY_ASSIGN(const Format format, NamedOutputFormat(job));
  if (format == Format::kJson || format == Format::kNpy || tables::IsPackedName(job.output)) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "answers of a batch are written as csv, tsv, ssv, jsonl or parquet, and not packed");
  }
  if (format == Format::kParquet && plan.streams()) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "a Parquet file ends with its index and is not written to a stream; name a file");
  }
  return format;
}

/// Records of JSON tell their columns only by and by: the first of them stand for all.
base::Result<void> CheckRecords(const Plan& plan) {
  const auto& head = plan.heads.front();
  if (!head.columns.empty() || plan.files.front().path == "-") return {};
  tables::TableOptions options;
  options.format = head.format;
  SLIPWAY_ASSIGN(const auto columns, tables::ReadColumns(plan.files.front().Place(), options));
  auto names = plan.scorer->layout().names();
  for (const auto& column : columns) names.push_back(column.name);
  for (const auto& partition : plan.partitions.front()) names.push_back(partition.name);
  for (const auto& name : plan.job.partition_by) {
    const bool is_known = std::ranges::find(names, name) != names.end() ||
                          !PartitionKeys::IsOfInput(name, *plan.scorer, plan.job.model_columns);
    if (!is_known) return NoPartitionColumn(plan, name, names, plan.files.front().Name());
  }
  return {};
}

base::Result<void> ChooseKeys(Plan& plan) {
  if (plan.job.partition_by.empty()) return {};
  SLIPWAY_TRY(CheckRecords(plan));
  SLIPWAY_ASSIGN(plan.keys,
                 PartitionKeys::Create(plan.job.partition_by, *plan.scorer, plan.carried, plan.path_columns));
  return {};
}

base::Result<void> CheckRowGroups(const Plan& plan) {
  if (!plan.job.row_group_rows) return {};
  if (plan.output != Format::kParquet || tables::IsDatabaseAddress(plan.job.output)) {
    return base::Fail(base::Code::kInvalidArgument, "batch.row_groups",
                      fmt::format("--row-group-rows is for output in Parquet, and this one is {}; leave it out",
                                  tables::IsDatabaseAddress(plan.job.output) ? "a table of a database"
                                                                             : tables::FormatName(plan.output)));
  }
  const int64_t most = kSinkMemory.count / 2 / std::max<int64_t>(1, data::RowBytes(plan.form->fields()));
  if (*plan.job.row_group_rows <= most) return {};
  return base::Fail(base::Code::kInvalidArgument, "batch.row_groups",
                    fmt::format("--row-group-rows {} is too many for rows of these columns, which are held in memory "
                                "while a group is written; give {} or fewer",
                                *plan.job.row_group_rows, most));
}

base::Result<void> ChooseRejects(Plan& plan) {
  if (plan.job.rejects.empty()) return {};
  SLIPWAY_ASSIGN(const Format format, RejectsFormat(plan.job));
  if (format == Format::kJsonLines) return {};
  plan.rejects.emplace(RejectFields(), tables::DelimiterOf(format));
  return {};
}

}  // namespace

base::Result<tables::Format> RejectsFormat(const Job& job) {
  const auto format = tables::FormatOf(job.rejects);
  const bool fits = format && (*format == Format::kJsonLines || tables::IsSeparated(*format));
  if (fits && !tables::IsPackedName(job.rejects)) return *format;
  return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                    fmt::format("--rejects {} is no name that rejects are written under: they are a file in csv, tsv, "
                                "ssv or jsonl, by its extension, and not packed",
                                job.rejects));
}

const std::vector<data::Field>& RejectFields() {
  static const std::vector<data::Field> fields = [] {
    std::vector<data::Field> made;
    for (const char* name : {"file", "row", "field", "code", "value", "rule", "message"}) {
      const bool number = std::string_view(name) == "row";
      made.push_back({.name = name,
                      .type = {number ? data::ScalarType::kInteger : data::ScalarType::kString, {}},
                      .labels = {},
                      .null_texts = {}});
    }
    return made;
  }();
  return fields;
}

std::string Plan::PartFile(int64_t number) const {
  return fmt::format("{}.{}", PartName(number), tables::FormatName(output));
}

std::string Plan::RejectsHeader() const {
  std::string header;
  if (rejects) rejects->AppendHeader(header);
  return header;
}

std::vector<WrittenFile> Plan::FilesOf(const PartRecord& part) const {
  if (keys) return part.files;
  return {{.path = PartFile(part.number), .rows = part.scored(), .bytes = part.bytes, .digest = part.output}};
}

std::string_view Plan::NameOf(int64_t file) const {
  return files.size() > 1 ? std::string_view(files[static_cast<size_t>(file)].Name()) : std::string_view();
}

bool Plan::awaits_rows() const {
  return !std::ranges::all_of(files, &InputFile::is_staged);
}

base::Result<std::unique_ptr<const Plan>> MakePlan(Job job, std::shared_ptr<const scoring::Scorer> scorer,
                                                   const base::Value& baseline, std::vector<InputFile> files) {
  auto plan = std::make_unique<Plan>();
  plan->job = std::move(job);
  plan->scorer = std::move(scorer);
  plan->baseline = baseline;
  plan->files = std::move(files);
  for (const auto& file : plan->files) {
    const bool has_folders = plan->job.partition_columns && file.source.empty();
    plan->partitions.push_back(has_folders ? PartitionsOf(file.path) : std::vector<PartitionValue>());
    if (!file.source.empty()) {
      SLIPWAY_ASSIGN(auto head, HeadOfSource(plan->job, file));
      plan->heads.push_back(std::move(head));
      continue;
    }
    tables::TableOptions options;
    SLIPWAY_ASSIGN(options.format, FormatNamed(plan->job.format, file.path, Format::kJsonLines));
    SLIPWAY_ASSIGN(auto head, tables::ReadHead(file.Place(), options));
    plan->heads.push_back(std::move(head));
  }
  SLIPWAY_TRY(ChooseColumns(*plan));
  SLIPWAY_TRY(ChoosePathColumns(*plan));
  for (size_t file = 0; file < plan->files.size(); ++file) SLIPWAY_TRY(CheckColumns(*plan, file));
  SLIPWAY_TRY(CheckTypes(*plan));
  SLIPWAY_ASSIGN(plan->output, OutputFormat(*plan));
  SLIPWAY_ASSIGN(plan->form, AnswerForm::Create(*plan->scorer, plan->carried, plan->output,
                                                {.leave_out_rejected = !plan->job.rejects.empty(),
                                                 .name_model = plan->job.model_columns,
                                                 .leave_out = plan->job.partition_by}));
  SLIPWAY_TRY(ChooseKeys(*plan));
  SLIPWAY_TRY(CheckRowGroups(*plan));
  SLIPWAY_TRY(ChooseRejects(*plan));
  plan->tally.emplace(plan->scorer->layout().fields(), plan->scorer->output_fields(), baseline);
  return plan;
}

}  // namespace slipway::batch

#include "batch/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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

std::vector<std::string> NamesOf(const tables::TableHead& head) {
  std::vector<std::string> names;
  for (const auto& column : head.columns) names.push_back(column.name);
  return names;
}

/// For JSON, where columns come and go from record to record, nothing can be said ahead.
base::Result<void> CheckColumns(const Plan& plan, const tables::TableHead& head) {
  const auto names = NamesOf(head);
  if (names.empty()) return {};
  const auto lacks = [&](const std::string& name) { return std::ranges::find(names, name) == names.end(); };
  for (const auto& column : plan.scorer->schema().columns) {
    if (column.may_be_absent() || !lacks(column.field.name)) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.missing_column",
        fmt::format("the table has no column {:?}, which the model needs{}; add it, or leave the file out",
                    column.field.name, base::DidYouMean(column.field.name, names)),
        head.path);
  }
  for (const auto& name : plan.job.keep) {
    if (!lacks(name)) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "batch.keep",
        fmt::format("--keep names {:?}, which is no column of the table{}", name, base::DidYouMean(name, names)),
        head.path);
  }
  if (plan.carried.layout.unknown_fields() == data::UnknownFields::kIgnore) return {};
  for (const auto& name : names) {
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
std::vector<tables::StoredColumn> AgreedColumns(const std::vector<tables::TableHead>& heads) {
  std::vector<tables::StoredColumn> agreed;
  for (const auto& head : heads) {
    for (const auto& column : head.columns) {
      const auto known = std::ranges::find(agreed, column.name, &tables::StoredColumn::name);
      if (known == agreed.end()) {
        agreed.push_back(column);
      } else if (known->type != column.type || column.stored_type.empty()) {
        known->type.reset();
      }
    }
  }
  return agreed;
}

/// What is read: the model's inputs, what is carried along, and what chooses rows.
base::Result<void> ChooseColumns(Plan& plan) {
  const auto& job = plan.job;
  const auto agreed = AgreedColumns(plan.heads);
  std::vector<std::string> also;
  if (!job.where.empty()) {
    std::vector<std::string> all;
    for (const auto& column : agreed) all.push_back(column.name);
    const auto every = Carry(*plan.scorer, job.keep, true, agreed, all);
    SLIPWAY_ASSIGN(const auto filter, RowFilter::Create(job.where, job.sample, every.layout));
    also = filter.Names();
  }
  plan.carried = Carry(*plan.scorer, job.keep, job.ignore_unknown, agreed, also);
  if (job.where.empty() && job.sample >= 1) return {};
  SLIPWAY_ASSIGN(plan.filter, RowFilter::Create(job.where, job.sample, plan.carried.layout));
  return {};
}

base::Result<Format> OutputFormat(const Plan& plan) {
  const auto& job = plan.job;
  if (tables::IsDatabaseAddress(job.output)) return Format::kParquet;  // which the table is filled from
  Format standard = plan.heads.front().format;
  if (standard == Format::kJson) standard = Format::kJsonLines;
  if (job.output_folder && job.output_format.empty()) return standard;
  SLIPWAY_ASSIGN(const Format format, FormatNamed(job.output_format, job.output, Format::kJsonLines));
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

base::Result<void> ChooseRejects(Plan& plan) {
  if (plan.job.rejects.empty()) return {};
  SLIPWAY_ASSIGN(const Format format, tables::FormatOf(plan.job.rejects));
  if (format == Format::kJsonLines) return {};
  if (!tables::IsSeparated(format) || tables::IsPackedName(plan.job.rejects)) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "rejects are written as csv, tsv, ssv or jsonl, by the extension of --rejects", plan.job.rejects);
  }
  plan.rejects.emplace(RejectFields(), tables::DelimiterOf(format));
  return {};
}

}  // namespace

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
  for (const auto& head : plan->heads) SLIPWAY_TRY(CheckColumns(*plan, head));
  SLIPWAY_TRY(CheckTypes(*plan));
  SLIPWAY_ASSIGN(plan->output, OutputFormat(*plan));
  SLIPWAY_ASSIGN(plan->form, AnswerForm::Create(*plan->scorer, plan->carried, plan->output,
                                                {.leave_out_rejected = !plan->job.rejects.empty(),
                                                 .name_model = plan->job.model_columns}));
  SLIPWAY_TRY(ChooseRejects(*plan));
  plan->tally.emplace(plan->scorer->layout().fields(), plan->scorer->output_fields(), baseline);
  return plan;
}

}  // namespace slipway::batch

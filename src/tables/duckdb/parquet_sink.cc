#include "tables/duckdb/parquet_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "data/type.h"
#include "tables/output_file.h"
#include "tables/parquet/flat_sink.h"

namespace slipway::tables::duckdb {
namespace {

std::unexpected<base::Error> Fault(std::string_view path, std::string_view words) {
  return base::Fail(base::Code::kUnavailable, "tables.write",
                    fmt::format("cannot write {}: {}", base::Shorten(path, 512), words));
}

/// What COPY writes of the rows fed. As an enum a text that does not change costs next to nothing; the file has it as
/// any other text.
std::string SelectionOf(const std::vector<data::Field>& fields, const std::vector<ConstantField>& constants) {
  if (constants.empty()) return "*";
  std::string selection;
  for (const auto& column : data::OutputColumnsOf(fields)) {
    if (!selection.empty()) selection += ", ";
    const auto constant = std::ranges::find(constants, column.field, &ConstantField::field);
    if (constant != constants.end()) selection += fmt::format("{0}::ENUM({0}) AS ", QuotedText(constant->text));
    selection += QuotedName(column.name);
  }
  return selection;
}

}  // namespace

ParquetSink::ParquetSink(std::string path, std::string temporary, const std::vector<data::Field>& fields,
                         const std::vector<ConstantField>& constants)
    : path_(std::move(path)), temporary_(std::move(temporary)), feed_(fields, constants) {}

base::Result<std::unique_ptr<ParquetSink>> ParquetSink::Open(std::string_view path,
                                                             const std::vector<data::Field>& fields,
                                                             const TableOptions& options) {
  if (path == "-") {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "a Parquet file ends with its index and is not written to a stream; name a file");
  }
  if (fields.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit", "a Parquet file has at least one column; keep one");
  }
  // An empty file in its place tells now whether the folder is there and may be written.
  std::string temporary = TemporaryNameFor(path);
  std::unique_ptr<ParquetSink> sink(new ParquetSink(std::string(path), temporary, fields, options.constants));
  {
    std::FILE* probe = std::fopen(temporary.c_str(), "wbx");
    if (!probe) return Fault(path, std::strerror(errno));
    std::fclose(probe);
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return Fault(path, "it is a folder; name a file in it");
  }
  if (options.engine) {
    sink->session_ = options.engine;
  } else {
    SessionOptions session;
    session.threads = 1;  // one thread writes row groups in order, so that the bytes are the same each time
    session.memory = options.memory;
    session.path = temporary;
    SLIPWAY_ASSIGN(sink->session_, Session::Open(session));
  }
  // A function stays known to its session, so each sink has a name of its own for it.
  static std::atomic<int64_t> count{0};
  const std::string rows = fmt::format("slipway_rows_{}", count++);
  SLIPWAY_TRY(sink->feed_.Register(*sink->session_, rows.c_str()));
  sink->StartCopy(fmt::format(
      "COPY (SELECT {} FROM {}()) TO {} (FORMAT parquet, COMPRESSION snappy, "
      "ROW_GROUP_SIZE {}, USE_TMP_FILE false)",
      SelectionOf(fields, options.constants), rows, QuotedText(temporary), parquet::GroupRows(fields, options)));
  return sink;
}

void ParquetSink::StartCopy(const std::string& sql) {
  copy_ = std::jthread([this, sql] {
    outcome_ = session_->Run(sql);
    feed_.ReaderIsGone();
  });
}

base::Result<void> ParquetSink::Join() {
  if (copy_.joinable()) copy_.join();
  if (outcome_) return {};
  return Fault(path_, outcome_.error().message);
}

ParquetSink::~ParquetSink() {
  feed_.Cancel();
  if (copy_.joinable()) copy_.join();
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

base::Result<void> ParquetSink::Write(const data::Table& rows) {
  if (rows.rows == 0 || feed_.Push(rows)) return {};
  return Join();
}

base::Result<void> ParquetSink::Finish() {
  feed_.Close();
  SLIPWAY_TRY(Join());
  SLIPWAY_TRY(GiveName(temporary_, path_));
  temporary_.clear();
  return {};
}

}  // namespace slipway::tables::duckdb

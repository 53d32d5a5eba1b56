#include "cli/table_options.h"

#include <fmt/format.h>

namespace slipway::cli {

base::Result<tables::TableOptions> TableFormat(const std::string& path, const std::string& named,
                                               tables::Format standard) {
  tables::TableOptions options;
  if (named.empty() && path == "-") {
    options.format = standard;
  } else {
    SLIPWAY_ASSIGN(options.format, named.empty() ? tables::FormatOf(path) : tables::ParseFormat(named));
  }
  return options;
}

std::vector<std::string> InputFormats() {
  return {"csv", "tsv", "ssv", "jsonl", "json", "parquet"};
}

std::vector<std::string> OutputFormats() {
  return {"csv", "tsv", "ssv", "jsonl", "parquet", "npy"};
}

base::Result<void> ForEachBatch(tables::RowSource& source, const data::Layout& layout, const Console& console,
                                const std::string& label,
                                const std::function<base::Result<void>(data::Decoded&)>& visit) {
  const auto total = source.progress().total;
  Progress progress(console, label, total > 0 ? std::optional(total) : std::nullopt);
  data::Decoded batch(layout);
  int64_t rows = 0;
  while (true) {
    SLIPWAY_ASSIGN(const bool more, source.Next(batch, kBatchRows));
    if (!more) return {};
    rows += batch.table.rows;
    SLIPWAY_TRY(visit(batch));
    progress.Update(source.progress().done, fmt::format("{} rows", Grouped(rows)));
  }
}

std::string Grouped(int64_t count) {
  std::string digits = fmt::format("{}", count);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string Counted(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", Grouped(count), noun, count == 1 ? "" : "s");
}

}  // namespace slipway::cli

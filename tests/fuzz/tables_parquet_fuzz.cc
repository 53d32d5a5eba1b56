// Any bytes as a Parquet file of flat columns: refused at some point, or read to its end, whatever rows are asked for.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tables/parquet/file_index.h"
#include "tables/parquet/flat_reader.h"

namespace {

using namespace slipway;

std::vector<tables::StoredColumn> Described(const tables::parquet::FileIndex& index) {
  std::vector<tables::StoredColumn> columns;
  for (size_t i = 0; i < index.columns.size(); ++i) {
    columns.push_back(
        {.name = "c" + std::to_string(i), .type = {}, .stored_type = std::string(index.columns[i].stored_type)});
  }
  return columns;
}

void ReadAll(const std::string& path, const std::vector<tables::StoredColumn>& columns, const data::Layout& layout,
             int64_t first, int64_t end) {
  const auto reader = tables::parquet::FlatReader::Open(path, columns, layout, base::Bytes{int64_t{16} << 20});
  if (!reader || !(*reader)->Select(first, end)) return;
  data::Decoded rows(layout);
  int64_t read = 0;
  while (true) {
    const auto more = (*reader)->Next(rows, 100);
    if (!more || !*more) break;
    read += rows.table.rows;
    if (rows.table.rows > 100 || read > end - first) std::abort();
    if (read > 5000) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const int file = ::memfd_create("parquet", 0);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, bytes, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto opened = tables::parquet::RandomFile::Open(path);
  if (!opened) std::abort();
  const auto index = tables::parquet::ReadFileIndex(*opened);
  if (!index || index->columns.size() > 100) return 0;
  const auto columns = Described(*index);
  std::vector<data::Field> fields;
  for (const auto& column : columns) {
    const bool is_text = column.stored_type == "VARCHAR" || column.stored_type == "BOOLEAN";
    fields.push_back(
        {.name = column.name, .type = {is_text ? data::ScalarType::kString : data::ScalarType::kNumber, {}}});
  }
  const data::Layout layout(std::move(fields), data::UnknownFields::kIgnore);
  const int64_t rows = index->groups.empty() ? 0 : index->groups.back().end_row;
  ReadAll(path, columns, layout, 0, rows);
  ReadAll(path, columns, layout, rows / 3, rows / 3 * 2);
  return 0;
}

// Any bytes as the path of a file: what its folders say, once written as folders, is read again as the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "batch/partitions/partition_path.h"
#include "batch/partitions/path_columns.h"

namespace {

using namespace slipway;

void Check(bool holds) {
  if (!holds) std::abort();
}

data::Layout MadeLayout() {
  std::vector<data::Field> fields(2);
  fields[0].name = "n";
  fields[0].type.scalar = data::ScalarType::kInteger;
  fields[1].name = "t";
  fields[1].type.scalar = data::ScalarType::kString;
  return data::Layout(std::move(fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const data::Layout layout = MadeLayout();
  const std::string path(reinterpret_cast<const char*>(data), size);
  auto partitions = batch::PartitionsOf(path);
  std::string again = "out/";
  for (auto& partition : partitions) {
    Check(!partition.name.empty());
    if (partition.value == "" || partition.value == batch::kMissingPartition) partition.value.reset();
    const auto folder = batch::PartitionFolder(partition);
    Check(folder.find('/') == std::string::npos);
    again += folder + "/";
  }
  Check(batch::PartitionsOf(again + "a.csv") == partitions);

  const auto columns = batch::PathColumns::Create(partitions, layout, path);
  if (!columns) return 0;
  data::Decoded rows(layout);
  data::RowBuilder builder(layout, rows);
  builder.BeginRow();
  builder.SetInteger(0, 1);
  builder.EndRow();
  columns->Fill(rows);
  Check(rows.table.columns[0].rows() == 1 && rows.table.columns[1].rows() == 1);
  return 0;
}

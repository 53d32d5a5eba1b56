#pragma once
// JoinFiles makes one Parquet file of several with the same columns, without decoding a value: their row groups are
// copied byte by byte, and their indices become one.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::tables::parquet {

struct JoinedFile {
  int64_t bytes = 0;
  std::string digest;  ///< base::Xxh3Digits of the file
};

/// The file appears under its name at once, complete and on disk. `parts`: at least one, as ParquetSink writes them.
/// Memory: the parts' indices. Errors: data_loss "tables.parquet" for a part that is none or has other columns;
/// unavailable "tables.read", "tables.write".
base::Result<JoinedFile> JoinFiles(const std::vector<std::string>& parts, const std::string& path);

}  // namespace slipway::tables::parquet

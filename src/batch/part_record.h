#pragma once
// PartRecord: what is kept of a finished part.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "tables/piece_source.h"

namespace slipway::batch {

/// One file of a part's output.
struct WrittenFile {
  std::string path;  ///< in the folder of parts
  int64_t rows = 0, bytes = 0;
  std::string digest;
};

struct PartRecord {
  int64_t number = 0;  ///< counts the parts of all shards from 0
  int64_t file = 0;    ///< index in the list of input files
  tables::PiecePlace begin, end;
  int64_t rows_before = 0;  ///< in all parts before, of any shard
  int64_t left_out = 0;     ///< by the job's filter
  int64_t rejected = 0;
  std::string input;  ///< digest of the text that was read; empty for Parquet
  int64_t bytes = 0;  ///< of the output
  std::string output;
  /// Of a job with --partition-by, what the part wrote; `bytes` and `output` are then of all of them.
  std::vector<WrittenFile> files;
  int64_t reject_bytes = 0;  ///< of the rejects; 0: there is no such file
  std::string rejects;
  std::map<std::string, int64_t> reasons;  ///< "distance schema.missing": violations

  int64_t rows() const { return end.row - begin.row; }  ///< of the input
  int64_t scored() const { return rows() - left_out; }
};

/// Counts violations by field and code. Of JSON, where each record may have a field of its own that nobody knows, the
/// fields behind the first kMostReasons stand together.
void CountReason(std::map<std::string, int64_t>& reasons, std::string_view field, std::string_view code, int64_t count);
inline constexpr size_t kMostReasons = 200;

/// One line of JSON, with its line break.
std::string ToLine(const PartRecord& part);
/// Error: data_loss "batch.damaged".
base::Result<PartRecord> ParsePart(std::string_view line);

/// "part-000012"
std::string PartName(int64_t number);

}  // namespace slipway::batch

#pragma once
// Job: what is to be scored, by what, and where the answers go. Plain data; docs/batch.md describes every key.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "base/value.h"

namespace slipway::batch {

/// How many rejected rows end a job: a number, or a share of the rows so far.
struct ErrorLimit {
  std::optional<int64_t> rows;
  std::optional<double> percent;

  bool Exceeded(int64_t rejected, int64_t of) const;
  std::string Text() const;  ///< "1000", "5%", "" for none
};

/// "1000" or "2.5%". Error: invalid_argument "usage".
base::Result<ErrorLimit> ParseErrorLimit(std::string_view text);

/// One of `count` processes that share a job's parts.
struct Shard {
  int64_t index = 0;
  int64_t count = 1;
};

/// "2/8", or "auto/8" for the index that Kubernetes gives in JOB_COMPLETION_INDEX. Error: "usage".
base::Result<Shard> ParseShard(std::string_view text);

/// "0.01" or "1%": a share, above 0 and up to 1. Error: "usage".
base::Result<double> ParseSample(std::string_view text);

struct Job {
  std::string model;               ///< a folder or a .slipway file
  std::vector<std::string> input;  ///< files, globs, folders, databases; "-" alone is standard input
  std::string sql;                 ///< whose rows are scored; `input` in it stands for what `input` names
  std::string sql_folder;          ///< known once complete: where relative paths in `sql` begin
  std::string format;              ///< of the input; empty: by extension
  std::string output;              ///< a file, a folder (of part files), a table of a database, or "-"
  bool output_folder =
      false;                  ///< known once complete: an existing folder, or a name that ends in / or has no extension
  std::string output_format;  ///< empty: by extension; of a folder, the input's
  std::vector<std::string> keep;
  std::vector<std::string> partition_by;  ///< columns that name the folders of the output
  std::string rejects;                    ///< a file; empty: rejected rows stand in the output with an error
  bool ignore_unknown = false;
  bool partition_columns = true;  ///< rows have the columns that folders `name=value` of their path say
  int64_t part_rows = 65536;
  std::optional<int64_t> row_group_rows;  ///< of Parquet output
  std::optional<int64_t> limit;           ///< rows of the input
  std::string where;                      ///< an expression; rows for which it is not true are left out. Empty: none
  double sample = 1;                      ///< share of the rows, chosen by their numbers
  bool model_columns = true;              ///< each row names model and version
  Shard shard;
  std::string folder;  ///< of the job; empty: beside the output

  // What does not change the answers, and may be another when the job is resumed.
  int threads = 0;  ///< 0: what the machine allows
  base::Bytes memory{int64_t{1} << 30};
  ErrorLimit max_errors;
  int64_t max_partitions = 1024;  ///< different folders of partition_by

  /// Whether the rows come from standard input.
  bool is_piped() const { return input.size() == 1 && input.front() == "-"; }

  /// Where objects that `sql` names were copied to; empty: they were not. Not recorded.
  std::string copies;

  /// Addresses of databases as they were given, by what stands for them above: without their passwords, which are not
  /// recorded.
  std::map<std::string, std::string> addresses;
  const std::string& AddressOf(const std::string& shown) const;
};

inline constexpr int64_t kMostPartRows = int64_t{1} << 24;
inline constexpr int64_t kMostPartitions = 100'000;
inline constexpr int64_t kLeastGroupRows = 2048;
inline constexpr base::Bytes kLeastMemory{int64_t{256} << 20};

/// Reads job.yaml. Errors: "job.…" and "manifest.…" with file, line and column; an unknown key names the nearest known
/// one.
base::Result<Job> ParseJob(std::string_view yaml, const std::string& path);

/// Everything that decides which answers come out, for the record of a job and for comparing two.
base::Value ToValue(const Job& job);
base::Result<Job> FromValue(const base::Value& value);

/// The texts in which templates may stand (schedule/template.h), each with its key.
void ForEachText(Job& job, const std::function<void(std::string_view key, std::string& text)>& visit);

/// Whether two complete jobs give the same output. Error: failed_precondition "batch.changed" naming the first key that
/// differs.
base::Result<void> CheckSameJob(const Job& kept, const Job& asked);

/// Fills in what follows from the rest (the job's folder, absolute paths) and checks what does not fit together.
/// Errors: "usage".
base::Result<void> Complete(Job& job);

}  // namespace slipway::batch

#pragma once
// Hive partitions: folders `name=value` that say what all rows of the files below them have in common.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::batch {

struct PartitionValue {
  std::string name;
  std::optional<std::string> value;  ///< none: missing
  friend bool operator==(const PartitionValue&, const PartitionValue&) = default;
};

/// How a folder says that the value is missing.
inline constexpr std::string_view kMissingPartition = "__HIVE_DEFAULT_PARTITION__";

/// What the folders of a file say, outermost first: the lowest unbroken run of them, as Spark reads paths, so that
/// folders further up, which lead to a data set, are no part of it. `path`: of a file or an object. Names and values
/// are percent-decoded; a percent sign that begins no escape stands for itself.
std::vector<PartitionValue> PartitionsOf(std::string_view path);

/// The folder of a value, "city=S%C3%A3o%20Paulo": as DuckDB and pyarrow write it, all bytes escaped but letters,
/// digits and -_.~. A missing value and an empty one are the same, as for Hive.
std::string PartitionFolder(const PartitionValue& partition);

}  // namespace slipway::batch

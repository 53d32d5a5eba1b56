#include "batch/partitions/partition_path.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::batch {
namespace {

std::string Decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? base::HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? base::HexDigit(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace

std::vector<PartitionValue> PartitionsOf(std::string_view path) {
  std::vector<PartitionValue> found;
  for (size_t end = path.rfind('/'); end != std::string_view::npos && end > 0; end = path.rfind('/', end - 1)) {
    const size_t slash = path.rfind('/', end - 1);
    const size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    const std::string_view folder = path.substr(begin, end - begin);
    const size_t equals = folder.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      if (!found.empty()) break;
      continue;
    }
    const std::string_view value = folder.substr(equals + 1);
    found.push_back({.name = Decode(folder.substr(0, equals)),
                     .value = value == kMissingPartition ? std::nullopt : std::optional(Decode(value))});
  }
  std::ranges::reverse(found);
  return found;
}

std::string PartitionFolder(const PartitionValue& partition) {
  std::string folder = base::EncodePercent(partition.name) + '=';
  const bool is_missing = !partition.value || partition.value->empty();
  return is_missing ? folder.append(kMissingPartition) : folder + base::EncodePercent(*partition.value);
}

}  // namespace slipway::batch

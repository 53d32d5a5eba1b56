#include "batch/partitions/partition_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
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
  std::string folder;
  AppendEscaped(partition.name, folder);
  folder += '=';
  if (partition.value && !partition.value->empty()) {
    AppendEscaped(*partition.value, folder);
  } else {
    folder += kMissingPartition;
  }
  return folder;
}

}  // namespace slipway::batch

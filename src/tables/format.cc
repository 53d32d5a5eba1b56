#include "tables/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"

namespace slipway::tables {
namespace {

struct Name {
  std::string_view text;
  Format format;
};

constexpr std::array<Name, 9> kNames = {{{"csv", Format::kCsv},
                                         {"tsv", Format::kTsv},
                                         {"tab", Format::kTsv},
                                         {"ssv", Format::kSsv},
                                         {"jsonl", Format::kJsonLines},
                                         {"ndjson", Format::kJsonLines},
                                         {"json", Format::kJson},
                                         {"parquet", Format::kParquet},
                                         {"npy", Format::kNpy}}};

const Name* FindName(std::string_view text) {
  const auto* found = std::ranges::find(kNames, text, &Name::text);
  return found == kNames.end() ? nullptr : found;
}

/// The way out for files that people try all the same.
std::string_view CureFor(std::string_view extension) {
  static constexpr std::array<std::string_view, 3> kPacked = {".zip", ".bz2", ".xz"};
  if (std::ranges::find(kPacked, extension) != kPacked.end())
    return "it is packed in a way that is not read here; unpack it first, or pack it with gzip or zstd";
  if (extension == ".xlsx" || extension == ".xls" || extension == ".ods") return "save the sheet as CSV in UTF-8";
  return {};
}

}  // namespace

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return lowered;
}

std::string_view FormatName(Format format) {
  return std::ranges::find(kNames, format, &Name::format)->text;
}

bool IsPackedName(std::string_view path) {
  const std::string extension = Lowered(std::filesystem::path(path).extension().string());
  return extension == ".gz" || extension == ".zst";
}

base::Result<Format> ParseFormat(std::string_view name) {
  if (const Name* found = FindName(Lowered(name))) return found->format;
  return base::Fail(base::Code::kInvalidArgument, "tables.format",
                    fmt::format("\"{}\" is no format of tables; use csv, tsv, ssv, jsonl, json, parquet or npy",
                                base::Shorten(name)));
}

base::Result<Format> FormatOf(std::string_view path) {
  std::filesystem::path file(path);
  if (IsPackedName(path)) file = file.stem();  // flights.csv.gz
  const std::string extension = Lowered(file.extension().string());
  if (const Name* found = FindName(extension.empty() ? extension : extension.substr(1))) return found->format;
  if (const auto cure = CureFor(extension); !cure.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "tables.format",
                      fmt::format("{} is no table that can be read: {}", base::Shorten(path, 256), cure));
  }
  const std::string_view problem = path == "-"         ? "a stream has no extension"
                                   : extension.empty() ? "the file has no extension"
                                                       : "the file's extension is none that is known";
  return base::Fail(base::Code::kInvalidArgument, "tables.format",
                    fmt::format("the format of {} is unclear, since {}; name it with --format (csv, tsv, ssv, "
                                "jsonl, json, parquet), or use .csv, .tsv, .ssv, .jsonl, .json, .parquet or .npy",
                                base::Shorten(path, 256), problem));
}

}  // namespace slipway::tables

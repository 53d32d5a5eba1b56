// libarchive takes the tar apart, and nothing but tar; decompression is ours, so that limits hold before libarchive
// sees a byte.

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/quantities.h"
#include "base/text.h"
#include "bundle/archive/archive.h"
#include "bundle/archive/name_set.h"
#include "bundle/archive/zstd_source.h"

namespace slipway::bundle {
namespace {

using base::Code;

constexpr size_t kFirstReserve = size_t{1} << 20;

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchivePointer = std::unique_ptr<archive, ArchiveFree>;

/// What libarchive's read callback works on.
struct Feed {
  ZstdSource source;
  std::optional<base::Error> error;
};

la_ssize_t ReadBlock(archive* a, void* client, const void** block) {
  auto& feed = *static_cast<Feed*>(client);
  auto next = feed.source.Next();
  if (!next) {
    feed.error = std::move(next).error();
    archive_set_error(a, EIO, "stopped");
    return ARCHIVE_FATAL;
  }
  *block = next->data();
  return static_cast<la_ssize_t>(next->size());
}

class ArchiveReader {
 public:
  ArchiveReader(ZstdSource source, const OpenLimits& limits)
      : limits_(limits), feed_{std::move(source), std::nullopt}, archive_(archive_read_new()) {}

  base::Result<std::map<std::string, std::string>> ReadAll() {
    if (!archive_ || archive_read_support_format_tar(archive_.get()) != ARCHIVE_OK) {
      return base::Fail(Code::kResourceExhausted, "bundle.limit", "no memory for reading the archive");
    }
    if (archive_read_open(archive_.get(), &feed_, nullptr, ReadBlock, nullptr) != ARCHIVE_OK) return Damaged();
    while (true) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return Damaged();
      SLIPWAY_TRY(ReadEntry(entry));
    }
    SLIPWAY_TRY(Drain());
    return std::move(files_);
  }

 private:
  std::unexpected<base::Error> Damaged() {
    if (feed_.error) return std::unexpected(*feed_.error);
    const char* why = archive_error_string(archive_.get());
    const std::string text = base::Shorten(why == nullptr ? "it is no tar" : why, 200);
    return base::Fail(Code::kDataLoss, text.contains("runcated") ? "bundle.truncated" : "bundle.corrupt",
                      fmt::format("the archive is damaged: {}; take a fresh copy", text));
  }

  base::Result<void> CheckKind(archive_entry* entry, std::string_view name) {
    std::string_view kind;
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_hardlink_w(entry) != nullptr) {
      kind = "a hard link";
    } else if (const auto type = archive_entry_filetype(entry); type != AE_IFREG) {
      kind = type == AE_IFLNK                       ? "a symbolic link"
             : type == AE_IFDIR                     ? "a folder"
             : type == AE_IFIFO                     ? "a pipe"
             : type == AE_IFCHR || type == AE_IFBLK ? "a device"
                                                    : "no regular file";
    } else if (archive_entry_sparse_reset(entry) > 0) {
      kind = "a sparse file";
    }
    if (kind.empty()) return {};
    return base::Fail(Code::kInvalidArgument, "bundle.file_kind",
                      fmt::format("the archive holds {}, \"{}\"; a bundle has regular files only: make it with slipway "
                                  "pack",
                                  kind, base::Shorten(name)));
  }

  base::Result<void> ReadEntry(archive_entry* entry) {
    const char* path = archive_entry_pathname(entry);
    const std::string name = path == nullptr ? "" : path;
    // Kind first: links and folders have odd names of their own, and the kind is what to say about them.
    SLIPWAY_TRY(CheckKind(entry, name));
    SLIPWAY_TRY(names_.Add(name, limits_.path_bytes));
    if (files_.size() >= static_cast<size_t>(limits_.files)) {
      return base::Fail(Code::kResourceExhausted, "bundle.limit",
                        fmt::format("the archive holds more than the limit of {} files", limits_.files));
    }
    if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0) return Damaged();
    const int64_t limit = name == kManifestFile ? limits_.manifest_bytes : limits_.file_bytes;
    if (archive_entry_size(entry) > limit) {
      return base::Fail(Code::kResourceExhausted, "bundle.limit",
                        fmt::format("the file \"{}\" has {} bytes, more than the limit of {}", name,
                                    archive_entry_size(entry), base::FormatBytes({limit})));
    }
    SLIPWAY_ASSIGN(std::string bytes, ReadBytes(archive_entry_size(entry), name));
    files_.emplace(name, std::move(bytes));
    return {};
  }

  /// The declared size is a claim: memory grows with the bytes that are really there.
  base::Result<std::string> ReadBytes(int64_t size, const std::string& name) {
    std::string bytes;
    bytes.reserve(std::min(static_cast<size_t>(size), kFirstReserve));
    while (true) {
      const void* block = nullptr;
      size_t block_size = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(archive_.get(), &block, &block_size, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return Damaged();
      if (offset != static_cast<la_int64_t>(bytes.size()) || block_size > static_cast<size_t>(size) - bytes.size()) {
        return base::Fail(Code::kInvalidArgument, "bundle.file_kind",
                          fmt::format("the archive holds a sparse file, \"{}\"; make it with slipway pack", name));
      }
      bytes.append(static_cast<const char*>(block), block_size);
    }
    if (bytes.size() != static_cast<size_t>(size)) {
      return base::Fail(
          Code::kDataLoss, "bundle.truncated",
          fmt::format("the file \"{}\" has {} bytes instead of {}; take a fresh copy", name, bytes.size(), size));
    }
    bytes.shrink_to_fit();
    return bytes;
  }

  /// Reads to the end, so that a cut or damaged tail is noticed.
  base::Result<void> Drain() {
    while (true) {
      SLIPWAY_ASSIGN(const std::string_view block, feed_.source.Next());
      if (block.empty()) return {};
      if (block.find_first_not_of('\0') != std::string_view::npos) {
        return base::Fail(Code::kInvalidArgument, "bundle.corrupt",
                          "the archive has data after its end; make it with slipway pack");
      }
    }
  }

  const OpenLimits& limits_;
  Feed feed_;
  ArchivePointer archive_;
  NameSet names_;
  std::map<std::string, std::string> files_;
};

}  // namespace

base::Result<std::map<std::string, std::string>> ReadArchive(const std::filesystem::path& path,
                                                             const OpenLimits& limits) {
  SLIPWAY_ASSIGN(ZstdSource source, ZstdSource::Open(path, limits));
  try {
    return ArchiveReader(std::move(source), limits).ReadAll();
  } catch (const std::bad_alloc&) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit", "the bundle takes more memory than there is");
  }
}

}  // namespace slipway::bundle

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zstd.h>

#include <cerrno>
#include <memory>

#include "base/quantities.h"
#include "bundle/archive/archive.h"
#include "bundle/archive/name_set.h"

namespace slipway::bundle {
namespace {

using base::Code;

constexpr int kLevel = 9;
constexpr int kMode = 0644;

struct ArchiveFree {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EntryFree {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

std::unexpected<base::Error> Failed(const char* why) {
  return base::Fail(Code::kInternal, "bundle.write",
                    fmt::format("cannot write the archive: {}", why ? why : "unknown"));
}

/// Compresses what libarchive writes, in one frame by one thread.
class Compressor {
 public:
  Compressor() : context_(ZSTD_createCCtx(), ZSTD_freeCCtx), block_(ZSTD_CStreamOutSize(), '\0') {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  bool Add(const void* bytes, size_t size, ZSTD_EndDirective mode) {
    ZSTD_inBuffer input{bytes, size, 0};
    unpacked_ += size;
    for (size_t left = 1; left != 0 || input.pos < input.size;) {
      ZSTD_outBuffer output{block_.data(), block_.size(), 0};
      left = ZSTD_compressStream2(context_.get(), &output, &input, mode);
      if (ZSTD_isError(left)) return false;
      packed_.append(block_.data(), output.pos);
      if (mode == ZSTD_e_continue && input.pos == input.size) return true;
    }
    return true;
  }

  size_t unpacked() const { return unpacked_; }
  std::string& packed() { return packed_; }

  static la_ssize_t Write(archive* a, void* client, const void* bytes, size_t size) {
    if (static_cast<Compressor*>(client)->Add(bytes, size, ZSTD_e_continue)) return static_cast<la_ssize_t>(size);
    archive_set_error(a, EIO, "zstd failed");
    return ARCHIVE_FATAL;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
  std::string block_;
  std::string packed_;
  size_t unpacked_ = 0;
};

base::Result<void> CheckFiles(const std::map<std::string, std::string_view>& files, const OpenLimits& limits) {
  NameSet names;
  for (const auto& [name, bytes] : files) {
    SLIPWAY_TRY(names.Add(name, limits.path_bytes));
    const int64_t limit = name == kManifestFile ? limits.manifest_bytes : limits.file_bytes;
    if (static_cast<int64_t>(bytes.size()) > limit) {
      return base::Fail(
          Code::kResourceExhausted, "bundle.limit",
          fmt::format("the file \"{}\" has {}, more than the limit of {}", name,
                      base::FormatBytes({static_cast<int64_t>(bytes.size())}), base::FormatBytes({limit})));
    }
  }
  if (files.size() > static_cast<size_t>(limits.files)) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit",
                      fmt::format("{} files are more than the limit of {}", files.size(), limits.files));
  }
  return {};
}

base::Result<void> WriteTar(archive* tar, const std::map<std::string, std::string_view>& files) {
  const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
  if (!entry) throw std::bad_alloc();
  for (const auto& [name, bytes] : files) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kMode);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    if (archive_write_header(tar, entry.get()) != ARCHIVE_OK) return Failed(archive_error_string(tar));
    for (size_t done = 0; done < bytes.size();) {
      const la_ssize_t wrote = archive_write_data(tar, bytes.data() + done, bytes.size() - done);
      if (wrote <= 0) return Failed(archive_error_string(tar));
      done += static_cast<size_t>(wrote);
    }
  }
  if (archive_write_close(tar) != ARCHIVE_OK) return Failed(archive_error_string(tar));
  return {};
}

}  // namespace

base::Result<std::string> BuildArchive(const std::map<std::string, std::string_view>& files, const OpenLimits& limits) {
  SLIPWAY_TRY(CheckFiles(files, limits));
  Compressor compressor;
  const std::unique_ptr<archive, ArchiveFree> tar(archive_write_new());
  // The restricted form is plain ustar wherever that can say it, so old tools read it as well.
  if (!tar || archive_write_set_format_pax_restricted(tar.get()) != ARCHIVE_OK ||
      archive_write_add_filter_none(tar.get()) != ARCHIVE_OK ||
      archive_write_open(tar.get(), &compressor, nullptr, Compressor::Write, nullptr) != ARCHIVE_OK) {
    return Failed(tar ? archive_error_string(tar.get()) : "no memory");
  }
  SLIPWAY_TRY(WriteTar(tar.get(), files));
  if (!compressor.Add(nullptr, 0, ZSTD_e_end)) return Failed("zstd failed");
  const auto unpacked = static_cast<int64_t>(compressor.unpacked());
  const auto packed = static_cast<int64_t>(compressor.packed().size());
  if (unpacked > limits.unpacked_bytes || packed > limits.archive_bytes) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit",
                      fmt::format("the files take {}, more than the limit of {}", base::FormatBytes({unpacked}),
                                  base::FormatBytes({limits.unpacked_bytes})));
  }
  if (unpacked > limits.ratio_free_bytes &&
      static_cast<double>(unpacked) > limits.ratio * static_cast<double>(packed)) {
    return base::Fail(Code::kInvalidArgument, "bundle.limit",
                      fmt::format("the files compress to less than 1/{} of their size, which opening refuses as a "
                                  "decompression bomb; drop constant tensors from the model",
                                  limits.ratio));
  }
  return std::move(compressor.packed());
}

}  // namespace slipway::bundle

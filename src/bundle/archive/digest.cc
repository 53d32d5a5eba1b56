#include "bundle/archive/digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "base/value.h"
#include "bundle/archive/entry_name.h"

namespace slipway::bundle {
namespace {

using base::Code;
using base::Value;

constexpr int64_t kFormat = 1;
constexpr size_t kBlockBytes = size_t{1} << 20;

/// OpenSSL's SHA-256 in steps. Its functions fail only when memory is exhausted.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }
  void Add(const void* bytes, size_t size) { EVP_DigestUpdate(context_.get(), bytes, size); }
  std::string Finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::unexpected<base::Error> CannotRead(const std::filesystem::path& path) {
  const Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
  return base::Fail(code, errno == ENOENT ? "file.missing" : "file.read",
                    fmt::format("cannot read \"{}\": {}", path.string(), std::strerror(errno)));
}

std::unexpected<base::Error> Malformed(std::string message) {
  return base::Fail(Code::kInvalidArgument, "bundle.digests",
                    fmt::format("{}; pack the bundle again with slipway pack", message), "digests.json");
}

bool IsSha256(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, is_hex);
}

base::Result<FileDigest> ParseEntry(const std::string& name, const Value& entry) {
  SLIPWAY_TRY(CheckEntryName(name));
  const Value* sha256 = entry.Find("sha256");
  const Value* size = entry.Find("size");
  if (sha256 == nullptr || !sha256->is_string() || !IsSha256(sha256->string()) || size == nullptr ||
      !size->is_integer() || size->integer() < 0 || entry.map().size() != 2) {
    return Malformed(fmt::format("the entry of \"{}\" has not a sha256 of 64 hex digits and a size", name));
  }
  return FileDigest{sha256->string(), size->integer()};
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  Hasher hasher;
  hasher.Add(bytes.data(), bytes.size());
  return hasher.Finish();
}

base::Result<FileDigest> DigestFile(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return CannotRead(path);
  const std::unique_ptr<const int, void (*)(const int*)> closer(&file, [](const int* f) { close(*f); });
  struct stat status{};
  if (fstat(file, &status) != 0) return CannotRead(path);
  if (!S_ISREG(status.st_mode)) {
    return base::Fail(Code::kInvalidArgument, "file.not_regular",
                      fmt::format("\"{}\" is no regular file", path.string()));
  }
  Hasher hasher;
  FileDigest digest;
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  while (true) {
    const ssize_t got = read(file, block.get(), kBlockBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(path);
    if (got == 0) break;
    hasher.Add(block.get(), static_cast<size_t>(got));
    digest.size += got;
  }
  digest.sha256 = hasher.Finish();
  return digest;
}

std::string IdentityOf(const FileDigests& files) {
  std::string listing;
  for (const auto& [name, digest] : files) listing += fmt::format("{}  {}\n", digest.sha256, name);
  return "sha256:" + Sha256Hex(listing);
}

std::string FormatDigests(const FileDigests& files) {
  Value entries = Value::Map();
  for (const auto& [name, digest] : files) {
    Value entry = Value::Map();
    entry.Set("sha256", digest.sha256).Set("size", digest.size);
    entries.map().emplace_back(name, std::move(entry));
  }
  Value document = Value::Map();
  document.Set("format", kFormat).Set("digest", IdentityOf(files)).Set("files", std::move(entries));
  return base::ToJson(document, {.indent = 2, .trailing_newline = true, .inline_width = 120});
}

base::Result<FileDigests> ParseDigests(std::string_view text) {
  const auto document = base::ParseJson(text, {.bytes = size_t{4} << 20, .depth = 4, .values = 65536});
  if (!document) return Malformed(document.error().Text());
  const Value* format = document->Find("format");
  if (format == nullptr || *format != Value(kFormat)) return Malformed("its format is not 1");
  const Value* files = document->Find("files");
  const Value* identity = document->Find("digest");
  if (files == nullptr || !files->is_map() || identity == nullptr || document->map().size() != 3) {
    return Malformed("it has not the keys format, digest and files");
  }
  FileDigests digests;
  for (const auto& [name, entry] : files->map()) {
    SLIPWAY_ASSIGN(FileDigest digest, ParseEntry(name, entry));
    digests.emplace(name, std::move(digest));
  }
  if (*identity != Value(IdentityOf(digests))) return Malformed("its digest is not that of its files");
  return digests;
}

base::Result<void> CompareDigests(const FileDigests& recorded, const FileDigests& found) {
  const auto mismatch = [](std::string message) {
    return base::Fail(Code::kDataLoss, "bundle.digest_mismatch",
                      fmt::format("{}; the bundle was altered after it was packed: take a fresh copy", message));
  };
  for (const auto& [name, digest] : found) {
    const auto record = recorded.find(name);
    if (record == recorded.end()) return mismatch(fmt::format("the file \"{}\" is not in digests.json", name));
    if (record->second.size != digest.size) {
      return mismatch(fmt::format("the file \"{}\" has {} bytes, but digests.json records {}", name, digest.size,
                                  record->second.size));
    }
    if (record->second.sha256 != digest.sha256) {
      return mismatch(fmt::format("the file \"{}\" has SHA-256 {}, but digests.json records {}", name, digest.sha256,
                                  record->second.sha256));
    }
  }
  for (const auto& [name, unused] : recorded) {
    if (!found.contains(name)) return mismatch(fmt::format("the file \"{}\" of digests.json is missing", name));
  }
  return {};
}

}  // namespace slipway::bundle

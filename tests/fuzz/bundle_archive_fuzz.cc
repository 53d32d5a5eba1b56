// Archives of any bytes are opened, or refused with reason and message. The first byte says what the rest is: the file
// as it stands, or a tar, whose checksums are set right and which is compressed on the way.

#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bundle/bundle.h"

namespace {

/// Makes every block that calls itself ustar a header that tar believes.
void SetChecksums(std::string& tar) {
  for (size_t at = 0; at + 512 <= tar.size(); at += 512) {
    if (tar.compare(at + 257, 5, "ustar") != 0) continue;
    tar.replace(at + 148, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[at + i]);
    std::snprintf(&tar[at + 148], 8, "%06o", sum);
    tar[at + 155] = ' ';
  }
}

std::string Compressed(const std::string& bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1));
  return packed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace slipway;
  if (size == 0) return 0;
  std::string archive(reinterpret_cast<const char*>(bytes + 1), size - 1);
  if (bytes[0] % 2 == 1) {
    SetChecksums(archive);
    archive = Compressed(archive);
  }
  static const int file = memfd_create("archive", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, archive.data(), archive.size(), 0) < 0) std::abort();
  const bundle::OpenLimits limits{.unpacked_bytes = int64_t{64} << 20, .ratio_free_bytes = int64_t{1} << 20};
  const auto opened = bundle::Bundle::Open(path, limits);
  if (!opened) {
    if (opened.error().message.empty() || opened.error().reason.empty()) std::abort();
    return 0;
  }
  for (const auto& name : opened->Files()) {
    if (!opened->Read(name)) std::abort();
  }
  if (!opened->Digest()) std::abort();
  return 0;
}

#include "bundle/archive/zstd_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/quantities.h"

namespace slipway::bundle {
namespace {

using base::Code;

/// A frame that asks for a larger window is refused: 32 MiB is more than any level of zstd up to 19 uses.
constexpr int kMaxWindowLog = 25;
constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";

std::unexpected<base::Error> PastLimit(std::string message) {
  return base::Fail(Code::kResourceExhausted, "bundle.limit", std::move(message));
}

}  // namespace

struct ZstdSource::State {
  ~State() {
    if (file >= 0) close(file);
  }

  base::Result<void> Fill() {
    ssize_t got = 0;
    do {
      got = read(file, packed.data(), packed.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return base::Fail(Code::kUnavailable, "file.read",
                        fmt::format("cannot read the archive: {}", std::strerror(errno)));
    }
    input = {packed.data(), static_cast<size_t>(got), 0};
    packed_bytes += got;
    if (packed_bytes > limits.archive_bytes) {
      return PastLimit(
          fmt::format("the archive is larger than the limit of {}", base::FormatBytes({limits.archive_bytes})));
    }
    return {};
  }

  base::Result<void> Count(size_t produced) {
    unpacked_bytes += static_cast<int64_t>(produced);
    if (unpacked_bytes > limits.unpacked_bytes) {
      return PastLimit(
          fmt::format("the archive unpacks to more than the limit of {}", base::FormatBytes({limits.unpacked_bytes})));
    }
    const auto consumed = packed_bytes - static_cast<int64_t>(input.size - input.pos);
    if (unpacked_bytes > limits.ratio_free_bytes &&
        static_cast<double>(unpacked_bytes) > limits.ratio * static_cast<double>(consumed)) {
      return PastLimit(
          fmt::format("the archive unpacks to more than {} times its size, like a decompression bomb", limits.ratio));
    }
    return {};
  }

  OpenLimits limits;
  int file = -1;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context{nullptr, ZSTD_freeDCtx};
  std::string packed;
  std::string unpacked;
  ZSTD_inBuffer input{nullptr, 0, 0};
  int64_t packed_bytes = 0;
  int64_t unpacked_bytes = 0;
  bool frame_open = false;
  bool pending = false;  // the decoder may hold more than fitted into the last block
};

ZstdSource::ZstdSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZstdSource::ZstdSource(ZstdSource&&) noexcept = default;
ZstdSource::~ZstdSource() = default;

base::Result<ZstdSource> ZstdSource::Open(const std::filesystem::path& path, const OpenLimits& limits) {
  auto state = std::make_unique<State>();
  state->limits = limits;
  state->file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status{};
  if (state->file < 0 || fstat(state->file, &status) != 0) {
    const bool missing = errno == ENOENT;
    return base::Fail(missing ? Code::kNotFound : Code::kUnavailable, missing ? "bundle.missing" : "file.read",
                      fmt::format("cannot open the bundle \"{}\": {}", path.string(), std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return base::Fail(Code::kInvalidArgument, "bundle.not_an_archive", "a bundle is a folder or a regular file");
  }
  if (status.st_size > limits.archive_bytes) {
    return PastLimit(fmt::format("the archive has {}, more than the limit of {}", base::FormatBytes({status.st_size}),
                                 base::FormatBytes({limits.archive_bytes})));
  }
  state->packed.resize(ZSTD_DStreamInSize());
  state->unpacked.resize(ZSTD_DStreamOutSize());
  state->context.reset(ZSTD_createDCtx());
  if (!state->context) return PastLimit("no memory for unpacking");
  ZSTD_DCtx_setParameter(state->context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  SLIPWAY_TRY(state->Fill());
  if (!std::string_view(state->packed).substr(0, state->input.size).starts_with(kMagic)) {
    return base::Fail(Code::kInvalidArgument, "bundle.not_an_archive",
                      "the file is no .slipway archive (it does not start as zstd does); make one with slipway pack");
  }
  return ZstdSource(std::move(state));
}

base::Result<std::string_view> ZstdSource::Next() {
  State& state = *state_;
  while (true) {
    if (state.input.pos == state.input.size && !state.pending) {
      SLIPWAY_TRY(state.Fill());
      if (state.input.size == 0 && !state.frame_open) return std::string_view();
      if (state.input.size == 0) {
        return base::Fail(Code::kDataLoss, "bundle.truncated",
                          "the archive ends in the middle of its data; take a fresh copy");
      }
    }
    ZSTD_outBuffer output{state.unpacked.data(), state.unpacked.size(), 0};
    do {
      const size_t left = ZSTD_decompressStream(state.context.get(), &output, &state.input);
      if (ZSTD_isError(left)) {
        return base::Fail(Code::kDataLoss, "bundle.corrupt",
                          fmt::format("the archive's compressed data is damaged: {}", ZSTD_getErrorName(left)));
      }
      state.frame_open = left != 0;
    } while (output.pos < output.size && state.input.pos < state.input.size);
    state.pending = state.frame_open && output.pos == output.size;
    SLIPWAY_TRY(state.Count(output.pos));
    if (output.pos > 0) return std::string_view(state.unpacked).substr(0, output.pos);
  }
}

}  // namespace slipway::bundle

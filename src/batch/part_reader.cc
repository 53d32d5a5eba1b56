#include "batch/part_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::batch {

base::Result<void> PartReader::CheckUnchanged() const {
  const auto& listed = plan_.files[static_cast<size_t>(at_.file)];
  if (listed.path == "-" || !listed.copy.empty()) return {};
  SLIPWAY_ASSIGN(const auto now, Look(listed.path));
  if (now.size == listed.size && now.modified == listed.modified) return {};
  return base::Fail(
      base::Code::kFailedPrecondition, "batch.input_changed",
      fmt::format("the file changed while it was read: it had {} bytes and has {} now; resume the job once it "
                  "is complete, what was scored of it is compared then",
                  listed.size, now.size),
      listed.path);
}

base::Result<void> PartReader::OpenFile() {
  SLIPWAY_TRY(CheckUnchanged());
  const auto& head = plan_.heads[static_cast<size_t>(at_.file)];
  const bool is_stream = head.stream != nullptr;
  if (is_stream && stop_) head.stream->StopWhen(stop_);
  SLIPWAY_ASSIGN(source_, tables::OpenPieces(head));
  if (!at_.begun) return {};
  return is_stream && finished_ ? CompareParts(plan_, *finished_, at_.file, *source_) : source_->MoveTo(at_.place);
}

base::Result<bool> PartReader::NextOfAnyShard(PartText& part) {
  auto bounds = plan_.bounds();
  if (plan_.job.limit && *plan_.job.limit - at_.rows < 2 * bounds.rows) {
    bounds.rows = std::min(bounds.rows, *plan_.job.limit - at_.rows);
    bounds.by_groups = false;
  }
  if (bounds.rows <= 0) return false;
  while (at_.file < static_cast<int64_t>(plan_.heads.size())) {
    if (!source_) SLIPWAY_TRY(OpenFile());
    auto next = source_->Next(bounds, part.piece);
    // An object that was replaced is seen by whoever reads on in it, if the store still tells others what it was.
    if (!next && next.error().reason == "storage.changed") {
      return base::Fail(base::Code::kFailedPrecondition, "batch.input_changed",
                        "the object was replaced while it was read; resume the job, what was scored of it is compared "
                        "then",
                        next.error().where);
    }
    SLIPWAY_ASSIGN(const bool more, std::move(next));
    if (more) {
      // The end of a file that grows may be half a record: nothing of it is taken for finished.
      if (source_->share() >= 1) SLIPWAY_TRY(CheckUnchanged());
      part.rows_before = at_.rows;
      part.number = at_.number++;
      part.file = at_.file;
      at_.rows += part.piece.rows();
      return true;
    }
    SLIPWAY_TRY(CheckUnchanged());
    bytes_before_ += plan_.files[static_cast<size_t>(at_.file)].size;
    source_.reset();
    at_.begun = false;
    ++at_.file;
  }
  return false;
}

base::Result<bool> PartReader::Next(PartText& part) {
  const auto& shard = plan_.job.shard;
  while (true) {
    SLIPWAY_ASSIGN(const bool more, NextOfAnyShard(part));
    if (!more || part.number % shard.count == shard.index) return more;
  }
}

int64_t PartReader::bytes_read() const {
  if (!source_) return bytes_before_;
  const auto size = plan_.files[static_cast<size_t>(at_.file)].size;
  return bytes_before_ + static_cast<int64_t>(source_->share() * static_cast<double>(size));
}

}  // namespace slipway::batch

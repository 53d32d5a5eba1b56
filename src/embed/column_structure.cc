// What an Arrow array says of itself, held against itself before anything is read.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "embed/column_reader.h"

namespace slipway::embed {
namespace {

constexpr int kMostDepth = 16;
constexpr int64_t kMostRows = int64_t{1} << 48;  ///< so that sums and products of rows stay within 64 bits

struct Cast {
  std::string_view type;
  std::string_view to;
};
constexpr Cast kCasts[] = {
    {"binary", "cast it to utf8"},
    {"large_binary", "cast it to utf8"},
    {"fixed_size_binary", "cast it to utf8"},
    {"time32", "cast it to int32, or join it with its date to a timestamp"},
    {"time64", "cast it to int64, or join it with its date to a timestamp"},
    {"duration", "cast it to int64"},
    {"interval", "make it a number"},
    {"decimal256", "cast it to float64"},
    {"list_view", "cast it to list"},
    {"large_list_view", "cast it to list"},
    {"run_end_encoded", "cast it to the type of its values"},
    {"struct", "make its fields columns of their own (flatten it)"},
};

std::string_view CastFor(std::string_view type) {
  const auto* found = std::ranges::find(kCasts, type.substr(0, std::min(type.find('['), type.find('('))), &Cast::type);
  return found == std::end(kCasts) ? "make it a number, a text, a boolean, a timestamp or a list of them" : found->to;
}

int BuffersOf(ArrowKind kind) {
  switch (kind) {
    case ArrowKind::kFixedSizeList:
      return 1;
    case ArrowKind::kText:
    case ArrowKind::kLargeText:
    case ArrowKind::kTextView:  // and one for each buffer that views point into
      return 3;
    default:
      return 2;
  }
}

bool IsIndex(ArrowKind kind) {
  return kind >= ArrowKind::kInt8 && kind <= ArrowKind::kUint64;
}

}  // namespace

std::unexpected<base::Error> ColumnReader::Malformed(std::string_view what) const {
  return base::Fail(base::Code::kInvalidArgument, "arrow.malformed",
                    fmt::format("this Arrow array contradicts itself: {}; it was exported wrongly", what), path_);
}

base::Result<ColumnReader> ColumnReader::Create(const ArrowSchema& schema, const ArrowArray& array, std::string path,
                                                int zone_minutes) {
  ColumnReader reader;
  reader.path_ = std::move(path);
  reader.zone_minutes_ = zone_minutes;
  SLIPWAY_TRY(reader.ReadArray(schema, array, 0));
  return reader;
}

base::Result<void> ColumnReader::ReadType(const ArrowSchema& schema) {
  if (schema.format == nullptr) return Malformed("a schema has no format");
  type_ = ParseFormat(schema.format);
  if (type_.kind != ArrowKind::kUnusable) return {};
  return base::Fail(base::Code::kInvalidArgument, "arrow.type",
                    fmt::format("the column {:?} has Arrow's type {}, which no input takes; {} before it is scored",
                                base::Shorten(path_), type_.name, CastFor(type_.name)),
                    path_);
}

base::Result<void> ColumnReader::ReadArray(const ArrowSchema& schema, const ArrowArray& array, int depth) {
  if (depth > kMostDepth) return Malformed("more than 16 levels lie in each other");
  SLIPWAY_TRY(ReadType(schema));
  if (array.release == nullptr) return Malformed("it was released already");
  if (array.length < 0 || array.offset < 0 || array.length > kMostRows || array.offset > kMostRows) {
    return Malformed("its length or offset is out of bounds");
  }
  if (type_.kind == ArrowKind::kFixedSizeList &&
      array.length + array.offset > kMostRows / std::max<int64_t>(1, type_.size)) {
    return Malformed("a list ends behind its elements");
  }
  rows_ = array.length;
  offset_ = array.offset;
  SLIPWAY_TRY(ReadBuffers(array));
  if (schema.dictionary != nullptr || array.dictionary != nullptr) return ReadDictionary(schema, array, depth);
  if (type_.is_list()) return ReadChild(schema, array, depth);
  return array.n_children == 0 ? base::Result<void>() : Malformed("a column that is no list has children");
}

base::Result<void> ColumnReader::ReadBuffers(const ArrowArray& array) {
  const ArrowKind kind = type_.kind;
  const int expected = BuffersOf(kind);
  const bool views = kind == ArrowKind::kTextView;
  if (kind == ArrowKind::kNull) return {};  // some writers give it a buffer
  if (array.n_buffers != expected && !(views && array.n_buffers > expected)) {
    return Malformed(fmt::format("{} has {} buffers", type_.name, array.n_buffers));
  }
  if (array.buffers == nullptr) return Malformed("its list of buffers is missing");
  if (array.null_count < -1 || array.null_count > array.length) return Malformed("more nulls than rows");
  if (array.null_count != 0) validity_ = static_cast<const uint8_t*>(array.buffers[0]);
  if (array.null_count > 0 && validity_ == nullptr) return Malformed("nulls, but no bits that say which");
  if (expected == 1) return {};
  values_ = array.buffers[1];
  if (values_ == nullptr && rows_ > 0) return Malformed("its values are missing");
  if (views) {
    view_count_ = array.n_buffers - expected;
    view_buffers_ = array.buffers + 2;
    view_sizes_ = static_cast<const int64_t*>(array.buffers[array.n_buffers - 1]);
    return view_count_ > 0 && view_sizes_ == nullptr ? Malformed("the sizes of its buffers are missing")
                                                     : base::Result<void>();
  }
  if (expected == 3) bytes_ = static_cast<const char*>(array.buffers[2]);
  if (kind == ArrowKind::kText || kind == ArrowKind::kList) return CheckOffsets<int32_t>();
  if (kind == ArrowKind::kLargeText || kind == ArrowKind::kLargeList) return CheckOffsets<int64_t>();
  return {};
}

template <typename Offset>
base::Result<void> ColumnReader::CheckOffsets() const {
  if (rows_ == 0) return {};
  const Offset* offsets = Values<Offset>();
  bool ascending = offsets[0] >= 0;
  for (int64_t row = 0; row < rows_; ++row) ascending &= offsets[row] <= offsets[row + 1];
  if (!ascending) return Malformed("its offsets do not ascend");
  const bool is_text = !type_.is_list();
  return is_text && bytes_ == nullptr && offsets[rows_] > offsets[0] ? Malformed("its bytes are missing")
                                                                     : base::Result<void>();
}

base::Result<void> ColumnReader::ReadChild(const ArrowSchema& schema, const ArrowArray& array, int depth) {
  if (schema.n_children != 1 || array.n_children != 1 || schema.children == nullptr || array.children == nullptr ||
      schema.children[0] == nullptr || array.children[0] == nullptr) {
    return Malformed("a list has one child");
  }
  child_ = std::unique_ptr<ColumnReader>(new ColumnReader());
  child_->path_ = path_;
  child_->zone_minutes_ = zone_minutes_;
  SLIPWAY_TRY(child_->ReadArray(*schema.children[0], *array.children[0], depth + 1));
  const int64_t needed = rows_ == 0 ? 0 : RangeOf(rows_ - 1).second;
  return needed > child_->rows_ ? Malformed("a list ends behind its elements") : base::Result<void>();
}

base::Result<void> ColumnReader::ReadDictionary(const ArrowSchema& schema, const ArrowArray& array, int depth) {
  if (!IsIndex(type_.kind)) return Malformed("the indices of a dictionary are integers");
  if (schema.dictionary == nullptr || array.dictionary == nullptr) return Malformed("half a dictionary");
  dictionary_ = std::unique_ptr<ColumnReader>(new ColumnReader());
  dictionary_->path_ = path_;
  dictionary_->zone_minutes_ = zone_minutes_;
  SLIPWAY_TRY(dictionary_->ReadArray(*schema.dictionary, *array.dictionary, depth + 1));
  return dictionary_->dictionary_ != nullptr || dictionary_->type_.is_list()
             ? Malformed("a dictionary of lists or dictionaries")
             : base::Result<void>();
}

}  // namespace slipway::embed

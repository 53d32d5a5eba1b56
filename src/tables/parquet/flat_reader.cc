#include "tables/parquet/flat_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "data/typed_delivery.h"
#include "tables/parquet/chunk_reader.h"
#include "tables/row_source.h"

namespace slipway::tables::parquet {
namespace {

constexpr int64_t kMillisPerSecond = 1000, kMicrosPerSecond = 1'000'000;

/// Whether all stand for themselves when they are narrowed to `Narrow`.
template <typename Narrow>
bool Fit(const int32_t* values, int64_t count) {
  return std::all_of(values, values + count, [](int32_t value) { return std::in_range<Narrow>(value); });
}

}  // namespace

/// One column of the file, and the field it fills.
class FlatReader::Column {
 public:
  Column(const RandomFile& file, const IndexedColumn& column, int field, int zone_minutes, int64_t memory)
      : reader_(file, column, memory),
        leaf_(static_cast<size_t>(column.first_leaf)),
        kind_(column.kind),
        field_(field),
        zone_minutes_(zone_minutes) {}

  base::Result<void> Begin(const RowGroup& group, int64_t skipped) {
    block_ = {};
    reader_.Begin(group.chunks[leaf_]);
    return reader_.Skip(skipped);
  }
  int64_t held_bytes() const { return reader_.held_bytes(); }

  /// `block_rows`: how many are decoded at once.
  base::Result<void> Append(int64_t rows, int64_t row, int64_t block_rows, const data::Field& field,
                            data::RowBuilder& builder, data::Column& column) {
    for (const int64_t end = row + rows; row < end;) {
      if (block_.rows == 0) {
        SLIPWAY_ASSIGN(block_, reader_.Next(block_rows));
        if (!IsSound(block_)) return Unread("a column holds values that its type has not");
      }
      const Values values = Take(end - row);
      if (!AppendAll(values, field, column)) Deliver(values, row, builder);
      row += values.rows;
    }
    return {};
  }

 private:
  template <typename T>
  static const T* NumbersOf(const Values& values) {
    return static_cast<const T*>(values.numbers);
  }

  /// At most so many rows off the front of block_.
  Values Take(int64_t rows) {
    Values taken = block_;
    taken.rows = std::min(rows, block_.rows);
    taken.count = block_.levels == nullptr ? taken.rows : std::count(block_.levels, block_.levels + taken.rows, 1);
    block_.rows -= taken.rows;
    block_.count -= taken.count;
    if (block_.levels != nullptr) block_.levels += taken.rows;
    if (kind_ == ValueKind::kText) {
      block_.texts += taken.count;
    } else {
      block_.numbers =
          static_cast<const std::byte*>(block_.numbers) + taken.count * static_cast<int64_t>(reader_.width());
    }
    return taken;
  }

  bool IsSound(const Values& values) const {
    const auto* integers = NumbersOf<int32_t>(values);
    switch (kind_) {
      case ValueKind::kInt8:
        return Fit<int8_t>(integers, values.count);
      case ValueKind::kInt16:
        return Fit<int16_t>(integers, values.count);
      case ValueKind::kUint8:
        return Fit<uint8_t>(integers, values.count);
      case ValueKind::kUint16:
        return Fit<uint16_t>(integers, values.count);
      case ValueKind::kText:
        return std::all_of(values.texts, values.texts + values.count, base::IsValidUtf8);
      default:
        return true;
    }
  }

  /// The short way for a column of the same type; false, with nothing appended, where there is none.
  bool AppendAll(const Values& values, const data::Field& field, data::Column& column) {
    using data::ScalarType;
    if (!field.type.is_scalar()) return false;
    const bool is_number = field.type.scalar == ScalarType::kNumber;
    switch (kind_) {
      case ValueKind::kInt8:
      case ValueKind::kInt16:
      case ValueKind::kInt32:
      case ValueKind::kUint8:
      case ValueKind::kUint16:
        return AppendNumbers<int32_t>(values, column);
      case ValueKind::kUint32:
        return AppendNumbers<uint32_t>(values, column);
      case ValueKind::kInt64:
        return AppendNumbers<int64_t>(values, column);
      case ValueKind::kFloat:
        return is_number && AppendNumbers<float>(values, column);
      case ValueKind::kDouble:
        return is_number && AppendNumbers<double>(values, column);
      case ValueKind::kText:
        return field.type.scalar == ScalarType::kString && field.null_texts.empty() && AppendTexts(values, column);
      default:
        return false;
    }
  }

  template <typename Stored>
  bool AppendNumbers(const Values& values, data::Column& column) {
    const Stored* numbers = NumbersOf<Stored>(values);
    if (values.levels == nullptr) return data::AppendNumbers(numbers, values.rows, column);
    spread_.assign(static_cast<size_t>(values.rows) * sizeof(Stored), std::byte{});
    auto* spread = reinterpret_cast<Stored*>(spread_.data());
    for (int64_t i = 0; i < values.rows; ++i) {
      if (values.levels[i] != 0) spread[i] = *numbers++;
    }
    if (!data::AppendNumbers(spread, values.rows, column)) return false;
    data::MarkNulls(values.rows, column, [&](int64_t i) { return values.levels[i] != 0; });
    return true;
  }

  static bool AppendTexts(const Values& values, data::Column& column) {
    size_t bytes = 0;
    for (int64_t i = 0; i < values.count; ++i) bytes += values.texts[i].size();
    if (!column.FitsString(bytes)) return false;
    ForEachRow(values, [&](int64_t, int64_t value) {
      if (value < 0) return column.AppendNull();
      column.AppendString(values.texts[value]);
    });
    return true;
  }

  /// Calls `take(row, value)`: the index of the row's value, -1 for null.
  template <typename Take>
  static void ForEachRow(const Values& values, Take&& take) {
    int64_t value = 0;
    for (int64_t row = 0; row < values.rows; ++row) {
      take(row, values.levels == nullptr || values.levels[row] != 0 ? value++ : -1);
    }
  }

  void Deliver(const Values& values, int64_t row, data::RowBuilder& builder) const {
    const data::CellTarget target{builder, field_};
    ForEachRow(values, [&](int64_t i, int64_t value) {
      builder.MoveTo(row + i);
      if (value < 0) return target.Null();
      DeliverValue(values, value, target);
    });
  }

  void DeliverValue(const Values& values, int64_t i, const data::CellTarget& target) const {
    switch (kind_) {
      case ValueKind::kBoolean:
        return target.Boolean(NumbersOf<uint8_t>(values)[i] != 0);
      case ValueKind::kInt64:
        return target.Integer(NumbersOf<int64_t>(values)[i]);
      case ValueKind::kUint32:
        return target.Integer(NumbersOf<uint32_t>(values)[i]);
      case ValueKind::kUint64:
        return target.Unsigned(NumbersOf<uint64_t>(values)[i]);
      case ValueKind::kFloat:
        return target.Number(static_cast<double>(NumbersOf<float>(values)[i]));
      case ValueKind::kDouble:
        return target.Number(NumbersOf<double>(values)[i]);
      case ValueKind::kText:
        return target.Text(values.texts[i]);
      case ValueKind::kDate:
        return data::DeliverTime(int64_t{NumbersOf<int32_t>(values)[i]} * 86400, 1, zone_minutes_, target);
      case ValueKind::kMillis:
        return data::DeliverTime(NumbersOf<int64_t>(values)[i], kMillisPerSecond, zone_minutes_, target);
      case ValueKind::kMicros:
        return data::DeliverTime(NumbersOf<int64_t>(values)[i], kMicrosPerSecond, zone_minutes_, target);
      case ValueKind::kMillisUtc:
        return data::DeliverTime(NumbersOf<int64_t>(values)[i], kMillisPerSecond, 0, target);
      case ValueKind::kMicrosUtc:
        return data::DeliverTime(NumbersOf<int64_t>(values)[i], kMicrosPerSecond, 0, target);
      default:
        return target.Integer(NumbersOf<int32_t>(values)[i]);
    }
  }

  ChunkReader reader_;
  size_t leaf_;
  ValueKind kind_;
  int field_;
  int zone_minutes_;  ///< of times without one
  Values block_;      ///< decoded, not yet taken
  std::vector<std::byte> spread_;

  friend class FlatReader;
};

FlatReader::FlatReader(RandomFile file, const data::Layout& layout, base::Bytes memory)
    : file_(std::move(file)), layout_(layout), memory_(memory.count) {}
FlatReader::~FlatReader() = default;

base::Result<std::unique_ptr<FlatReader>> FlatReader::Open(const std::string& path,
                                                           const std::vector<StoredColumn>& columns,
                                                           const data::Layout& layout, base::Bytes memory) {
  SLIPWAY_ASSIGN(auto file, RandomFile::Open(path));
  std::unique_ptr<FlatReader> reader(new FlatReader(std::move(file), layout, memory));
  SLIPWAY_ASSIGN(reader->index_, ReadFileIndex(reader->file_));
  SLIPWAY_TRY(reader->AddColumns(columns));
  return reader;
}

base::Result<void> FlatReader::AddColumns(const std::vector<StoredColumn>& columns) {
  if (columns.size() != index_.columns.size()) return Unread("the file has other columns than its description");
  for (size_t i = 0; i < columns.size(); ++i) {
    const int field = layout_.Find(columns[i].name);
    if (field < 0 && layout_.unknown_fields() == data::UnknownFields::kIgnore) continue;
    if (field < 0) return Unread("a column is in no field, which each row has to tell");
    const IndexedColumn& column = index_.columns[i];
    if (column.kind == ValueKind::kOther || column.stored_type != columns[i].stored_type) {
      return Unread("a column is of a type that is not read");
    }
    const auto leaf = static_cast<size_t>(column.first_leaf);
    if (!std::ranges::all_of(index_.groups, ChunkReader::CanRead,
                             [&](const RowGroup& group) -> const ColumnChunk& { return group.chunks[leaf]; })) {
      return Unread("a column is stored in a way that is not read");
    }
    const int zone_minutes = layout_.fields()[static_cast<size_t>(field)].zone_minutes;
    columns_.push_back(std::make_unique<Column>(file_, column, field, zone_minutes, memory_));
  }
  return {};
}

base::Result<void> FlatReader::Select(int64_t first, int64_t end) {
  const int64_t rows = index_.groups.empty() ? 0 : index_.groups.back().end_row;
  if (first < 0 || end > rows) return Unread("the file has fewer rows than its description");
  at_ = first;
  end_ = end;
  if (first >= end) return {};
  const auto behind = std::ranges::upper_bound(index_.groups, first, {}, &RowGroup::end_row);
  return BeginGroup(static_cast<size_t>(behind - index_.groups.begin()));
}

/// At row at_, which the group has.
base::Result<void> FlatReader::BeginGroup(size_t group) {
  group_ = group;
  const int64_t begin = group == 0 ? 0 : index_.groups[group - 1].end_row;
  for (const auto& column : columns_) SLIPWAY_TRY(column->Begin(index_.groups[group], at_ - begin));
  return {};
}

base::Result<bool> FlatReader::Next(data::Decoded& rows, int64_t max_rows) {
  rows.Clear();
  data::RowBuilder builder(layout_, rows);
  const int64_t most = RowsOfBatch(layout_, max_rows);
  int64_t appended = 0;
  while (appended < most && at_ < end_ && TextBytes(rows.table) < kBatchBytes) {
    const auto step = AppendStep(most - appended, appended, builder, rows);
    if (!step) {
      rows.Clear();
      return std::unexpected(step.error());
    }
    appended += *step;
  }
  builder.EndColumns(appended);
  return appended > 0;
}

base::Result<int64_t> FlatReader::AppendStep(int64_t rows, int64_t begin, data::RowBuilder& builder,
                                             data::Decoded& out) {
  constexpr int64_t kStepRows = 2048;
  // A dictionary is looked up for many rows at a time, as it may leave the processor's cache before its next turn;
  // all columns' rows together should stay in there.
  constexpr int64_t kMostBlockRows = 16384, kBlockValues = 1 << 19;
  const int64_t block_rows =
      std::clamp(kBlockValues / std::max<int64_t>(1, std::ssize(columns_)), kStepRows, kMostBlockRows);
  while (at_ >= index_.groups[group_].end_row) SLIPWAY_TRY(BeginGroup(group_ + 1));
  const int64_t step = std::min({rows, kStepRows, end_ - at_, index_.groups[group_].end_row - at_});
  int64_t held = 0;
  for (const auto& column : columns_) {
    const auto field = static_cast<size_t>(column->field_);
    SLIPWAY_TRY(column->Append(step, begin, block_rows, layout_.fields()[field], builder, out.table.columns[field]));
    held += column->held_bytes();
    if (held > memory_) return Unread("the columns' pages together are larger than the memory for them");
  }
  at_ += step;
  return step;
}

}  // namespace slipway::tables::parquet

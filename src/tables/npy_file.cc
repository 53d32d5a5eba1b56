#include "tables/npy_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace slipway::tables {
namespace {

constexpr size_t kHeaderBytes = 128;  // room for any number of rows
constexpr int64_t kBlockRows = 1024;

static_assert(std::endian::native == std::endian::little);

base::Result<int64_t> WidthOf(const std::vector<data::Field>& fields) {
  int64_t width = 0;
  for (const auto& field : fields) {
    const bool numeric = field.type.scalar == data::ScalarType::kNumber ||
                         field.type.scalar == data::ScalarType::kInteger ||
                         field.type.scalar == data::ScalarType::kBoolean;
    if (!numeric || field.type.is_variable()) {
      return base::Fail(
          base::Code::kInvalidArgument, "tables.unfit",
          fmt::format("a .npy file holds a matrix of numbers, but {} is of type {}; leave it out, or write "
                      ".parquet or .csv",
                      field.name, field.type.ToString()));
    }
    width += field.type.elements();
  }
  return width;
}

double ElementAt(const data::ColumnView& column, int64_t row, int64_t element) {
  if (!column.IsValid(row)) return std::numeric_limits<double>::quiet_NaN();
  switch (column.type) {
    case data::ScalarType::kNumber:
      return column.numbers()[element];
    case data::ScalarType::kBoolean:
      return column.booleans()[element] ? 1.0 : 0.0;
    default:
      return static_cast<double>(column.integers()[element]);
  }
}

}  // namespace

NpyFileSink::NpyFileSink(OutputFile file, int64_t width, bool single_precision)
    : file_(std::move(file)), width_(width), single_precision_(single_precision) {}

base::Result<std::unique_ptr<NpyFileSink>> NpyFileSink::Open(std::string_view path,
                                                             const std::vector<data::Field>& fields) {
  SLIPWAY_ASSIGN(const int64_t width, WidthOf(fields));
  const bool single = !fields.empty() && std::ranges::all_of(fields, &data::Field::single_precision);
  SLIPWAY_ASSIGN(auto file, OutputFile::Create(path));
  if (file.is_stream() || file.is_object()) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "a .npy file states its number of rows first and cannot be written to a stream; name a file");
  }
  std::unique_ptr<NpyFileSink> sink(new NpyFileSink(std::move(file), width, single));
  SLIPWAY_TRY(sink->file_.Append(sink->Header()));
  return sink;
}

std::string NpyFileSink::Header() const {
  std::string header("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<uint16_t>(kHeaderBytes - 10);
  header += static_cast<char>(length & 0xFF);
  header += static_cast<char>(length >> 8);
  header += fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                        single_precision_ ? "<f4" : "<f8", rows_, width_);
  header.resize(kHeaderBytes - 1, ' ');
  return header + '\n';
}

template <typename Element>
void NpyFileSink::AppendRows(const data::Table& rows, int64_t first, int64_t last) {
  bytes_.resize(static_cast<size_t>((last - first) * width_) * sizeof(Element));
  char* out = bytes_.data();
  for (int64_t row = first; row < last; ++row) {
    for (const auto& column : rows.columns) {
      const auto view = column.view();
      for (int64_t i = 0; i < view.width; ++i) {
        const auto element = static_cast<Element>(ElementAt(view, row, row * view.width + i));
        std::memcpy(out, &element, sizeof(Element));
        out += sizeof(Element);
      }
    }
  }
}

base::Result<void> NpyFileSink::Write(const data::Table& rows) {
  for (int64_t first = 0; first < rows.rows; first += kBlockRows) {
    const int64_t last = std::min(first + kBlockRows, rows.rows);
    if (single_precision_) {
      AppendRows<float>(rows, first, last);
    } else {
      AppendRows<double>(rows, first, last);
    }
    SLIPWAY_TRY(file_.Append(bytes_));
  }
  rows_ += rows.rows;
  return {};
}

base::Result<void> NpyFileSink::Finish() {
  SLIPWAY_TRY(file_.Patch(0, Header()));
  return file_.Finish();
}

}  // namespace slipway::tables

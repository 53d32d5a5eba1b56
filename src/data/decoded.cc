#include "data/decoded.h"

#include <algorithm>
#include <limits>

#include "data/number_text.h"

namespace slipway::data {
namespace {

constexpr int kUnknownReported = 64;
constexpr size_t kElementsReported = 16;

// Whether a tensor of the shape found is one of the declared type; an empty list is empty in every dimension after it.
bool FitsShape(const DataType& type, std::span<const int64_t> shape) {
  if (shape.size() > type.shape.size() || shape.empty()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (type.shape[i] >= 0 && type.shape[i] != shape[i]) return false;
  }
  return shape.size() == type.shape.size() || shape.back() == 0;
}

// Rows as shape declares them, or 0 where the dimension varies and the tensor is empty.
std::vector<int64_t> FillShape(const DataType& type, std::span<const int64_t> shape) {
  std::vector<int64_t> filled(shape.begin(), shape.end());
  for (size_t i = shape.size(); i < type.shape.size(); ++i) filled.push_back(std::max<int64_t>(type.shape[i], 0));
  return filled;
}

}  // namespace

Decoded::Decoded(const Layout& layout)
    : table(Table::Make(layout.fields())), absent(static_cast<size_t>(layout.size())) {}

void Decoded::Clear() {
  table.Clear();
  for (auto& bits : absent) bits.clear();
  violations.clear();
}

void Decoded::Truncate(int64_t rows) {
  for (Column& column : table.columns) {
    if (column.rows() >= rows) column.Truncate(rows);
  }
  for (auto& bits : absent) {
    const auto words = static_cast<size_t>((rows + 63) >> 6);
    if (bits.size() > words) bits.resize(words);
    if (bits.size() == words && (rows & 63) != 0) bits.back() &= (uint64_t{1} << (rows & 63)) - 1;
  }
  while (!violations.empty() && violations.back().row >= rows) violations.pop_back();
  table.rows = rows;
}

void Decoded::Keep(std::span<const uint8_t> kept) {
  std::vector<int64_t> rows;
  for (size_t row = 0; row < kept.size(); ++row) {
    if (kept[row] != 0) rows.push_back(static_cast<int64_t>(row));
  }
  for (Column& column : table.columns) {
    Column left(column.type());
    for (const int64_t row : rows) left.AppendFrom(column, row);
    column = std::move(left);
  }
  for (size_t c = 0; c < absent.size(); ++c) {
    if (absent[c].empty()) continue;
    std::vector<uint64_t> left((rows.size() + 63) >> 6);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (IsAbsent(static_cast<int>(c), rows[i])) left[i >> 6] |= uint64_t{1} << (i & 63);
    }
    absent[c] = std::move(left);
  }
  std::vector<Violation> left;
  for (auto& violation : violations) {
    const auto at = std::ranges::lower_bound(rows, violation.row);
    if (at == rows.end() || *at != violation.row) continue;
    violation.row = at - rows.begin();
    left.push_back(std::move(violation));
  }
  violations = std::move(left);
  table.rows = static_cast<int64_t>(rows.size());
}

RowBuilder::RowBuilder(const Layout& layout, Decoded& out)
    : layout_(layout), out_(out), row_(out.table.rows), row_violations_(out.violations.size()) {}

void RowBuilder::BeginRow() {
  row_ = out_.table.rows;
  row_violations_ = out_.violations.size();
  unknown_ = 0;
  malformed_ = false;
  tensor_ = nullptr;
  tensor_field_ = -1;
}

void RowBuilder::SetNull(int field) {
  if (Admit(field, nullptr)) out_.table.columns[static_cast<size_t>(field)].AppendNull();
}

void RowBuilder::SetBoolean(int field, bool value) {
  if (Column* column = Take(field, ScalarType::kBoolean)) {
    column->AppendBoolean(value);
  } else {
    SetCell(field, Cell::Boolean(value));
  }
}

void RowBuilder::SetUnsigned(int field, uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    SetInteger(field, static_cast<int64_t>(value));
  } else {
    SetCell(field, Cell::Unsigned(value));
  }
}

void RowBuilder::SetString(int field, std::string_view value) {
  SetCell(field, Cell::Text(value));
}

void RowBuilder::SetLexeme(int field, std::string_view value) {
  // The common case first: a number cell that is one. Everything else goes the long way, with the same outcome.
  Column* column = Take(field, ScalarType::kNumber);
  if (column != nullptr && this->field(field).null_texts.empty()) {
    const NumberText number = ReadNumberText(value);
    if (number.kind == NumberText::Kind::kNumber) return column->AppendNumber(number.number);
    if (number.kind == NumberText::Kind::kInteger) return column->AppendNumber(static_cast<double>(number.integer));
  }
  SetCell(field, Cell::Lexeme(value));
}

void RowBuilder::SetTimestamp(int field, int64_t microseconds) {
  if (Column* column = Take(field, ScalarType::kTimestamp)) {
    column->AppendInteger(microseconds);
  } else {
    SetCell(field, Cell::Timestamp(microseconds));
  }
}

void RowBuilder::SetWrong(int field, std::string_view found, std::string_view text) {
  if (Admit(field, nullptr)) Refuse(field, WrongKind(this->field(field), found, text));
}

void RowBuilder::SetFrom(int field, const Column& column, int64_t row) {
  if (Admit(field, nullptr)) out_.table.columns[static_cast<size_t>(field)].AppendFrom(column, row);
}

void RowBuilder::Unknown(std::string_view name) {
  if (malformed_ || layout_.unknown_fields() == UnknownFields::kIgnore || ++unknown_ > kUnknownReported) return;
  Report(-1, UnknownName(name, layout_.names()));
}

void RowBuilder::Malformed(std::string message) {
  if (malformed_) return;
  malformed_ = true;
  tensor_ = nullptr;
  out_.violations.resize(row_violations_);
  for (Column& column : out_.table.columns) {
    column.Truncate(row_);
    column.AppendNull();
  }
  Violation violation;
  violation.code = ViolationCode::kMalformed;
  violation.message = std::move(message);
  Report(-1, std::move(violation));
}

void RowBuilder::EndRow() {
  if (!malformed_) {
    for (size_t i = 0; i < out_.table.columns.size(); ++i) {
      Column& column = out_.table.columns[i];
      if (column.rows() > row_) continue;
      column.AppendNull();
      auto& bits = out_.absent[i];
      bits.resize(static_cast<size_t>(row_ >> 6) + 1);
      bits.back() |= uint64_t{1} << (row_ & 63);
    }
    if (out_.violations.size() > row_violations_ + 1) SortRow();
  }
  out_.table.rows = ++row_;
}

void RowBuilder::EndColumns(int64_t rows) {
  for (size_t i = 0; i < out_.table.columns.size(); ++i) {
    Column& column = out_.table.columns[i];
    if (column.rows() == rows) continue;
    for (int64_t row = 0; row < rows; ++row) column.AppendNull();
    auto& bits = out_.absent[i];
    bits.assign(static_cast<size_t>((rows + 63) >> 6), ~uint64_t{0});
    if ((rows & 63) != 0) bits.back() = (uint64_t{1} << (rows & 63)) - 1;
  }
  // Columns were filled in any order, each by ascending rows; those of one field keep their order.
  if (out_.violations.size() > 1) {
    std::stable_sort(out_.violations.begin(), out_.violations.end(), [](const Violation& a, const Violation& b) {
      return a.row != b.row ? a.row < b.row : a.field < b.field;
    });
  }
  row_ = out_.table.rows = rows;
}

void RowBuilder::BeginTensor(int field) {
  tensor_field_ = field;
  tensor_ = nullptr;
  tensor_elements_ = 0;
  element_faults_.clear();
  if (!Admit(field, nullptr)) return;
  Column& column = out_.table.columns[static_cast<size_t>(field)];
  if (column.type().is_scalar()) {
    Refuse(field, WrongKind(this->field(field), "a list", {}));
    return;
  }
  tensor_ = &column;
  tensor_limit_ = column.type().is_variable() ? std::numeric_limits<int64_t>::max() : column.type().elements();
}

void RowBuilder::ElementNull() {
  if (tensor_ == nullptr) return;
  if (field(tensor_field_).null_elements_are_nan) {
    ElementNumber(std::numeric_limits<double>::quiet_NaN());
    return;
  }
  ++tensor_elements_;
  if (element_faults_.size() < kElementsReported) ReportElement(NullElement(field(tensor_field_)));
}

void RowBuilder::ElementBoolean(bool value) {
  SetElement(Cell::Boolean(value));
}

void RowBuilder::ElementInteger(int64_t value) {
  if (tensor_ != nullptr && tensor_->type().scalar == ScalarType::kNumber) {
    ElementNumber(static_cast<double>(value));
  } else {
    SetElement(Cell::Integer(value));
  }
}

void RowBuilder::ElementUnsigned(uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    ElementInteger(static_cast<int64_t>(value));
  } else {
    SetElement(Cell::Unsigned(value));
  }
}

void RowBuilder::ElementNumber(double value) {
  if (tensor_ == nullptr || tensor_->type().scalar != ScalarType::kNumber) {
    SetElement(Cell::Number(value));
  } else if (++tensor_elements_ <= tensor_limit_) {
    tensor_->PushNumber(value);
  }
}

void RowBuilder::ElementString(std::string_view value) {
  SetElement(Cell::Text(value));
}

void RowBuilder::ElementTimestamp(int64_t microseconds) {
  SetElement(Cell::Timestamp(microseconds));
}

void RowBuilder::ElementWrong(std::string_view found) {
  SetElement(Cell::Other(found));
}

void RowBuilder::EndTensor(std::span<const int64_t> shape, bool ragged) {
  Column* column = tensor_;
  tensor_ = nullptr;
  if (column == nullptr) return;
  const Field& field = this->field(tensor_field_);
  if (ragged || !FitsShape(field.type, shape)) {
    column->DiscardPending();
    if (ragged) out_.violations.resize(out_.violations.size() - element_faults_.size());
  }
  if (!ragged) {
    for (const ElementFault& fault : element_faults_) {
      data::SetElement(out_.violations[fault.violation], field, shape, fault.element);
    }
  }
  if (ragged || !FitsShape(field.type, shape)) {
    Refuse(tensor_field_, WrongShape(field, shape, ragged));
  } else if (!element_faults_.empty()) {
    column->DiscardPending();
    column->AppendNull();
  } else if (shape.size() < field.type.shape.size()) {
    column->CloseRow(FillShape(field.type, shape).data());
  } else {
    column->CloseRow(shape.data());
  }
}

void RowBuilder::AbandonTensor(std::string_view found, std::string_view text) {
  Column* column = tensor_;
  tensor_ = nullptr;
  if (column == nullptr) return;
  column->DiscardPending();
  out_.violations.resize(out_.violations.size() - element_faults_.size());
  Refuse(tensor_field_, WrongKind(field(tensor_field_), found, text));
}

// Whether the row takes a cell for this field now: not when it has one already.
bool RowBuilder::Admit(int field, const Cell* cell) {
  if (out_.table.columns[static_cast<size_t>(field)].rows() == row_) return true;
  if (!malformed_ && ++unknown_ <= kUnknownReported) Report(field, Duplicate(this->field(field), cell));
  return false;
}

void RowBuilder::SetCell(int field, Cell cell) {
  const bool is_text = cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kLexeme;
  if (!Admit(field, &cell)) return;
  const Field& target = this->field(field);
  Column& column = out_.table.columns[static_cast<size_t>(field)];
  const bool takes_text = target.type.is_scalar() && target.type.scalar == ScalarType::kString;
  const bool nothing = cell.kind == Cell::Kind::kLexeme && cell.text.empty() && !takes_text;
  if (nothing || (is_text && !target.null_texts.empty() && IsNullText(target, cell.text))) {
    column.AppendNull();
    return;
  }
  if (!target.type.is_scalar()) {
    Refuse(field, WrongKind(target, "a single value", {}));
    return;
  }
  if (!Convert(target, cell)) {
    Refuse(field, WrongType(target, cell));
    return;
  }
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      column.AppendBoolean(cell.boolean);
      break;
    case Cell::Kind::kNumber:
      column.AppendNumber(cell.number);
      break;
    case Cell::Kind::kText:
      if (column.FitsString(cell.text.size())) {
        column.AppendString(cell.text);
      } else {
        Refuse(field, TooMuchText(target));
      }
      break;
    default:
      column.AppendInteger(cell.integer);
      break;
  }
}

void RowBuilder::SetElement(Cell cell) {
  if (tensor_ == nullptr) return;
  ++tensor_elements_;
  const Field& target = field(tensor_field_);
  const std::string_view found = cell.text;
  if (cell.kind == Cell::Kind::kOther || !Convert(target, cell)) {
    if (element_faults_.size() >= kElementsReported) return;
    ReportElement(cell.kind == Cell::Kind::kOther ? WrongElement(target, found) : WrongType(target, cell));
    return;
  }
  if (!element_faults_.empty() || tensor_elements_ > tensor_limit_) return;
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      tensor_->PushBoolean(cell.boolean);
      break;
    case Cell::Kind::kNumber:
      tensor_->PushNumber(cell.number);
      break;
    case Cell::Kind::kText:
      if (tensor_->FitsString(cell.text.size())) {
        tensor_->PushString(cell.text);
      } else {
        ReportElement(TooMuchText(target));
      }
      break;
    default:
      tensor_->PushInteger(cell.integer);
      break;
  }
}

// Keeps the violation of the element just counted; its path waits for the shape.
void RowBuilder::ReportElement(Violation violation) {
  element_faults_.push_back({out_.violations.size(), tensor_elements_ - 1});
  Report(tensor_field_, std::move(violation));
}

void RowBuilder::Report(int field, Violation violation) {
  violation.row = row_;
  violation.field = field;
  out_.violations.push_back(std::move(violation));
}

void RowBuilder::Refuse(int field, Violation violation) {
  Report(field, std::move(violation));
  out_.table.columns[static_cast<size_t>(field)].AppendNull();
}

void RowBuilder::SortRow() {
  const auto begin = out_.violations.begin() + static_cast<std::ptrdiff_t>(row_violations_);
  std::stable_sort(begin, out_.violations.end(),
                   [](const Violation& a, const Violation& b) { return a.field < b.field; });
}

}  // namespace slipway::data

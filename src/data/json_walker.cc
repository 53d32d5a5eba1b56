#include "data/json_walker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/number_text.h"

namespace slipway::data {
namespace {

constexpr size_t kOrderLimit = 4096;
constexpr std::string_view kNoBase64 = "an object whose b64 is not base64";

}  // namespace

JsonWalker::JsonWalker(const Layout& layout, const JsonBounds& bounds) : JsonCursor(bounds), layout_(layout) {
  for (int field = 0; field < std::min(layout.size(), static_cast<int>(kOrderLimit)); ++field) {
    const bool plain = layout.names()[static_cast<size_t>(field)].find('\\') == std::string::npos;
    order_.push_back(plain ? field : -1);
  }
}

bool JsonWalker::ReadRecord(RowBuilder& builder) {
  if (Peek() != '{') return FailHere("an object is expected");
  if (!Enter()) return false;
  if (Peek() == '}') {
    Leave();
    return true;
  }
  for (size_t position = 0;; ++position) {
    if (Peek() != '"') return FailHere("a field name in double quotes is expected");
    const size_t begin = Offset();
    Advance();
    if (Peek() != ':') return FailHere("a colon is expected after the field name");
    std::string_view name = RawString(begin);
    Advance();
    int field = position < order_.size() ? order_[position] : -1;
    if (field < 0 || name != layout_.names()[static_cast<size_t>(field)]) [[unlikely]] {
      if (std::cmp_greater(name.size(), bounds_.string_bytes)) return FailAtLongString(begin);
      const bool plain = name.find('\\') == std::string_view::npos;
      if (!plain) {
        if (!Unescape(name, name_)) return false;
        name = name_;
      }
      field = FindField(name, plain, position);
    }
    if (field >= 0) {
      if (!ReadValue(field, builder)) return false;
    } else {
      builder.Unknown(name);
      if (!Skip()) return false;
    }
    const char c = Peek();
    if (c == '}') break;
    if (c != ',') return FailHere("a comma or the end of the object is expected");
    Advance();
  }
  Leave();
  return true;
}

// Remembers the position, for the next record most likely has its fields in the same order. A name with quotes or
// backslashes is never remembered: its raw spelling is another.
int JsonWalker::FindField(std::string_view name, bool plain, size_t position) {
  const int field = layout_.Find(name);
  if (plain && position < kOrderLimit) {
    if (position >= order_.size()) order_.resize(position + 1, -1);
    order_[position] = field;
  }
  return field;
}

bool JsonWalker::ReadValue(int field, RowBuilder& builder) {
  switch (Peek()) {
    case '"': {
      std::string_view value;
      if (!ReadString(value)) return false;
      builder.SetString(field, value);
      return true;
    }
    case '{': {
      std::string_view value;
      bool valid = false;
      if (!IsBase64()) {
        if (!Skip()) return false;
        builder.SetWrong(field, "an object");
      } else if (!ReadBase64(value, valid)) {
        return false;
      } else if (valid) {
        builder.SetString(field, value);
      } else {
        builder.SetWrong(field, kNoBase64);
      }
      return true;
    }
    case '[': {
      bool found = false;
      if ((any_list_ || !list_ranks_.empty()) && !ReadUnitList(field, builder, found)) return false;
      return found || ReadTensor(field, builder);
    }
    case 't':
      if (!ReadLiteral("true")) return false;
      builder.SetBoolean(field, true);
      return true;
    case 'f':
      if (!ReadLiteral("false")) return false;
      builder.SetBoolean(field, false);
      return true;
    case 'n':
      if (!ReadLiteral("null")) return false;
      builder.SetNull(field);
      return true;
    default: {
      NumberText number;
      if (!ReadNumber(number)) return false;
      if (number.kind == NumberText::Kind::kNumber) {
        builder.SetNumber(field, number.number);
      } else if (number.kind == NumberText::Kind::kInteger) {
        builder.SetInteger(field, number.integer);
      } else if (number.kind == NumberText::Kind::kUnsigned) {
        builder.SetUnsigned(field, number.unsigned_integer);
      } else {
        builder.SetNull(field);
      }
      return true;
    }
  }
}

// A scalar inside as many lists of one element as the field allows, at most; `found` tells whether there is one.
bool JsonWalker::ReadUnitList(int field, RowBuilder& builder, bool& found) {
  const auto index = static_cast<size_t>(field);
  if (!layout_.fields()[index].type.is_scalar()) return true;
  const int most = std::max(index < list_ranks_.size() ? list_ranks_[index] : 0, any_list_ ? 1 : 0);
  const size_t begin = next_;
  size_t lists = 0;
  for (; lists < static_cast<size_t>(most) && Peek() == '['; ++lists) Advance();
  const bool base64 = IsBase64();
  const size_t close = next_ + (base64 ? kBase64Tokens : 1);
  found = (base64 || std::string_view("{[]}:,").find(Peek()) == std::string_view::npos) &&
          close + lists <= tokens_.size() && lists > 0;
  for (size_t i = 0; found && i < lists; ++i) found = text_[tokens_[close + i]] == ']';
  if (!found) {
    next_ = begin;
    return true;
  }
  if (!ReadValue(field, builder)) return false;
  next_ += lists;
  return true;
}

bool JsonWalker::ReadTensor(int field, RowBuilder& builder, bool whole) {
  Shape shape;
  shape.dimensions.fill(-1);
  builder.BeginTensor(field);
  if (!ReadElements(builder, shape, 0) || (whole && !Finish())) return false;
  builder.EndTensor({shape.dimensions.data(), std::min(shape.depth, kRankLimit)},
                    shape.ragged || shape.depth > kRankLimit);
  return true;
}

bool JsonWalker::ReadElements(RowBuilder& builder, Shape& shape, size_t level) {
  shape.depth = std::max(shape.depth, level + 1);
  if (shape.rank != 0 && level >= shape.rank) shape.ragged = true;
  bool failed = false;
  int64_t count = 0;
  for (bool more = FirstElement(failed); more; more = NextElement(failed)) {
    ++count;
    if (Peek() == '[') {
      if (!ReadElements(builder, shape, level + 1)) return false;
      continue;
    }
    if (shape.rank == 0) shape.rank = level + 1;
    if (shape.rank != level + 1 || shape.depth != level + 1) shape.ragged = true;
    if (!ReadElement(builder)) return false;
  }
  if (failed) return false;
  if (level < kRankLimit) {
    int64_t& dimension = shape.dimensions[level];
    if (dimension >= 0 && dimension != count) shape.ragged = true;
    dimension = count;
  }
  return true;
}

bool JsonWalker::ReadElement(RowBuilder& builder) {
  switch (Peek()) {
    case '"': {
      std::string_view value;
      if (!ReadString(value)) return false;
      builder.ElementString(value);
      return true;
    }
    case '{': {
      std::string_view value;
      bool valid = false;
      if (!IsBase64()) {
        if (!Skip()) return false;
        builder.ElementWrong("an object");
      } else if (!ReadBase64(value, valid)) {
        return false;
      } else if (valid) {
        builder.ElementString(value);
      } else {
        builder.ElementWrong(kNoBase64);
      }
      return true;
    }
    case 't':
      if (!ReadLiteral("true")) return false;
      builder.ElementBoolean(true);
      return true;
    case 'f':
      if (!ReadLiteral("false")) return false;
      builder.ElementBoolean(false);
      return true;
    case 'n':
      if (!ReadLiteral("null")) return false;
      builder.ElementNull();
      return true;
    default: {
      NumberText number;
      if (!ReadNumber(number)) return false;
      if (number.kind == NumberText::Kind::kNumber) {
        builder.ElementNumber(number.number);
      } else if (number.kind == NumberText::Kind::kInteger) {
        builder.ElementInteger(number.integer);
      } else if (number.kind == NumberText::Kind::kUnsigned) {
        builder.ElementUnsigned(number.unsigned_integer);
      } else {
        builder.ElementNull();
      }
      return true;
    }
  }
}

int64_t JsonWalker::PositionOfList(std::string_view name) {
  const size_t start = next_;
  const int depth = depth_++;
  int64_t position = 0;
  int64_t found_at = -1;
  std::string_view found;
  for (Advance(); Peek() == '"' && ReadName(found) && layout_.Find(found) < 0; ++position, Advance()) {
    if (found == name && Peek() == '[') {
      found_at = position;
      break;
    }
    if (!Skip() || Peek() != ',') break;
  }
  depth_ = depth;
  next_ = start;
  return found_at;
}

}  // namespace slipway::data

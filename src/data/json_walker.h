#pragma once
// JsonWalker: reads JSON records token by token into a RowBuilder. Every byte of the text is checked, those of unknown
// fields too, so that a text is either well-formed as a whole or refused.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/decoded.h"
#include "data/json_index.h"
#include "data/number_text.h"

namespace slipway::data {

/// What is wrong with a text: `problem` is a fixed phrase that quotes none of it, so that it may be shown and logged.
struct JsonFault {
  enum class Kind : uint8_t { kMalformed, kTooDeep };
  Kind kind = Kind::kMalformed;
  const char* problem = nullptr;
  size_t offset = 0;
};

/// Lifecycle: Open a text, walk its values in order, Finish; the first false ends the walk and fault() tells why.
/// Thread-safety: one thread at a time. Keeps its buffers from text to text.
class JsonWalker {
 public:
  explicit JsonWalker(const Layout& layout, int depth_limit);

  /// Starts at the first token of a text whose root is an object or a list. `text` must outlive the walk.
  bool Open(std::string_view text);
  const JsonFault& fault() const { return fault_; }
  /// "line 2, column 17" of the fault.
  std::string Where() const;
  /// True when nothing follows the value just read.
  bool Finish();
  void Trim() { index_.Trim(); }

  /// First character of the next token; 0 at the end of the text.
  char Peek() const { return next_ < tokens_.size() ? text_[tokens_[next_]] : '\0'; }
  void Advance() { ++next_; }
  /// Enters and leaves lists: true when there is a first (another) element; `failed` tells an end from a fault.
  bool FirstElement(bool& failed);
  bool NextElement(bool& failed);

  /// Passes over the brace that ends an object.
  bool EndObject();

  /// Reads the object at hand as the fields of the row that `builder` has begun.
  bool ReadRecord(RowBuilder& builder);
  /// Reads the list at hand into tensor field `field`. `whole`: nothing may follow it. On a fault the tensor is left
  /// open: abandon it or the row.
  bool ReadTensor(int field, RowBuilder& builder, bool whole = false);
  /// Checks and passes over any value.
  bool Skip();
  /// Position of the member `name` that holds a list, looked for in the object at hand up to the first field of the
  /// layout; -1 when there is none. Moves nothing.
  int64_t PositionOfList(std::string_view name);
  /// The name of the field at hand and the colon after it.
  bool ReadName(std::string_view& name);

 private:
  static constexpr size_t kRankLimit = 32;
  struct Shape {
    std::array<int64_t, kRankLimit> dimensions;  ///< -1 where no list has ended yet
    size_t rank = 0;                             ///< of the elements; 0 until the first one
    size_t depth = 0;                            ///< of the lists seen
    bool ragged = false;
  };

  bool Enter();
  void Leave();
  bool Fail(const char* problem, size_t offset);
  bool FailHere(const char* problem);
  bool FailAtToken(size_t offset);
  size_t Offset() const { return next_ < tokens_.size() ? tokens_[next_] : text_.size(); }
  int FindField(std::string_view raw, bool plain, size_t position);
  bool ReadField(int field, RowBuilder& builder);
  bool ReadElements(RowBuilder& builder, Shape& shape, size_t level);
  bool ReadElement(RowBuilder& builder);
  bool ReadString(std::string_view& value);
  [[gnu::always_inline]] inline bool ReadNumber(NumberText& number);
  bool ReadLiteral(std::string_view literal);
  bool Unescape(std::string_view raw, std::string& out);
  [[gnu::always_inline]] inline std::string_view RawString(size_t begin) const;

  const Layout& layout_;
  int depth_limit_;
  JsonIndex index_;
  std::string_view text_;
  std::span<const uint32_t> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
  JsonFault fault_;
  std::string name_;        ///< an unescaped field name
  std::string value_;       ///< an unescaped string value
  std::vector<int> order_;  ///< field found at each position of the last record; -1 unknown or spelled with escapes
};

}  // namespace slipway::data

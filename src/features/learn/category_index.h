#pragma once
// CategoryIndex numbers the distinct values of a column: a growing dictionary while fitting, a fixed one while serving.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "data/column.h"

namespace slipway::features {

/// Keys are texts, or integers (booleans are 0 and 1), or numbers (-0.0 is 0.0). Null and NaN are no key.
/// Open addressing over 32-bit tags; a look-up allocates nothing. Thread-safety: const access from several threads.
class CategoryIndex {
 public:
  static constexpr int64_t kNull = -1;
  static constexpr int64_t kUnseen = -2;

  explicit CategoryIndex(data::ScalarType type);

  int64_t size() const { return size_; }
  /// Bytes of all texts.
  size_t text_bytes() const { return bytes_.size(); }
  /// The number of the value, kNull or kUnseen. `column` has the type given at construction.
  int64_t Find(const data::ColumnView& column, int64_t row) const;
  int64_t FindText(std::string_view text) const;
  /// The same, adding an unseen value.
  int64_t FindOrAdd(const data::ColumnView& column, int64_t row);
  int64_t FindOrAddText(std::string_view text);

  /// Adds a key from a file; false when it is of the wrong kind or there already.
  bool AddKey(const base::Value& key);
  /// Adds a key written as text ("12", "true"); false as above.
  bool AddWritten(std::string_view text);

  /// The key for a file, and as people read it ("AA", "12", "true").
  base::Value Key(int64_t id) const;
  std::string KeyText(int64_t id) const;
  std::string_view text(int64_t id) const;
  /// Ids in the order of their keys: texts by code point, numbers by value. As numpy.unique sorts them.
  std::vector<int64_t> Sorted() const;

 private:
  struct Entry {
    uint32_t tag;
    uint32_t id_plus_one;
  };
  template <typename Same>
  int64_t Probe(uint64_t hash, Same same) const;
  void Insert(uint64_t hash);
  int64_t FindBits(uint64_t bits) const;
  int64_t FindOrAddBits(uint64_t bits);
  uint64_t HashOf(int64_t id) const;
  static uint64_t HashBits(uint64_t bits);
  static uint64_t HashText(std::string_view text);

  data::ScalarType type_;
  int64_t size_ = 0;
  uint64_t mask_ = 0;
  std::vector<Entry> table_;
  std::vector<uint64_t> bits_;     ///< keys that are not texts
  std::vector<uint64_t> offsets_;  ///< size + 1
  std::string bytes_;
};

}  // namespace slipway::features

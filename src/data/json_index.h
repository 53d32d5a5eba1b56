#pragma once
// JsonIndex: where the tokens of a JSON text begin, found by simdjson's vectorised first stage, which also checks
// UTF-8.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace slipway::data {

/// Why a text has no index.
enum class JsonIndexFault : uint8_t { kNone, kEmpty, kOpenString, kControlCharacter, kInvalidUtf8, kTooLarge };

/// Keeps its memory from call to call, except after texts beyond 1 MiB.
/// Thread-safety: one thread at a time.
class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();

  /// Indexes `text`, which needs no padding. On kNone tokens() holds the offset of every brace, bracket, colon, comma,
  /// opening quote and first character of another scalar, ascending; a scalar may have more text glued to its end.
  JsonIndexFault Build(std::string_view text);
  std::span<const uint32_t> tokens() const { return tokens_; }
  /// Gives the memory of an exceptionally large text back.
  void Trim();

 private:
  struct Stage;
  std::unique_ptr<Stage> stage_;
  std::span<const uint32_t> tokens_;
};

}  // namespace slipway::data

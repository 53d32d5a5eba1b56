#pragma once
// TextPattern: a regular expression of the manifest. RE2, so that no pattern and no text can make matching slow.

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace slipway::schema {

/// Immutable; const access from any thread.
class TextPattern {
 public:
  /// Error: "manifest.value" with RE2's word for the fault.
  static base::Result<TextPattern> Compile(std::string_view pattern);
  TextPattern(TextPattern&&) noexcept;
  TextPattern& operator=(TextPattern&&) noexcept;
  ~TextPattern();

  /// Whether the pattern matches the whole text.
  bool Matches(std::string_view text) const;

 private:
  explicit TextPattern(std::unique_ptr<const re2::RE2> expression);
  std::unique_ptr<const re2::RE2> expression_;
};

}  // namespace slipway::schema

#include "schema/text_pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "base/text.h"
#include "schema/schema.h"

namespace slipway::schema {
namespace {

constexpr int64_t kPatternMemory = int64_t{4} << 20;  // RE2's program and its automaton's cache; past it, it rewinds.

}  // namespace

base::Result<TextPattern> TextPattern::Compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return base::Fail(base::Code::kInvalidArgument, "manifest.limit",
                      fmt::format("pattern has {} bytes, more than {}: shorten it", pattern.size(), kMaxPatternBytes));
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kPatternMemory);
  auto expression = std::make_unique<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!expression->ok()) {
    return base::Fail(
        base::Code::kInvalidArgument, "manifest.value",
        fmt::format("pattern {} is no RE2 regular expression: {} (look-around and back-references are not "
                    "supported)",
                    base::Shorten(pattern), expression->error()));
  }
  return TextPattern(std::move(expression));
}

TextPattern::TextPattern(std::unique_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}
TextPattern::TextPattern(TextPattern&&) noexcept = default;
TextPattern& TextPattern::operator=(TextPattern&&) noexcept = default;
TextPattern::~TextPattern() = default;

bool TextPattern::Matches(std::string_view text) const {
  return expression_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

}  // namespace slipway::schema

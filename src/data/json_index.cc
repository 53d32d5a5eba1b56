#include "data/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>

namespace slipway::data {
namespace {

constexpr size_t kSmallest = 4096;
constexpr size_t kKept = size_t{1} << 20;

}  // namespace

struct JsonIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

  bool Allocate(size_t bytes) {
    if (parser && parser->capacity() >= bytes) return true;
    const size_t capacity = std::bit_ceil(std::max(bytes, kSmallest));
    if (capacity > simdjson::SIMDJSON_MAXSIZE_BYTES) return false;
    parser.reset();
    // Nesting is followed by our own walk, so the second stage needs no room: depth 1.
    return simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser) ==
           simdjson::SUCCESS;
  }
};

JsonIndex::JsonIndex() : stage_(std::make_unique<Stage>()) {}
JsonIndex::~JsonIndex() = default;

JsonIndexFault JsonIndex::Build(std::string_view text) {
  tokens_ = {};
  if (text.empty()) return JsonIndexFault::kEmpty;
  if (!stage_->Allocate(text.size())) return JsonIndexFault::kTooLarge;
  auto& parser = *stage_->parser;
  switch (parser.stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
      tokens_ = {parser.structural_indexes.get(), parser.n_structural_indexes};
      return tokens_.empty() ? JsonIndexFault::kEmpty : JsonIndexFault::kNone;
    case simdjson::EMPTY:
      return JsonIndexFault::kEmpty;
    case simdjson::UNCLOSED_STRING:
      return JsonIndexFault::kOpenString;
    case simdjson::UNESCAPED_CHARS:
      return JsonIndexFault::kControlCharacter;
    case simdjson::UTF8_ERROR:
      return JsonIndexFault::kInvalidUtf8;
    default:
      return JsonIndexFault::kTooLarge;
  }
}

void JsonIndex::Trim() {
  if (!stage_->parser || stage_->parser->capacity() <= kKept) return;
  tokens_ = {};
  stage_->parser.reset();
}

}  // namespace slipway::data

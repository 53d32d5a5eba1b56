#pragma once
// Base64 (RFC 4648, section 4), for bytes inside texts.

#include <string>
#include <string_view>

namespace slipway::base {

/// Appends `bytes` with padding.
void AppendBase64(std::string& out, std::string_view bytes);

/// Replaces `out` by the bytes. The padding may be left out; anything outside the alphabet, and bits that stand for no
/// byte, are refused: then false, and `out` is unspecified.
bool DecodeBase64(std::string_view text, std::string& out);

}  // namespace slipway::base

#pragma once
// Reads the XML that S3 answers with: elements, text, the five entities and numbered characters. There are no document
// types and no entities of their own, so nothing in it can grow.

#include <functional>
#include <string_view>

#include "base/error.h"

namespace slipway::storage::s3 {

inline constexpr int kMostXmlDepth = 16;

/// Calls `on_element` at the end of every element with its path ("Error/Code", names without prefix) and the text that
/// stands directly in it. Both are valid during the call. Attributes are passed over. Error: data_loss "storage.answer"
/// for anything that is not well formed; elements before it were told.
base::Result<void> ReadXml(std::string_view xml,
                           const std::function<void(std::string_view path, std::string_view text)>& on_element);

/// Text as it stands in an element.
std::string EscapeXml(std::string_view text);

}  // namespace slipway::storage::s3

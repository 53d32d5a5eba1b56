#pragma once
// Recognises the files that people give instead of an ONNX model, and knows how each becomes one.

#include <string>
#include <string_view>

namespace slipway::engine::onnx {

/// "this is a Python pickle …; convert it with …" when `bytes` begin like a known other format; empty otherwise.
/// `name` is the file's name, used only where the content does not tell.
std::string DescribeForeignFile(std::string_view bytes, std::string_view name);

}  // namespace slipway::engine::onnx

#include "engine/onnx/load_error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"
#include "engine/onnx/runtime.h"

namespace slipway::engine::onnx {

namespace {

constexpr std::array<std::string_view, 7> kKnownDomains = {
    "ai.onnx.ml.",      "com.microsoft.nchwc.", "com.microsoft.experimental.", "com.microsoft.", "com.ms.internal.",
    "ai.onnx.preview.", "ai.onnx.training."};

/// The number that follows `mark` in `text`.
std::optional<int64_t> NumberAfter(std::string_view text, std::string_view mark) {
  size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  at += mark.size();
  size_t end = at;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
  return base::ParseInt64(text.substr(at, end - at));
}

std::optional<std::string> TooNewOperatorSet(std::string_view text, std::string_view version) {
  const auto asked = NumberAfter(text, "Opset ");
  const size_t domain_at = text.find("support for domain ");
  if (!asked || domain_at == std::string_view::npos) return std::nullopt;
  std::string_view domain = text.substr(domain_at + 19);
  domain = domain.substr(0, domain.find(' '));
  const auto known = NumberAfter(text, " is till opset ");
  if (!known) return std::nullopt;
  const std::string most = std::to_string(*known);
  return "the model uses operator set " + std::to_string(*asked) + " of " + std::string(domain) + ", ONNX Runtime " +
         std::string(version) + " knows up to " + most +
         "; export it again with an older one: skl2onnx to_onnx(…, target_opset={'': 21, 'ai.onnx.ml': 3}), "
         "torch.onnx.export(…, opset_version=" +
         most +
         "), onnxmltools convert_…(…, target_opset=…), or convert the file: "
         "onnx.version_converter.convert_version(model, " +
         most + ")";
}

std::optional<std::string> TooNewFormat(std::string_view text, std::string_view version) {
  const auto asked = NumberAfter(text, "IR version: ");
  const auto known = NumberAfter(text, "max supported IR version: ");
  if (!asked || !known) return std::nullopt;
  return "the model file has IR version " + std::to_string(*asked) + ", ONNX Runtime " + std::string(version) +
         " reads up to " + std::to_string(*known) +
         "; before saving it set model.ir_version = " + std::to_string(*known);
}

/// The first operator of a domain that neither ONNX Runtime nor the file itself defines.
std::string ForeignOperator(const ModelFile& file) {
  for (const auto& [name, count] : file.operators) {
    const bool plain = name.find('.') == std::string::npos;
    const bool known =
        std::ranges::any_of(kKnownDomains, [&](std::string_view domain) { return name.starts_with(domain); });
    if (!plain && !known && std::ranges::find(file.functions, name) == file.functions.end()) return name;
  }
  return {};
}

std::optional<std::string> ForeignOperatorText(const ModelFile& file) {
  const std::string name = ForeignOperator(file);
  if (name.empty()) return std::nullopt;
  std::string cure = "export the model with standard operators only";
  if (name.starts_with("ai.onnx.contrib.")) {
    cure =
        "it belongs to onnxruntime-extensions, which is not loaded here: do this step (a tokenizer, mostly) before the "
        "model, or export without it";
  }
  return "the model uses an operator outside the standard, which ONNX Runtime has no code for: " + name + "; " + cure;
}

}  // namespace

base::Error ExplainLoadFailure(const ModelFile& file, std::string_view text, std::string_view runtime_version) {
  if (TellsOfMemory(text)) {
    return {base::Code::kResourceExhausted,
            "engine.model",
            "ONNX Runtime found too little memory to load this model: " + std::string(text) +
                "; give the process more memory, or make the sizes in the model smaller",
            {}};
  }
  std::string message;
  if (auto set = TooNewOperatorSet(text, runtime_version)) {
    message = *set;
  } else if (auto format = TooNewFormat(text, runtime_version)) {
    message = *format;
  } else if (auto foreign = ForeignOperatorText(file)) {
    message = *foreign;
  } else if (text.find("Could not find an implementation for") != std::string_view::npos) {
    message = "ONNX Runtime has no code for one operator with these types on a CPU: " + std::string(text) +
              "; export the model with float32 inputs and weights";
  } else if (text.find("construct locale") != std::string_view::npos) {
    message = "a StringNormalizer of this model wants a locale that this machine lacks: " + std::string(text) +
              "; export the model with locale \"C\"";
  } else {
    message = "ONNX Runtime " + std::string(runtime_version) + " refuses the model: " + std::string(text) +
              "; does it load in Python (onnxruntime.InferenceSession) and pass onnx.checker.check_model?";
  }
  return {base::Code::kInvalidArgument, "engine.model", std::move(message), {}};
}

}  // namespace slipway::engine::onnx

#include "engine/onnx/external_data.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::engine::onnx {

namespace {

constexpr size_t kMostFiles = 4096;

/// "weights.bin", "data/weights.bin": no root, no dots, no empty part. ONNX Runtime gives names with '*' a meaning of
/// their own (addresses in memory), so they are refused too.
bool IsPlainPath(std::string_view location) {
  if (location.empty() || location.size() > 255) return false;
  if (location.find_first_of(std::string_view("\\*\0", 3)) != std::string_view::npos) return false;
  while (true) {
    const size_t slash = location.find('/');
    const std::string_view part = location.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    location.remove_prefix(slash + 1);
  }
}

std::unexpected<base::Error> Refuse(const ExternalTensor& tensor, std::string_view why, std::string_view cure) {
  return base::Fail(base::Code::kInvalidArgument, "engine.model",
                    "external data of tensor " + base::Shorten(tensor.name) + " " + std::string(why) + ": " +
                        base::Shorten(tensor.location, 128) + "; " + std::string(cure));
}

}  // namespace

base::Result<std::vector<ExternalFile>> ReadExternalData(const ModelFile& file, const ModelSource& source) {
  constexpr std::string_view kInline =
      "save the model in one file: onnx.save_model(model, path, save_as_external_data=False)";
  const size_t slash = source.file.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : source.file.substr(0, slash + 1);
  std::vector<ExternalFile> files;
  for (const ExternalTensor& tensor : file.external) {
    if (!IsPlainPath(tensor.location)) {
      return Refuse(tensor, "does not lie in a file of the bundle",
                    "locations must be relative, without dots; " + std::string(kInline));
    }
    if (tensor.nested) return Refuse(tensor, "belongs to a nested graph or an attribute", kInline);
    auto known = std::ranges::find(files, tensor.location, &ExternalFile::location);
    if (known == files.end()) {
      const std::string path = folder + tensor.location;
      const auto bytes = source.read(path);
      if (!bytes) {
        return Refuse(tensor, "is missing from the bundle",
                      "put the file beside the model as " + base::Shorten(path, 128) + ", or " + std::string(kInline));
      }
      if (files.size() == kMostFiles) return Refuse(tensor, "makes more than 4096 files", kInline);
      files.push_back({tensor.location, path, *bytes});
      known = files.end() - 1;
    }
    const auto size = static_cast<int64_t>(known->bytes.size());
    if (tensor.offset > size || tensor.length > size - tensor.offset) {
      return Refuse(tensor, "reaches past the end of its file",
                    "the file is cut off or another model's; export both again");
    }
  }
  return files;
}

}  // namespace slipway::engine::onnx

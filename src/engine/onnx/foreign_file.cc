#include "engine/onnx/foreign_file.h"

#include <array>

namespace slipway::engine::onnx {

namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kFromPython =
    "a pickle can run any code when opened and is never loaded here; in the Python that trained it, convert the model: "
    "scikit-learn with skl2onnx.to_onnx, LightGBM and XGBoost with onnxmltools.convert_lightgbm and convert_xgboost, "
    "PyTorch with torch.onnx.export";
constexpr std::string_view kFromTorch =
    "load it in Python and convert it with torch.onnx.export(model, example, \"model.onnx\")";
constexpr std::string_view kFromKeras =
    "convert it with tf2onnx: python -m tf2onnx.convert --keras model.h5 --output model.onnx, or in Keras 3 "
    "model.export(\"model.onnx\", format=\"onnx\")";
constexpr std::string_view kFromTensorFlow =
    "convert it with tf2onnx: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx";
constexpr std::string_view kFromLite =
    "convert it with tf2onnx: python -m tf2onnx.convert --tflite FILE --output model.onnx";
constexpr std::string_view kFromXgboost =
    "convert it with onnxmltools: onnxmltools.convert_xgboost(booster, initial_types=[(\"features\", "
    "FloatTensorType([None, columns]))])";
constexpr std::string_view kFromLightgbm =
    "convert it with onnxmltools: onnxmltools.convert_lightgbm(booster, initial_types=[(\"features\", "
    "FloatTensorType([None, columns]))])";
constexpr std::string_view kUnpack = "unpack it and give the .onnx file inside";

struct Signature {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
  std::string_view cure;
};

constexpr std::array kSignatures = {
    Signature{0, "\x80\x02"sv, "a Python pickle", kFromPython},
    Signature{0, "\x80\x03"sv, "a Python pickle", kFromPython},
    Signature{0, "\x80\x04"sv, "a Python pickle or joblib file", kFromPython},
    Signature{0, "\x80\x05"sv, "a Python pickle or joblib file", kFromPython},
    Signature{0, "\x78\x9c"sv, "a zlib-compressed file, most likely joblib's", kFromPython},
    Signature{0, "\x78\x01"sv, "a zlib-compressed file, most likely joblib's", kFromPython},
    Signature{0, "\x78\xda"sv, "a zlib-compressed file, most likely joblib's", kFromPython},
    Signature{0, "ccopy_reg\n"sv, "a Python pickle", kFromPython},
    Signature{0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file, most likely a Keras model", kFromKeras},
    Signature{4, "TFL3"sv, "a TensorFlow Lite model", kFromLite},
    Signature{4, "ORTM"sv, "a model in ONNX Runtime's own format", "give the .onnx file that it was made from"},
    Signature{0, "tree\nversion="sv, "a LightGBM model in text form", kFromLightgbm},
    Signature{0, "CBM1"sv, "a CatBoost model", "save it with model.save_model(\"model.onnx\", format=\"onnx\")"},
    Signature{0, "binf"sv, "an XGBoost model in its old binary form", kFromXgboost},
    Signature{0, "\x93NUMPY"sv, "a NumPy array", "give the model, not data"},
    Signature{0, "\x1f\x8b"sv, "a gzip file", kUnpack},
    Signature{0, "BZh"sv, "a bzip2 file", kUnpack},
    Signature{0,
              "\xfd"
              "7zXZ"sv,
              "an xz file", kUnpack},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "a Zstandard file", kUnpack},
    Signature{0, "PAR1"sv, "a Parquet file", "give the model, not data"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"},
    Signature{0, "<!DOCTYPE html"sv, "a web page", "download the file itself, not the page that shows it"},
    Signature{0, "<html"sv, "a web page", "download the file itself, not the page that shows it"},
    Signature{0,
              "\x7f"
              "ELF"sv,
              "a program or shared library", "give an .onnx file"},
    Signature{257, "ustar"sv, "a tar file", kUnpack},
};

std::string Sentence(std::string_view what, std::string_view cure) {
  return "this is " + std::string(what) + ", not an ONNX model; " + std::string(cure);
}

bool Contains(std::string_view bytes, std::string_view part) {
  return bytes.substr(0, 1 << 16).find(part) != std::string_view::npos;
}

std::string DescribeZip(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 1 << 20);
  const std::string_view tail = bytes.size() > (1 << 20) ? bytes.substr(bytes.size() - (1 << 20)) : bytes;
  const auto has = [&](std::string_view part) {
    return head.find(part) != std::string_view::npos || tail.find(part) != std::string_view::npos;
  };
  if (has("constants.pkl")) return Sentence("a TorchScript model", kFromTorch);
  if (has("data.pkl")) return Sentence("a file of torch.save", kFromTorch);
  if (has("model.weights.h5")) return Sentence("a Keras 3 model", kFromKeras);
  if (has("schema.json") && has(".npy")) return Sentence("a skops file", kFromPython);
  if (has("saved_model.pb")) return Sentence("a zipped TensorFlow SavedModel", kFromTensorFlow);
  return Sentence("a zip file", kUnpack);
}

}  // namespace

std::string DescribeForeignFile(std::string_view bytes, std::string_view name) {
  if (bytes.empty()) return "the file is empty; export the model again";
  for (const Signature& signature : kSignatures) {
    if (bytes.size() > signature.offset && bytes.substr(signature.offset).starts_with(signature.bytes)) {
      return Sentence(signature.what, signature.cure);
    }
  }
  if (bytes.starts_with("PK\x03\x04")) return DescribeZip(bytes);
  if (bytes.starts_with("{") && Contains(bytes, "learner"))
    return Sentence("an XGBoost model in JSON form", kFromXgboost);
  if (bytes.starts_with("{") && Contains(bytes, "tree_structure")) {
    return Sentence("a LightGBM model in JSON form", kFromLightgbm);
  }
  if (bytes.size() > 10 && bytes.substr(8).starts_with("{\"") && Contains(bytes, "data_offsets")) {
    return Sentence("a safetensors file, weights without a model", kFromTorch);
  }
  if (Contains(bytes, "<PMML"))
    return Sentence("a PMML document", "export the model as ONNX from the tool that trained it");
  if (bytes.starts_with("{")) return Sentence("a JSON document", "export the model as ONNX");
  if (name.ends_with(".pb") || Contains(bytes, "StatefulPartitionedCall")) {
    return Sentence("most likely a TensorFlow graph", kFromTensorFlow);
  }
  for (std::string_view extension : {".pkl", ".pickle", ".joblib", ".sav"}) {
    if (name.ends_with(extension)) return Sentence("most likely a Python pickle", kFromPython);
  }
  if (name.ends_with(".pt") || name.ends_with(".pth")) return Sentence("most likely a PyTorch file", kFromTorch);
  return {};
}

}  // namespace slipway::engine::onnx

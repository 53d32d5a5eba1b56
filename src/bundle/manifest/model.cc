#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "bundle/archive/entry_name.h"
#include "bundle/manifest/section_reader.h"
#include "bundle/manifest/sections.h"
#include "schema/schema.h"

namespace slipway::bundle {
namespace {

using base::Value;

constexpr size_t kMaxTensors = 4096;
constexpr size_t kMaxInputNames = 65536;
constexpr int64_t kMaxThreads = 256;
constexpr std::string_view kAllFeatures = "features";
constexpr std::string_view kOnnx = "onnx";
const std::vector<std::string> kModelKeys = {"engine", "file", "input", "batching", "missing", "isolation"};
const std::vector<std::string> kOnnxKeys = {"threads", "batched"};

/// The engine decides which further keys there are; those of an engine unknown here are left to it.
std::vector<std::string> KnownKeys(const Value& section) {
  std::vector<std::string> known = kModelKeys;
  const Value* engine = section.Find("engine");
  if (engine == nullptr || !engine->is_string() || engine->string() == kOnnx) {
    known.insert(known.end(), kOnnxKeys.begin(), kOnnxKeys.end());
  } else {
    for (const auto& [key, unused] : section.map()) known.push_back(key);
  }
  return known;
}

void RefusePickle(SectionReader& reader, const std::string& file) {
  constexpr std::array<std::string_view, 5> kPickles = {".pkl", ".pickle", ".joblib", ".pt", ".pth"};
  const std::string folded = FoldedName(file);
  if (std::ranges::none_of(kPickles, [&](std::string_view ending) { return folded.ends_with(ending); })) return;
  reader.Reject("file", "manifest.value",
                fmt::format("`model.file` is a pickle, which runs code when it is opened: \"{}\"; convert the model to "
                            "ONNX, e.g. with skl2onnx.to_onnx (scikit-learn), onnxmltools (LightGBM, XGBoost) or "
                            "torch.onnx.export (PyTorch)",
                            base::Shorten(file)));
}

/// Reads `input`: "features", a list of names, or a map of tensors to one of these or a single name.
class InputReader {
 public:
  InputReader(SectionReader& reader, const std::vector<std::string>& names) : reader_(reader), names_(names) {}

  std::vector<InputBinding> Read(const Value& input) {
    std::vector<InputBinding> bindings;
    if (!input.is_map()) {
      bindings.push_back(ReadBinding("", input));
      return bindings;
    }
    if (input.map().empty() || input.map().size() > kMaxTensors) {
      reader_.RejectAt(input, "manifest.value",
                       fmt::format("`model.input` must name 1 to {} tensors, not {}", kMaxTensors, input.map().size()));
    }
    for (const auto& [tensor, value] : input.map()) {
      if (reader_.failed()) break;
      bindings.push_back(ReadBinding(tensor, value));
    }
    return bindings;
  }

 private:
  InputBinding ReadBinding(const std::string& tensor, const Value& value) {
    InputBinding binding{.tensor = tensor, .features = {}, .position = value.position()};
    if (value.is_string() && value.string() == kAllFeatures) {
      if (names_.empty()) {
        reader_.RejectAt(value, "manifest.contradiction",
                         "`model.input` is \"features\", but there are neither `features` nor `inputs`; declare them");
      }
    } else if (value.is_string()) {
      AddName(value, binding);
    } else if (value.is_list() && !value.list().empty() && value.list().size() <= kMaxInputNames) {
      for (const Value& name : value.list()) AddName(name, binding);
    } else {
      reader_.RejectAt(value, "manifest.type",
                       fmt::format("`model.input` takes \"features\", a list of 1 to {} names, or a map of tensors to "
                                   "these, not {}",
                                   kMaxInputNames, Shown(value)));
    }
    return binding;
  }

  void AddName(const Value& name, InputBinding& binding) {
    if (!name.is_string() || name.string().empty() || name.string().size() > kMaxNameBytes) {
      return reader_.RejectAt(name, "manifest.type",
                              fmt::format("`model.input` must name features or columns, not {}", Shown(name)));
    }
    if (!names_.empty() && !std::ranges::count(names_, name.string())) {
      return reader_.RejectAt(name, "manifest.value",
                              fmt::format("`model.input` names no feature or column: {}{}", Shown(name),
                                          base::DidYouMean(name.string(), names_)));
    }
    if (std::ranges::count(binding.features, name.string())) {
      return reader_.RejectAt(name, "manifest.value", fmt::format("`model.input` names {} twice", Shown(name)));
    }
    binding.features.push_back(name.string());
  }

  SectionReader& reader_;
  const std::vector<std::string>& names_;
};

void ReadOptions(SectionReader& reader, const Value& section, ModelSpec& model) {
  if (model.engine == kOnnx) {
    reader.Integer("threads", 1, kMaxThreads);
    reader.Boolean("batched", true);
  }
  for (const auto& [key, value] : section.map()) {
    if (!std::ranges::count(kModelKeys, key)) model.options.Set(key, value);
  }
}

void ReadMissing(SectionReader& reader, bool has_inputs, ModelSpec& model) {
  const auto missing = reader.Text("missing");
  if (!missing) return;
  model.missing_is_nan = *missing == "nan";
  if (*missing != "nan" && *missing != "reject") {
    reader.Reject("missing", "manifest.value",
                  fmt::format("`model.missing` must be reject or nan, not \"{}\"", base::Shorten(*missing)));
  } else if (has_inputs) {
    reader.Reject(
        "missing", "manifest.contradiction",
        "`model.missing` is about the model's own tensors, and `inputs` declares columns; say `missing: null` "
        "there, or `allow_non_finite: true` for a tensor");
  }
}

}  // namespace

base::Result<std::string> ReadFileName(const Value& value, const std::string& key) {
  if (!value.is_string()) {
    return base::Fail(base::Code::kInvalidArgument, "manifest.type",
                      fmt::format("{} must be the name of a file, not {}", key, Shown(value)),
                      schema::Where(value.position()));
  }
  if (auto good = CheckEntryName(value.string()); !good) {
    return base::Fail(base::Code::kInvalidArgument, "manifest.value", fmt::format("{}: {}", key, good.error().message),
                      schema::Where(value.position()));
  }
  return value.string();
}

base::Result<ModelSpec> ParseModel(const Value& section, const std::vector<std::string>& names) {
  SectionReader reader(section, "model", section.is_map() ? KnownKeys(section) : kModelKeys);
  ModelSpec model;
  model.position = section.position();
  if (section.Find("engine") != nullptr) model.engine = reader.RequiredText("engine", kMaxNameBytes);
  if (model.engine != kOnnx) model.file.clear();
  if (const Value* file = reader.Find("file"); file != nullptr) {
    auto name = ReadFileName(*file, "`model.file`");
    if (name) model.file = *name;
    reader.Keep(name ? base::Result<void>() : std::unexpected(name.error()));
    RefusePickle(reader, model.file);
  }
  if (const Value* input = reader.Find("input"); input != nullptr) {
    model.inputs = InputReader(reader, names).Read(*input);
  }
  const std::string batching = reader.Text("batching").value_or("exact");
  if (batching == "relaxed") {
    model.batching = Batching::kRelaxed;
  } else if (batching != "exact") {
    reader.Reject("batching", "manifest.value",
                  fmt::format("`model.batching` must be exact or relaxed, not \"{}\"", base::Shorten(batching)));
  }
  const std::string isolation = reader.Text("isolation").value_or("none");
  model.isolated = isolation == "process";
  if (!model.isolated && isolation != "none") {
    reader.Reject("isolation", "manifest.value",
                  fmt::format("`model.isolation` must be none or process, not \"{}\"", base::Shorten(isolation)));
  }
  ReadMissing(reader, !names.empty(), model);
  if (!reader.failed()) ReadOptions(reader, section, model);
  SLIPWAY_TRY(reader.Finish());
  return model;
}

}  // namespace slipway::bundle

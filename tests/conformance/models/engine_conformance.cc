// engine_conformance compares the engine with Python's ONNX Runtime, model by model.
//
//   engine_conformance compare [--maps] CASE.json…   one JSON line a case: what differs, by bits
//   engine_conformance load MODEL.onnx [--relaxed]    what the engine says of the model, or why it refuses it
//   engine_conformance time MODEL.onnx [ROWS]         load time, and nanoseconds a run: exact, relaxed and a bare loop
//
// A case is {"model":"x.onnx","inputs":[tensor…],"outputs":[tensor…]}; a tensor is
// {"name","type","shape","hex"|"strings", "labels"}: the elements' bytes in hexadecimal, or texts. Made by
// make_models.py.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/value.h"
#include "engine/onnx/loaded_model.h"
#include "engine/onnx/row_probe.h"
#include "tests/conformance/models/bare_loop.h"

namespace {

namespace base = slipway::base;
namespace engine = slipway::engine;
using engine::ElementType;
using engine::Tensor;
using engine::TensorView;
using slipway::conformance::BareLoop;
using std::chrono::steady_clock;

/// The folder of a model as the source of its external data.
struct Folder {
  std::filesystem::path path;
  std::map<std::string, std::string, std::less<>> files;

  base::Result<std::string_view> Read(std::string_view name) {
    if (const auto known = files.find(name); known != files.end()) return known->second;
    SLIPWAY_ASSIGN(std::string bytes, base::ReadFile(path / name));
    return files.emplace(name, std::move(bytes)).first->second;
  }
};

base::Result<std::unique_ptr<engine::Engine>> Load(Folder& folder, const std::string& file,
                                                   const engine::onnx::LoadOptions& options) {
  engine::onnx::ModelSource source;
  source.file = file;
  SLIPWAY_ASSIGN(source.bytes, folder.Read(file));
  source.read = [&](std::string_view name) { return folder.Read(name); };
  return engine::onnx::LoadModel(source, options);
}

/// A tensor as a case tells it.
struct Stored {
  TensorView view;
  std::vector<std::byte> bytes;
  std::vector<std::string> texts;
  std::vector<std::string_view> text_views;
  std::vector<std::string> labels;
};

std::vector<std::byte> FromHex(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::byte> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  }
  return bytes;
}

ElementType TypeNamed(const std::string& name) {
  for (int type = 0; type <= static_cast<int>(ElementType::kString); ++type) {
    if (engine::ElementTypeName(static_cast<ElementType>(type)) == name) return static_cast<ElementType>(type);
  }
  std::fprintf(stderr, "unknown element type %s\n", name.c_str());
  std::exit(2);
}

void Read(const base::Value& value, Stored& stored) {
  stored.view.type = TypeNamed(value.Find("type")->string());
  for (const base::Value& size : value.Find("shape")->list()) stored.view.shape.push_back(size.integer());
  if (const base::Value* hex = value.Find("hex")) stored.bytes = FromHex(hex->string());
  if (const base::Value* texts = value.Find("strings")) {
    for (const base::Value& text : texts->list()) stored.texts.push_back(text.string());
  }
  if (const base::Value* labels = value.Find("labels")) {
    for (const base::Value& label : labels->list()) stored.labels.push_back(label.string());
  }
  stored.text_views.assign(stored.texts.begin(), stored.texts.end());
  stored.view.data = stored.bytes.data();
  stored.view.strings = stored.text_views.data();
}

/// Rows `begin` to `end` of a batch.
TensorView RowsOf(const Stored& stored, int64_t begin, int64_t end) {
  TensorView view = stored.view;
  int64_t elements = 1;
  for (size_t i = 1; i < view.shape.size(); ++i) elements *= view.shape[i];
  view.shape[0] = end - begin;
  view.data = stored.bytes.data() + static_cast<size_t>(begin * elements) * engine::ElementSize(view.type);
  view.strings = stored.text_views.data() + (stored.texts.empty() ? 0 : begin * elements);
  return view;
}

/// Bits of rows `begin` to `end` of a batch.
std::string Bits(const Tensor& tensor, int64_t begin, int64_t end) {
  const int64_t rows = tensor.shape.empty() ? 1 : tensor.shape[0];
  std::string bits;
  if (tensor.type == ElementType::kString) {
    const auto width = static_cast<int64_t>(tensor.strings.size()) / rows;
    for (int64_t i = begin * width; i < end * width; ++i) bits += tensor.strings[static_cast<size_t>(i)] + '\0';
    return bits;
  }
  const auto width = static_cast<int64_t>(tensor.data.size()) / rows;
  bits.assign(reinterpret_cast<const char*>(tensor.data.data()) + begin * width,
              static_cast<size_t>((end - begin) * width));
  return bits;
}

std::string Bits(const Stored& stored) {
  std::string bits(reinterpret_cast<const char*>(stored.bytes.data()), stored.bytes.size());
  for (const std::string& text : stored.texts) bits += text + '\0';
  return bits;
}

/// Rows of `chunk` a run must give what the whole batch gave.
base::Result<int64_t> CountDeviations(engine::Session& session, const std::vector<Stored>& inputs,
                                      const std::vector<Tensor>& whole, int64_t chunk) {
  const int64_t rows = inputs[0].view.shape[0];
  std::vector<Tensor> part(whole.size());
  int64_t deviations = 0;
  for (int64_t at = 0; at < rows; at += chunk) {
    const int64_t end = std::min(rows, at + chunk);
    std::vector<TensorView> views;
    views.reserve(inputs.size());
    for (const Stored& input : inputs) views.push_back(RowsOf(input, at, end));
    SLIPWAY_TRY(session.Run(views, part, {}));
    for (size_t i = 0; i < whole.size(); ++i) deviations += Bits(part[i], 0, end - at) != Bits(whole[i], at, end);
  }
  return deviations;
}

base::Result<base::Value> Compare(const std::filesystem::path& path, bool maps) {
  SLIPWAY_ASSIGN(const std::string text, base::ReadFile(path));
  SLIPWAY_ASSIGN(const base::Value written, base::ParseJson(text));
  Folder folder{path.parent_path(), {}};
  engine::onnx::LoadOptions options;
  options.drop_zip_maps = !maps;
  SLIPWAY_ASSIGN(const auto engine, Load(folder, written.Find("model")->string(), options));
  SLIPWAY_ASSIGN(const auto session, engine->NewSession());
  const engine::ModelInfo& info = engine->info();
  std::vector<Stored> inputs(info.inputs.size());
  std::vector<TensorView> views;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (const base::Value& tensor : written.Find("inputs")->list()) {
      if (tensor.Find("name")->string() == info.inputs[i].name) Read(tensor, inputs[i]);
    }
    views.push_back(inputs[i].view);
  }
  base::Value differences = base::Value::List();
  std::vector<Tensor> outputs(info.outputs.size());
  const bool by_row = info.batched && info.fixed_rows == 1;
  for (int round = 0; round < 3 && !by_row; ++round) SLIPWAY_TRY(session->Run(views, outputs, {}));
  const auto& expected = written.Find("outputs")->list();
  for (size_t i = 0; i < expected.size(); ++i) {
    Stored wanted;
    Read(expected[i], wanted);
    const std::string& name = expected[i].Find("name")->string();
    if (i >= outputs.size() || info.outputs[i].name != name) {
      differences.Add(name + ": no such output");
      continue;
    }
    const auto& labels = info.outputs[i].labels.empty() ? outputs[i].labels : info.outputs[i].labels;
    if (info.outputs[i].type != wanted.view.type) differences.Add(name + ": another type");
    if (labels != wanted.labels) differences.Add(name + ": other labels");
    if (by_row) {
      for (int64_t row = 0; row < wanted.view.shape[0]; ++row) {
        std::vector<TensorView> one;
        one.reserve(inputs.size());
        for (const Stored& input : inputs) one.push_back(RowsOf(input, row, row + 1));
        SLIPWAY_TRY(session->Run(one, outputs, {}));
        const size_t width = wanted.bytes.size() / static_cast<size_t>(wanted.view.shape[0]);
        if (Bits(outputs[i], 0, 1) != Bits(wanted).substr(static_cast<size_t>(row) * width, width)) {
          differences.Add(name + ": other bits in row " + std::to_string(row));
        }
      }
      continue;
    }
    if (outputs[i].shape != wanted.view.shape) differences.Add(name + ": another shape");
    if (Bits(outputs[i], 0, outputs[i].shape.empty() ? 1 : outputs[i].shape[0]) != Bits(wanted))
      differences.Add(name + ": other bits");
  }
  base::Value out = base::Value::Map();
  out.Set("case", path.stem().string()).Set("batched", info.batched).Set("fixed_rows", info.fixed_rows);
  out.Set("exact_rows", info.exact_rows).Set("exactness", info.exactness).Set("differences", std::move(differences));
  if (info.batched && info.exact_rows > 1) {
    SLIPWAY_ASSIGN(const int64_t alone, CountDeviations(*session, inputs, outputs, 1));
    SLIPWAY_ASSIGN(const int64_t sevens, CountDeviations(*session, inputs, outputs, 7));
    out.Set("deviations", alone + sevens);
  }
  return out;
}

base::Value Describe(const engine::TensorSpec& spec) {
  base::Value shape = base::Value::List(), names = base::Value::List(), labels = base::Value::List();
  for (int64_t size : spec.shape) shape.Add(size);
  for (const std::string& name : spec.dimension_names) names.Add(name);
  for (const std::string& label : spec.labels) labels.Add(label);
  base::Value out = base::Value::Map();
  out.Set("name", spec.name).Set("type", engine::ElementTypeName(spec.type)).Set("shape", std::move(shape));
  out.Set("dimension_names", std::move(names)).Set("maps", spec.kind == engine::TensorSpec::Kind::kMaps);
  return out.Set("labels", std::move(labels));
}

base::Result<base::Value> DescribeModel(const std::filesystem::path& path, bool relaxed) {
  Folder folder{path.parent_path(), {}};
  engine::onnx::LoadOptions options;
  options.exact = !relaxed;
  SLIPWAY_ASSIGN(const auto engine, Load(folder, path.filename(), options));
  const engine::ModelInfo& info = engine->info();
  base::Value inputs = base::Value::List(), outputs = base::Value::List();
  for (const auto& spec : info.inputs) inputs.Add(Describe(spec));
  for (const auto& spec : info.outputs) outputs.Add(Describe(spec));
  base::Value out = base::Value::Map();
  out.Set("batched", info.batched).Set("fixed_rows", info.fixed_rows).Set("exact_rows", info.exact_rows);
  out.Set("exactness", info.exactness).Set("inputs", std::move(inputs)).Set("outputs", std::move(outputs));
  return out.Set("details", info.details);
}

/// Made-up batches of `rows` rows, 4096 different rows in all, at fixed places in memory.
class Batches {
 public:
  Batches(const engine::ModelInfo& info, int64_t rows) {
    constexpr int64_t kRows = 4096;
    engine::onnx::ProbeRows made(info, kRows, {.extremes = false});
    for (int64_t at = 0; at + rows <= kRows; at += rows) {
      std::vector<int64_t> numbers(static_cast<size_t>(rows));
      std::iota(numbers.begin(), numbers.end(), at);
      std::vector<TensorView> views;
      for (TensorView view : made.Batch(numbers)) {
        size_t size = engine::ElementSize(view.type);
        for (int64_t dimension : view.shape) size *= static_cast<size_t>(dimension);
        const auto* data = static_cast<const std::byte*>(view.data);
        bytes_.emplace_back(data, data + size);
        view.data = bytes_.back().data();
        views.push_back(view);
      }
      batches_.push_back(std::move(views));
    }
  }
  const std::vector<TensorView>& operator[](size_t i) const { return batches_[i % batches_.size()]; }

 private:
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<std::vector<TensorView>> batches_;
};

/// Shortest time of `run(i)`, of many short rounds: on a busy machine only the undisturbed ones count.
int64_t Shortest(int64_t rows, const std::function<bool(size_t)>& run) {
  const size_t runs = std::max<size_t>(1, 256 / static_cast<size_t>(rows));
  int64_t best = INT64_MAX;
  size_t next = 0;
  const auto end = steady_clock::now() + std::chrono::seconds(2);
  while (steady_clock::now() < end) {
    const auto start = steady_clock::now();
    for (size_t i = 0; i < runs; ++i) {
      if (!run(next++)) std::abort();
    }
    best = std::min<int64_t>(
        best, std::chrono::nanoseconds(steady_clock::now() - start).count() / static_cast<int64_t>(runs));
  }
  return best;
}

base::Result<base::Value> Time(const std::filesystem::path& path, int64_t rows) {
  Folder folder{path.parent_path(), {}};
  engine::onnx::LoadOptions relaxed;
  relaxed.exact = false;
  SLIPWAY_TRY(Load(folder, path.filename(), relaxed));  // opens the runtime
  const auto load = [&](const engine::onnx::LoadOptions& options) {
    int64_t best = INT64_MAX;
    for (int round = 0; round < 5; ++round) {
      const auto start = steady_clock::now();
      if (!Load(folder, path.filename(), options)) std::abort();
      best = std::min<int64_t>(best, std::chrono::nanoseconds(steady_clock::now() - start).count());
    }
    return best / 1000;
  };
  SLIPWAY_ASSIGN(const auto engine, Load(folder, path.filename(), {}));
  SLIPWAY_ASSIGN(const auto plain, Load(folder, path.filename(), relaxed));
  const Batches batches(engine->info(), rows);
  std::vector<Tensor> outputs(engine->info().outputs.size());
  base::Value out = base::Value::Map();
  out.Set("rows", rows).Set("exact_rows", engine->info().exact_rows);
  out.Set("load_us", load({})).Set("load_relaxed_us", load(relaxed));
  for (const auto& [name, one] : {std::pair("exact_ns", &engine), std::pair("relaxed_ns", &plain)}) {
    SLIPWAY_ASSIGN(const auto session, (*one)->NewSession());
    SLIPWAY_TRY(session->Run(batches[0], outputs, {}));
    out.Set(name, Shortest(rows, [&](size_t i) { return session->Run(batches[i], outputs, {}).has_value(); }));
  }
  BareLoop bare(folder.files.at(path.filename()));
  out.Set("bare_ns", Shortest(rows, [&](size_t i) { return bare.Run(batches[i]), true; }));
  return out;
}

int Print(const base::Result<base::Value>& result, const std::string& name) {
  base::Value out = base::Value::Map();
  if (!result) out.Set("case", name).Set("reason", result.error().reason).Set("error", result.error().Text());
  std::puts(base::ToJson(result ? *result : out).c_str());
  return result ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) {
    std::fputs("usage: engine_conformance compare|load|time FILE…\n", stderr);
    return 2;
  }
  if (words[0] == "load") return Print(DescribeModel(words[1], words.size() > 2), words[1]);
  if (words[0] == "time") return Print(Time(words[1], words.size() > 2 ? std::stoll(words[2]) : 1), words[1]);
  int failures = 0;
  const bool maps = words[1] == "--maps";
  for (size_t i = maps ? 2 : 1; i < words.size(); ++i) {
    const std::filesystem::path path = words[i];
    failures += Print(Compare(path, maps), path.stem().string());
  }
  return failures == 0 ? 0 : 1;
}

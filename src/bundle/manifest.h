#pragma once
// Manifest: slipway.yaml, read and checked. Plain data; docs/manifest.md describes every key.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/version.h"
#include "features/pipeline.h"
#include "schema/schema.h"

namespace slipway::bundle {

/// How rows may be grouped in one run of the engine (`model.batching`).
enum class Batching : uint8_t {
  kExact,    ///< default: only as far as single rows and batches give the same bits
  kRelaxed,  ///< any batch; the last bits may depend on the company a row has
};

/// One tensor of the model and the features that fill it, side by side.
struct InputBinding {
  std::string tensor;                 ///< empty: the model's only input
  std::vector<std::string> features;  ///< names of features or schema columns; empty: all that are not hidden
  base::Position position;
};

struct ModelSpec {
  std::string engine;  ///< "onnx"
  std::string file;    ///< inside the bundle
  std::vector<InputBinding> inputs;
  Batching batching = Batching::kExact;
  base::Value options;  ///< further keys that the engine knows, as written
  base::Position position;
};

/// One field of the prediction: taken from the model (`from`), or computed (`when`, `expr`) from fields before it.
struct OutputSpec {
  std::string name;
  std::string from;  ///< an expression over the model's outputs, e.g. "probabilities[1]"
  std::string when;  ///< a boolean expression over earlier output fields, or …
  std::string expr;  ///< … any expression over earlier output fields, model outputs and input columns
  std::optional<std::string> type;    ///< declared scalar type; otherwise the expression's own
  std::optional<double> min, max;     ///< the result is clamped into it
  std::vector<base::Value> labels;    ///< names for a vector's elements, or the classes a label index stands for
  std::optional<int64_t> top;         ///< the k largest elements as a list of {label, score}
  std::optional<int64_t> round;       ///< decimal digits
  bool hidden = false;                ///< usable by later outputs, absent from the prediction
  base::Position position;
};

struct Limits {
  std::optional<std::chrono::nanoseconds> timeout;
  int64_t max_batch_rows = 4096;
};

struct Manifest {
  std::string name;
  Version version;
  std::string description;
  std::optional<std::string> target;  ///< the training data's column that the model predicts
  bool has_inputs = false;            ///< without `inputs:` the model's own tensors are the schema
  schema::Schema schema;
  std::vector<features::StepSpec> features;
  ModelSpec model;
  std::vector<OutputSpec> outputs;    ///< empty: the model's outputs under their own names
  Limits limits;
  base::Value fallback;               ///< checked for form, kept as written
  base::Value lineage;
  base::Value written;                ///< the whole document, with positions
};

/// Parses YAML text (size, depth, alias and node limits) into a Value with positions. Scalars are typed by YAML 1.2's
/// core schema: `no` is text, `1.10` a number unless quoted. Errors: "manifest.syntax", "manifest.limit".
base::Result<base::Value> ParseYaml(std::string_view text);

/// Reads a manifest. Every fault names line and column (`where` = "slipway.yaml:14:9"), the key, the value, the rule and
/// the nearest known key. Engine and model are checked later, when the model is at hand.
base::Result<Manifest> ParseManifest(std::string_view yaml);

}  // namespace slipway::bundle

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
#include "bundle/fallback_reason.h"
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
  std::vector<std::string> features;  ///< names of features or schema columns; empty: all features that are not hidden
  base::Position position;
};

struct ModelSpec {
  std::string engine = "onnx";
  std::string file = "model.onnx";   ///< inside the bundle, in canonical form; "" when another engine names none
  std::vector<InputBinding> inputs;  ///< empty: all features, or each tensor from the column of its name without them
  Batching batching = Batching::kExact;
  /// A bundle without `inputs`: a value missing from the model's own tensors of floats is NaN (`missing: nan`).
  bool missing_is_nan = false;
  bool isolated = false;  ///< a server runs it in a process of its own (`isolation: process`)
  base::Value options;    ///< a map of the keys that the engine knows, as written; null when there are none
  base::Position position;
};

/// One field of the prediction: taken from the model (`from`), or computed (`when`, `expr`) from fields before it.
struct OutputSpec {
  std::string name;
  std::string from;                 ///< an expression over the model's outputs, e.g. "probabilities[1]"
  std::string when;                 ///< a boolean expression over earlier output fields, or …
  std::string expr;                 ///< … any expression over earlier output fields, model outputs and input columns
  std::optional<std::string> type;  ///< declared scalar type; otherwise the expression's own
  std::optional<double> min, max;   ///< the result is clamped into it
  std::vector<base::Value> labels;  ///< names for a vector's elements, or the classes a label index stands for
  std::optional<int64_t> top;       ///< the k largest elements as a list of {label, score}
  std::optional<int64_t> round;     ///< decimal digits
  bool hidden = false;              ///< usable by later outputs, absent from the prediction
  std::string description;
  base::Position position;
};

struct Limits {
  std::optional<std::chrono::nanoseconds> timeout;
  int64_t max_batch_rows = 4096;
  std::optional<double> rate;          ///< calls a second, averaged over one second
  std::optional<int64_t> concurrency;  ///< calls at the same time
};

/// One of the answers to try when the model cannot answer.
struct FallbackStep {
  enum class Kind : uint8_t {
    kPrevious,  ///< the newest loaded version before this one
    kModel,     ///< `model`, a reference like those that callers use
    kCached,    ///< what the same request was answered last, if that is no longer ago than `age`
    kConstant,  ///< `constant`, whatever was asked
  };
  Kind kind = Kind::kConstant;
  std::string model;
  std::chrono::nanoseconds age{0};
  base::Value constant;                        ///< a map from fields of the prediction to values
  FallbackReasons on = kUsualFallbackReasons;  ///< what it is taken for
};

/// On a CPU of another kind than the bundle was packed on, numbers of golden predictions may differ by so much of
/// themselves.
inline constexpr double kGoldenTolerance = 1e-5;

struct Manifest {
  std::string name;
  Version version;
  std::string description;
  std::optional<std::string> target;  ///< the training data's column that the model predicts
  bool has_inputs = false;            ///< without `inputs:` the model's own tensors are the schema
  schema::Schema schema;
  std::vector<features::StepSpec> features;
  ModelSpec model;
  std::vector<OutputSpec> outputs;  ///< empty: the model's outputs under their own names
  Limits limits;
  double golden_tolerance = kGoldenTolerance;
  std::vector<std::string> files;      ///< further files of the bundle, in canonical form
  std::vector<FallbackStep> fallback;  ///< in the order in which they are tried
  base::Value lineage;                 ///< a map, checked for form, kept as written; null when there is none
  base::Value written;                 ///< the whole document, with positions
};

struct YamlLimits {
  size_t bytes = size_t{1} << 20;
  int depth = 32;
  size_t nodes = 262144;  ///< keys and values
};

/// Parses one YAML document into a Value with positions; an entry of a map has the position of its key. Scalars are
/// typed by YAML 1.2's core schema: `no` is text, `1.10` a number unless quoted, `007` text. An empty document is null.
/// Refused: anchors, aliases, merge keys, tags outside the core schema, keys that are no scalars, duplicate keys,
/// further documents. Errors: "manifest.syntax", "manifest.limit", `where` is "line:column".
base::Result<base::Value> ParseYaml(std::string_view text, const YamlLimits& limits = {});

/// Reads a manifest. Every fault names line and column (`where` = "slipway.yaml:14:9"), the key, the value, the rule
/// and the nearest known key. Engine and model are checked later, when the model is at hand. Reasons:
/// "manifest.syntax", "manifest.limit", "manifest.unknown_key", "manifest.missing_key", "manifest.type",
/// "manifest.value", "manifest.contradiction".
base::Result<Manifest> ParseManifest(std::string_view yaml);

}  // namespace slipway::bundle

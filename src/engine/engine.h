#pragma once
// Engine is the seam to whatever computes a model: named tensors in, named tensors out. It knows nothing of schemas,
// features or predictions.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/quantities.h"
#include "base/value.h"
#include "bundle/bundle.h"
#include "engine/tensor.h"

namespace slipway::engine {

/// What a loaded model says of itself.
struct ModelInfo {
  std::string engine;  ///< "onnx"
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  bool batched = true;     ///< the first dimension of every input and output counts rows
  int64_t fixed_rows = 0;  ///< > 0: the model takes exactly so many rows a run (exports with a fixed batch)
  /// Rows a run may hold so that every row gets the bits it would get alone; 1 when batches change bits.
  int64_t exact_rows = 1;
  std::string exactness;                    ///< why exact_rows is what it is, one sentence for people
  std::vector<std::string> external_files;  ///< files of the bundle, beside the model's own, that it was read from
  base::Value details;  ///< producer, opset versions, operator counts, metadata: for inspect and lineage
};

/// One thread's way into an engine: scratch memory and bindings. Run() is not reentrant.
class Session {
 public:
  virtual ~Session() = default;
  /// Runs the model on `inputs` (in ModelInfo order), filling `outputs` (same count as ModelInfo::outputs), whose
  /// memory is reused. Errors: "engine.run" with the runtime's word and what to look at. Does not throw.
  virtual base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                                 const base::Deadline& deadline) = 0;
};

/// What became of the process that a model has for itself.
struct ProcessReading {
  bool up = false;
  int64_t pid = 0;                          ///< of the one that is up; 0: none is
  base::Bytes memory;                       ///< its resident set
  std::map<std::string, int64_t> restarts;  ///< by why the one before ended: "signal", "memory", …
  std::string last_reason, last_end;        ///< why the last one ended, in a word and in a sentence; "": none did
  base::WallTime ended_at;                  ///< when
  std::chrono::nanoseconds next_start{0};   ///< not up: it is started again after so long
};

/// A loaded model. Immutable; sessions of different threads run at the same time.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const ModelInfo& info() const = 0;
  /// nullopt: it runs in this process.
  virtual std::optional<ProcessReading> process() const { return std::nullopt; }
  virtual base::Result<std::unique_ptr<Session>> NewSession() const = 0;
};

struct EngineOptions {
  int threads = 1;  ///< inside one run; the scorer's own parallelism is over chunks
};

/// Loads the model of a bundle with the engine its manifest names.
using EngineLoader = std::function<base::Result<std::unique_ptr<Engine>>(const bundle::Bundle&, const EngineOptions&)>;

/// The engines known to this program, by name; filled explicitly at the composition root.
class EngineTable {
 public:
  void Register(std::string name, EngineLoader loader);
  /// Errors: "engine.unknown" naming the known ones, or the loader's own.
  base::Result<std::unique_ptr<Engine>> Load(const bundle::Bundle& bundle, const EngineOptions& options) const;

 private:
  std::vector<std::pair<std::string, EngineLoader>> loaders_;
};

}  // namespace slipway::engine

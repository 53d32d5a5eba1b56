#pragma once
// Served bundles and calls on them, for the targets that feed a door any body.

#include <string>
#include <string_view>

#include "data/json_cursor.h"
#include "decoded_invariants.h"
#include "live/live_set.h"
#include "live/sum_bundle_fake.h"
#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving {

/// Bundles of each kind: columns, the model's own tensor, and texts that come back.
class FuzzService {
 public:
  static constexpr std::string_view kModels[] = {"sum", "bare", "echo"};

  FuzzService() {
    Load(bundles_.Write("sum", "1.0.0", "limits: {max_batch_rows: 64}\n"));
    Load(bundles_.WriteBare("bare", "1.0.0"));
    Load(bundles_.WriteManifest(
        "echo", "1.0.0",
        "inputs:\n  a: {type: number, allow_non_finite: true, missing: null}\n  b: {type: number, optional: true}\n"
        "  note: {type: string, optional: true}\nmodel: {engine: onnx, file: model.onnx, input: [a, b]}\n"
        "outputs: {sum: \"sums\", note_bytes: {expr: \"note\"}}\n"));
  }

  Predictor& predictor() { return predictor_; }
  const live::LiveSet& live() const { return live_; }

  /// Calls twice: the answer must be the same, JSON but for bare non-finite tokens, and no failure of ours.
  template <typename Handle>
  static void Call(const net::Request& request, Handle handle) {
    net::Response first, second;
    handle(request, first);
    handle(request, second);
    data::Require(first.body == second.body && first.status == second.status);
    data::Require(first.status == 200 || first.status == 400 || first.status == 413 || first.status == 415);
    data::JsonCursor cursor(data::JsonBounds{.depth = 64});
    cursor.Speak({.non_finite = data::JsonDialect::NonFinite::kNumber});
    data::Require(cursor.Open(first.body) && cursor.Skip() && cursor.Finish());
  }

 private:
  void Load(const std::filesystem::path& bundle) { data::Require(live_.Load(bundle).has_value()); }

  live::SumBundles bundles_;
  telemetry::MetricRegistry metrics_;
  live::LiveSet live_{bundles_.engines()};
  Predictor predictor_{live_, metrics_, {.threads = 1}};
};

}  // namespace slipway::serving

// scoring_bench BUNDLE RECORDS.jsonl: what Slipway adds around the model, measured pairwise in one process.
// Prints one JSON object; times are medians over rounds, each round over all records (distinct rows), one thread.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/value.h"
#include "bundle/bundle.h"
#include "data/json_rows.h"
#include "engine/onnx/onnx_engine.h"
#include "scoring/model_inputs.h"
#include "scoring/preprocessor.h"
#include "scoring/scorer.h"

namespace slipway {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr int kRounds = 11;

double Median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

template <typename Work>
double Measure(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return Seconds(std::chrono::steady_clock::now() - start).count();
}

template <typename T>
T Must(base::Result<T> result) {
  if (!result) {
    fmt::print(stderr, "error: {}\n", result.error().Text());
    std::exit(1);
  }
  return std::move(*result);
}

struct Bench {
  bundle::Bundle bundle;
  std::unique_ptr<engine::Engine> engine;
  std::shared_ptr<const scoring::Scorer> scorer;
  std::vector<std::string> lines;

  data::Decoded Decode(size_t first, size_t count) const {
    data::Decoded rows(scorer->layout());
    data::JsonRowDecoder decoder(scorer->layout());
    for (size_t i = first; i < first + count; ++i) decoder.DecodeLine(lines[i], rows);
    return rows;
  }
};

/// Seconds per row of the whole scorer and of the bare engine on the matrices the scorer would give it, in turn.
base::Value Overhead(const Bench& bench, size_t batch) {
  auto workspace = Must(bench.scorer->NewWorkspace());
  auto session = Must(bench.engine->NewSession());
  const auto preprocessor =
      Must(scoring::Preprocessor::Create(bench.bundle.manifest(), bench.bundle.fitted(), bench.scorer->schema()));
  const auto inputs = Must(scoring::ModelInputs::Create(bench.bundle.manifest(), bench.scorer->schema(), preprocessor,
                                                        bench.engine->info()));
  scoring::Preprocessor::Workspace memory;
  schema::Report report;
  std::vector<scoring::ModelInputs::Buffers> matrices;
  std::vector<data::Decoded> tables;
  const size_t batches = bench.lines.size() / batch;
  for (size_t b = 0; b < batches; ++b) {
    tables.push_back(bench.Decode(b * batch, batch));
    auto rows = tables.back();
    report.Clear();
    const auto& table = preprocessor.Check(rows, report, memory);
    preprocessor.Features(table, 0, table.rows, memory);
    matrices.emplace_back();
    inputs.Fill(preprocessor, memory, table.rows, matrices.back());
  }
  std::vector<engine::TensorView> views;
  std::vector<engine::Tensor> outputs(bench.engine->info().outputs.size());
  scoring::Scores scores;
  std::vector<double> whole, bare, around;
  const auto chunk = static_cast<size_t>(bench.scorer->chunk_rows());
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(Measure([&] {
      for (auto& matrix : matrices) {
        for (size_t at = 0; at < batch; at += chunk) {
          const auto rows = static_cast<int64_t>(std::min(chunk, batch - at));
          inputs.View(static_cast<int64_t>(at), rows, rows, matrix, views);
          if (!session->Run(views, outputs, {})) std::exit(1);
        }
      }
    }));
    whole.push_back(Measure([&] {
      for (auto& rows : tables) {
        if (!bench.scorer->Score(rows, workspace, scores)) std::exit(1);
      }
    }));
    around.push_back(Measure([&] {
      for (auto& rows : tables) {
        report.Clear();
        const auto& table = preprocessor.Check(rows, report, memory);
        preprocessor.Features(table, 0, table.rows, memory);
      }
    }));
  }
  const double rows = static_cast<double>(batches * batch);
  std::vector<double> ratios;
  for (size_t i = 0; i < whole.size(); ++i) ratios.push_back(whole[i] / bare[i]);
  return base::Value::Map()
      .Set("batch", static_cast<int64_t>(batch))
      .Set("model_us_per_row", Median(bare) / rows * 1e6)
      .Set("scorer_us_per_row", Median(whole) / rows * 1e6)
      .Set("validate_and_features_us_per_row", Median(around) / rows * 1e6)
      .Set("scorer_to_model", Median(ratios))
      .Set("scorer_to_model_min", *std::ranges::min_element(ratios))
      .Set("scorer_to_model_max", *std::ranges::max_element(ratios));
}

double DecodeMicroseconds(const Bench& bench) {
  data::Decoded rows(bench.scorer->layout());
  data::JsonRowDecoder decoder(bench.scorer->layout());
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    times.push_back(Measure([&] {
      for (const auto& line : bench.lines) {
        rows.Clear();
        decoder.DecodeLine(line, rows);
      }
    }));
  }
  return Median(times) / static_cast<double>(bench.lines.size()) * 1e6;
}

int Main(const char* path, const char* records) {
  engine::EngineTable engines;
  engines.Register("onnx", engine::onnx::OnnxLoader({}));
  Bench bench{Must(bundle::Bundle::Open(path)), nullptr, nullptr, {}};
  bench.engine = Must(engines.Load(bench.bundle, {}));
  bench.scorer = Must(scoring::Scorer::Create(bench.bundle, engines));
  std::ifstream file(records);
  for (std::string line; std::getline(file, line);) bench.lines.push_back(line);
  auto result = base::Value::Map();
  result.Set("records", static_cast<int64_t>(bench.lines.size()));
  result.Set("decode_json_us_per_record", DecodeMicroseconds(bench));
  auto batches = base::Value::List();
  for (const size_t batch : {size_t{1}, size_t{1024}}) batches.Add(Overhead(bench, batch));
  result.Set("scorer", std::move(batches));
  fmt::print("{}", base::ToJson(result, {.indent = 2, .trailing_newline = true}));
  return 0;
}

}  // namespace
}  // namespace slipway

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: scoring_bench BUNDLE RECORDS.jsonl\n", stderr);
    return 2;
  }
  return slipway::Main(argv[1], argv[2]);
}

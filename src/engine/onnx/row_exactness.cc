#include "engine/onnx/row_exactness.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "engine/onnx/onnx_session.h"
#include "engine/onnx/row_probe.h"

namespace slipway::engine::onnx {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kMostTime{60};  // of one run
constexpr int64_t kMostRows = 256;
constexpr int64_t kMostRowElements = int64_t{1} << 22;
constexpr ProbeStyle kStyles[] = {
    {.smallest = 0, .largest = 9},
    {.smallest = 1, .largest = 9, .extremes = false},
    {.smallest = 0, .largest = 1, .extremes = false},
    {.smallest = 0, .largest = 1, .extremes = false, .numeric_texts = true},
    {.dynamic_size = 64, .smallest = 0, .largest = 1, .extremes = false},
};

/// A row's part of every output, as bytes, ready to compare.
using RowBits = std::string;

/// Runs one model on made-up rows. Sees the padding as it was when the first batch ran.
class ProbeRuns {
 public:
  /// `memory` becomes the error of a run that found too little memory.
  ProbeRuns(const std::shared_ptr<LoadedModel>& model, ProbeRows& rows, base::Result<void>& memory)
      : rows_(rows), session_(model), outputs_(model->info.outputs.size()), memory_(memory) {}

  /// Runs the given rows as one batch.
  base::Result<void> Run(std::span<const int64_t> rows) {
    auto ran = session_.Run(rows_.Batch(rows), outputs_, {.at = steady_clock::now() + kMostTime});
    if (!ran && ran.error().code == base::Code::kResourceExhausted) memory_ = ran;
    return ran;
  }
  const std::vector<Tensor>& outputs() const { return outputs_; }

  bool RowsLeadEveryOutput(int64_t rows) const {
    return std::ranges::all_of(outputs_, [&](const Tensor& out) { return !out.shape.empty() && out.shape[0] == rows; });
  }

  RowBits Bits(size_t row, size_t rows) const {
    RowBits bits;
    for (const Tensor& out : outputs_) {
      const size_t bytes = out.data.size() / rows;
      bits.append(reinterpret_cast<const char*>(out.data.data()) + row * bytes,
                  out.type == ElementType::kString ? 0 : bytes);
      const size_t texts = out.type == ElementType::kString ? out.strings.size() / rows : 0;
      for (size_t i = 0; i < texts; ++i) bits += out.strings[row * texts + i] + '\0';
    }
    return bits;
  }

 private:
  ProbeRows& rows_;
  OnnxSession session_;
  std::vector<Tensor> outputs_;
  base::Result<void>& memory_;
};

/// How much of the probe a model's speed allows: it must not hold up loading.
struct ProbeSize {
  int64_t alone = 64;
  int64_t most = kMostRows;
};

ProbeSize SizeFor(steady_clock::duration one_row, int64_t elements) {
  using namespace std::chrono_literals;
  constexpr int64_t kMostElements = int64_t{1} << 24;  // of a whole batch
  if (one_row > 20ms || elements * 4 > kMostElements) return {0, 0};
  if (one_row > 2ms || elements * 16 > kMostElements) return {4, 4};
  if (one_row > 200us || elements * kMostRows > kMostElements) return {16, 16};
  if (one_row > 8us) return {24, kMostRows};
  return {};
}

/// Elements of a row's inputs, at most `cap` + 1.
int64_t RowElements(const ModelInfo& info, const ProbeStyle& style, int64_t cap) {
  int64_t all = 0;
  for (const TensorSpec& spec : info.inputs) {
    int64_t elements = 1;
    for (int64_t dimension : spec.RowShape(info.batched)) {
      const int64_t size = dimension < 0 ? OpenSize(spec, info.batched, style) : dimension;
      elements = size > cap ? cap + 1 : std::min(elements * size, cap + 1);
    }
    all = std::min(all + elements, cap + 1);
  }
  return all;
}

/// Alone-row number `i` of `count`, spread over the rows of the largest batch and over its remainders.
int64_t Spread(int64_t i, int64_t count, int64_t most) {
  const int64_t step = most / count;
  return i * step + (step > 1 ? i % step : 0);
}

constexpr size_t kTellingAnswers = 8;
constexpr int64_t kTooAlike = -1;

/// The first batch size that changes a row, 0 when none does, kTooAlike when that says little because nearly all rows
/// are answered alike; an error when a run fails.
base::Result<int64_t> FirstDeviation(ProbeRuns& runs, const ProbeSize& size) {
  std::vector<int64_t> chosen;
  std::vector<RowBits> expected;
  for (int64_t i = 0; i < size.alone; ++i) {
    const int64_t row = Spread(i, size.alone, size.most);
    SLIPWAY_TRY(runs.Run({&row, 1}));
    if (!runs.RowsLeadEveryOutput(1)) return 1;
    chosen.push_back(row);
    expected.push_back(runs.Bits(0, 1));
  }
  for (int64_t batch : {2, 3, 7, 16, 64}) {
    for (int64_t at = 0; batch <= size.most && at < size.alone; at += batch) {
      const auto rows = std::min(batch, size.alone - at);
      SLIPWAY_TRY(runs.Run({chosen.data() + at, static_cast<size_t>(rows)}));
      for (int64_t i = 0; i < rows; ++i) {
        if (runs.Bits(static_cast<size_t>(i), static_cast<size_t>(rows)) != expected[static_cast<size_t>(at + i)])
          return batch;
      }
    }
  }
  std::vector<int64_t> all(static_cast<size_t>(size.most));
  std::iota(all.begin(), all.end(), 0);
  SLIPWAY_TRY(runs.Run(all));
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (runs.Bits(static_cast<size_t>(chosen[i]), all.size()) != expected[i]) return size.most;
  }
  // Saturated answers (probabilities of 0 and 1) hide the bits that they are made of.
  const std::set<RowBits> different(expected.begin(), expected.end());
  return different.size() < std::min<size_t>(kTellingAnswers, expected.size()) ? kTooAlike : 0;
}

/// The finding for one model, step by step.
class Finder {
 public:
  Finder(const ModelFile& file, const std::shared_ptr<LoadedModel>& model)
      : promise_(JudgeOperators(file)), model_(model), info_(model->info) {}

  void Find(bool exact);
  const base::Result<void>& memory() const { return memory_; }

 private:
  void Conclude(int64_t rows, std::string why) {
    info_.exact_rows = rows;
    info_.exactness = std::move(why);
  }
  bool ShapesAreOpen() const;
  bool TurnSideways(const std::vector<Tensor>& one, const std::vector<Tensor>& three);
  std::optional<size_t> FindStyle(size_t from);
  void CorrectShapes(const ProbeStyle& style);
  void CorrectShape(const Tensor& one, const Tensor& three, size_t index);
  void FindFixed(const ProbeStyle& style);
  void FindRows(size_t style);
  bool TryRows(const ProbeStyle& style);

  OperatorPromise promise_;
  std::shared_ptr<LoadedModel> model_;
  ModelInfo& info_;
  steady_clock::duration one_row_{};
  int64_t elements_ = 0;
  std::string fault_;          // of the last trial run that failed
  base::Result<void> memory_;  // the error of one that found too little memory
};

bool Finder::ShapesAreOpen() const {
  for (size_t i = 0; i < info_.outputs.size(); ++i) {
    const auto& shape = info_.outputs[i].shape;
    const bool doubtful = info_.batched && info_.fixed_rows == 0 && (shape.empty() || shape[0] >= 0);
    if (model_->output_unshaped[i] || doubtful) return true;
  }
  return false;
}

/// The first style from `from` on whose first row the model takes.
std::optional<size_t> Finder::FindStyle(size_t from) {
  for (size_t i = from; i < std::size(kStyles); ++i) {
    elements_ = RowElements(info_, kStyles[i], kMostRowElements);
    if (elements_ > kMostRowElements) {
      fault_ = "a row has more than " + std::to_string(kMostRowElements) + " elements";
      continue;
    }
    ProbeRows rows(info_, 1, kStyles[i]);
    ProbeRuns runs(model_, rows, memory_);
    const int64_t first = 0;
    if (const auto result = runs.Run({&first, 1}); !result) {
      fault_ = result.error().message;
      continue;
    }
    one_row_ = steady_clock::duration::max();
    for (int round = 0; round < 3; ++round) {  // the shortest: others may have been disturbed
      const auto start = steady_clock::now();
      if (!runs.Run({&first, 1})) break;
      one_row_ = std::min(one_row_, steady_clock::now() - start);
      if (one_row_ > std::chrono::milliseconds(20) && round > 0) break;
    }
    return i;
  }
  return std::nullopt;
}

/// An output of [1,1] for one row and of [1,3] for three holds rows side by side, as skl2onnx's labels of discriminant
/// analysis do: its elements are those of [rows]. Marks such outputs; true when it found one.
bool Finder::TurnSideways(const std::vector<Tensor>& one, const std::vector<Tensor>& three) {
  bool found = false;
  for (size_t i = 0; i < one.size(); ++i) {
    if (one[i].shape != std::vector<int64_t>{1, 1} || three[i].shape != std::vector<int64_t>{1, 3}) continue;
    model_->output_sideways[i] = true;
    found = true;
  }
  return found;
}

void Finder::CorrectShapes(const ProbeStyle& style) {
  ProbeRows rows(info_, 1, style);
  ProbeRuns runs(model_, rows, memory_);
  const int64_t same[] = {0, 0, 0};
  if (!runs.Run({same, 1})) return;
  const std::vector<Tensor> one = runs.outputs();
  bool more = info_.batched && info_.fixed_rows == 0;
  if (more && !runs.Run(same)) {
    info_.fixed_rows = 1;  // a shape inside the model is fixed, whatever its inputs declare
    more = false;
  }
  if (more && TurnSideways(one, runs.outputs())) return CorrectShapes(style);
  if (more && !runs.RowsLeadEveryOutput(3)) {
    info_.batched = false;
    return;
  }
  for (size_t i = 0; i < one.size(); ++i) CorrectShape(one[i], more ? runs.outputs()[i] : one[i], i);
}

void Finder::CorrectShape(const Tensor& one, const Tensor& three, size_t index) {
  TensorSpec& spec = info_.outputs[index];
  if (spec.kind == TensorSpec::Kind::kMaps) return;
  if (model_->output_unshaped[index] || spec.shape.size() != one.shape.size()) {
    spec.shape = one.shape;
    spec.dimension_names.assign(one.shape.size(), "");
  }
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    if (three.shape.size() != spec.shape.size() || one.shape[i] != three.shape[i]) spec.shape[i] = -1;
    if (spec.shape[i] >= 0) spec.shape[i] = one.shape[i];  // declared wrong, as skl2onnx does for several targets
  }
}

void Finder::FindFixed(const ProbeStyle& style) {
  const int64_t batch = info_.fixed_rows;
  if (batch == 1) return Conclude(1, "the model was exported with a fixed batch of 1: rows are run one by one");
  const std::string fixed = "the model was exported with a fixed batch of " + std::to_string(batch);
  if (!promise_.row_by_row) return Conclude(1, fixed + ", and " + promise_.why);
  if (SizeFor(one_row_, elements_ * batch / 4).alone == 0 || batch > kMostRows)
    return Conclude(1, fixed + ", too slow to try out at load");
  ProbeRows rows(info_, batch, style);
  ProbeRuns runs(model_, rows, memory_);
  std::vector<RowBits> alone;
  for (int64_t row = 0; row < batch; ++row) {
    if (!runs.Run({&row, 1})) return Conclude(1, fixed + ", and a trial run failed");
    alone.push_back(runs.Bits(0, 1));
  }
  std::vector<int64_t> all(static_cast<size_t>(batch));
  std::iota(all.begin(), all.end(), 0);
  bool same = runs.Run(all).has_value();
  for (size_t i = 0; i < alone.size() && same; ++i) same = runs.Bits(i, alone.size()) == alone[i];
  Conclude(same ? batch : 1,
           fixed + (same ? "; a row's place in it does not matter" : "; a row's place in it changes its bits"));
}

/// True when it came to a conclusion; false when the model refused a row. The padding follows from the file alone, not
/// from what the probe finds or had the time for: a row's bits must be the same after every load.
bool Finder::TryRows(const ProbeStyle& style) {
  model_->padding = promise_.padding;
  const ProbeSize size = SizeFor(one_row_, elements_);
  if (size.alone == 0) {
    Conclude(1, "a row takes longer than 20 ms: batches would gain nothing");
    return true;
  }
  ProbeRows rows(info_, size.most, style);
  ProbeRuns runs(model_, rows, memory_);
  const auto deviation = FirstDeviation(runs, size);
  if (!deviation) {
    model_->padding = 1;
    fault_ = deviation.error().message;
    return false;
  }
  if (*deviation > 0) {
    Conclude(1, promise_.why + ", but made-up rows got other bits in batches than alone");
  } else if (*deviation == kTooAlike && promise_.doubtful) {
    Conclude(1, promise_.why + ", and made-up rows got too few different answers to confirm it");
  } else {
    Conclude(size.most, promise_.why + ", and " + std::to_string(size.alone) +
                            " made-up rows got the same bits alone and in batches of up to " +
                            std::to_string(size.most));
  }
  return true;
}

void Finder::FindRows(size_t style) {
  for (std::optional<size_t> next = style; next; next = FindStyle(*next + 1)) {
    if (TryRows(kStyles[*next])) return;
  }
  Conclude(1, "a trial run failed: " + fault_);
}

void Finder::Find(bool exact) {
  const bool wanted = exact && info_.batched && promise_.row_by_row && info_.fixed_rows != 1;
  Conclude(1, !info_.batched ? "the model has no batch dimension: a run is one row"
              : !exact       ? "not looked into: the manifest says batching: relaxed"
                             : promise_.why);
  if (info_.fixed_rows == 1) Conclude(1, "the model was exported with a fixed batch of 1: rows are run one by one");
  if (!wanted && !ShapesAreOpen()) return;
  const auto style = FindStyle(0);
  if (!style) return Conclude(1, "the model could not be tried with made-up rows: " + fault_);
  CorrectShapes(kStyles[*style]);
  if (!info_.batched) return Conclude(1, "the model has no batch dimension: a run is one row");
  if (info_.fixed_rows == 1) return Conclude(1, "the model takes one row a run, whatever its inputs declare");
  if (!wanted) return;
  return info_.fixed_rows > 0 ? FindFixed(kStyles[*style]) : FindRows(*style);
}

}  // namespace

base::Result<void> FindExactRows(const ModelFile& file, bool exact, const std::shared_ptr<LoadedModel>& model) {
  Finder finder(file, model);
  finder.Find(exact);
  return finder.memory();
}

}  // namespace slipway::engine::onnx

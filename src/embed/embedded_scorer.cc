#include "embed/embedded_scorer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/machine.h"
#include "base/ordered_work.h"
#include "bundle/bundle.h"
#include "data/json_rows.h"
#include "engine/onnx/onnx_engine.h"
#include "engine/trial/bundle_trial.h"
#include "schema/schema.h"
#include "scoring/answers.h"

namespace slipway::embed {
namespace {

constexpr int64_t kBlockRows = 1024;
/// Of blocks that go from thread to thread: a light model scores 1,024 rows in less time than handing them over takes.
constexpr int64_t kSharedBlockRows = 8192;
/// Fewer rows for a thread than this are scored sooner without it.
constexpr int64_t kRowsPerThread = 16384;
/// Working memory that is kept for the next call; more calls at a time make their own.
constexpr size_t kMostIdle = 64;

engine::EngineTable Engines() {
  engine::BundleTrial trial;
  std::error_code failed;
  const auto program = base::LibraryFolder().parent_path() / "slipway";
  if (!base::LibraryFolder().empty() && std::filesystem::is_regular_file(program, failed)) {
    trial = engine::TrialInChild({}, program.string());
  }
  engine::EngineTable engines;
  engines.Register("onnx", engine::onnx::OnnxLoader(std::move(trial)));
  return engines;
}

std::string Describe(const scoring::Scorer& scorer, const std::string& digest) {
  const auto& manifest = scorer.manifest();
  auto value = base::Value::Map();
  value.Set("name", manifest.name).Set("version", manifest.version.ToString()).Set("digest", digest);
  if (!manifest.description.empty()) value.Set("description", manifest.description);
  const auto schema = schema::ToValue(scorer.schema());
  for (const char* part : {"inputs", "rules"}) {
    if (const auto* found = schema.Find(part)) value.Set(part, *found);
  }
  auto outputs = base::Value::Map();
  for (const auto& field : scorer.output_fields()) outputs.Set(field.name, field.type.ToString());
  value.Set("outputs", std::move(outputs)).Set("columns", AnswerColumns::Describe(scorer));
  value.Set("model", base::Value::Map()
                         .Set("engine", scorer.model().engine)
                         .Set("file", manifest.model.file)
                         .Set("rows_per_run", scorer.chunk_rows()));
  return base::ToJson(value);
}

/// The first line, which is taken off.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

/// A lane for the length of a call.
class EmbeddedScorer::Lease {
 public:
  static base::Result<Lease> Take(const EmbeddedScorer& scorer) {
    SLIPWAY_ASSIGN(auto lane, scorer.TakeLane());
    return Lease(scorer, std::move(lane));
  }
  Lease(Lease&&) noexcept = default;
  ~Lease() {
    if (lane_) scorer_->ReturnLane(std::move(lane_));
  }
  Lane* operator->() { return lane_.get(); }

 private:
  Lease(const EmbeddedScorer& scorer, std::unique_ptr<Lane> lane) : scorer_(&scorer), lane_(std::move(lane)) {}
  const EmbeddedScorer* scorer_;
  std::unique_ptr<Lane> lane_;
};

base::Result<std::shared_ptr<const EmbeddedScorer>> EmbeddedScorer::Open(const std::string& path) {
  SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::Open(path));
  SLIPWAY_ASSIGN(auto scorer, scoring::Scorer::Create(bundle, Engines()));
  SLIPWAY_ASSIGN(const auto digest, bundle.Digest());
  return std::make_shared<const EmbeddedScorer>(std::move(scorer), digest);
}

EmbeddedScorer::EmbeddedScorer(std::shared_ptr<const scoring::Scorer> scorer, const std::string& digest)
    : scorer_(std::move(scorer)), description_(Describe(*scorer_, digest)) {}

base::Result<std::unique_ptr<EmbeddedScorer::Lane>> EmbeddedScorer::TakeLane() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto lane = std::move(idle_.back());
      idle_.pop_back();
      return lane;
    }
  }
  SLIPWAY_ASSIGN(auto workspace, scorer_->NewWorkspace());
  return std::make_unique<Lane>(*scorer_, std::move(workspace));
}

void EmbeddedScorer::ReturnLane(std::unique_ptr<Lane> lane) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(lane));
}

/// A table that still has the column to predict is no worse for it.
ColumnPolicy EmbeddedScorer::Complete(ColumnPolicy policy) const {
  if (const auto& target = scorer_->manifest().target) policy.known.push_back(*target);
  return policy;
}

base::Result<void> EmbeddedScorer::Check(const ArrowSchema& schema, const ScoreOptions& options) const {
  std::vector<std::string> names;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const auto* child = schema.children[i];
    names.emplace_back(child == nullptr || child->name == nullptr ? "" : child->name);
  }
  return CheckColumns(names, scorer_->schema(), scorer_->layout(), Complete(options.columns));
}

base::Result<AnswerColumns> EmbeddedScorer::Score(const ArrowSchema& schema, const ArrowArray& batch,
                                                  const ScoreOptions& options) const {
  SLIPWAY_ASSIGN(const auto reader,
                 BatchReader::Create(schema, batch, scorer_->schema(), scorer_->layout(), Complete(options.columns)));
  AnswerColumns answers(*scorer_);
  const int allowed = options.threads > 0 ? options.threads : base::CpuBudget();
  const int threads = static_cast<int>(std::min<int64_t>(allowed, reader.rows() / kRowsPerThread));
  if (threads < 2) {
    SLIPWAY_TRY(ScoreInTurn(reader, answers));
  } else {
    SLIPWAY_TRY(ScoreAtOnce(reader, threads, answers));
  }
  return answers;
}

base::Result<void> EmbeddedScorer::ScoreInTurn(const BatchReader& batch, AnswerColumns& answers) const {
  SLIPWAY_ASSIGN(auto lane, Lease::Take(*this));
  for (int64_t first = 0; first < batch.rows();) {
    const int64_t count = batch.BlockRows(first, kBlockRows);
    batch.Read(first, count, lane->rows);
    SLIPWAY_TRY(scorer_->Score(lane->rows, lane->workspace, lane->scores));
    SLIPWAY_TRY(answers.Append(lane->scores));
    first += count;
  }
  return {};
}

base::Result<void> EmbeddedScorer::ScoreAtOnce(const BatchReader& batch, int threads, AnswerColumns& answers) const {
  struct Block {
    Lease lane;
    int64_t first = 0, count = 0;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < threads + 2; ++i) {
    SLIPWAY_ASSIGN(auto lane, Lease::Take(*this));
    blocks.push_back({.lane = std::move(lane)});
  }
  int64_t next = 0;
  base::OrderedWork::Plan plan{
      .workers = threads, .slots = static_cast<int>(blocks.size()), .fill = {}, .work = {}, .drain = {}};
  plan.fill = [&](int slot) -> base::Result<bool> {
    auto& block = blocks[static_cast<size_t>(slot)];
    block.first = next;
    block.count = next < batch.rows() ? batch.BlockRows(next, kSharedBlockRows) : 0;
    next += block.count;
    return block.count > 0;
  };
  plan.work = [&](int slot, int) -> base::Result<void> {
    auto& [lane, first, count] = blocks[static_cast<size_t>(slot)];
    batch.Read(first, count, lane->rows);
    return scorer_->Score(lane->rows, lane->workspace, lane->scores);
  };
  plan.drain = [&](int slot) { return answers.Append(blocks[static_cast<size_t>(slot)].lane->scores); };
  return base::OrderedWork::Run(plan);
}

base::Result<std::string> EmbeddedScorer::ScoreLines(std::string_view lines, bool ignore_unknown) const {
  SLIPWAY_ASSIGN(auto lane, Lease::Take(*this));
  const auto& layout = scorer_->layout();
  const data::Layout lenient(layout.fields(), data::UnknownFields::kIgnore);
  data::JsonRowDecoder decoder(ignore_unknown ? lenient : layout);
  const scoring::AnswerWriter writer(*scorer_);
  std::string out;
  int64_t first_row = 0;
  while (!lines.empty()) {
    lane->rows.Clear();
    while (!lines.empty() && lane->rows.table.rows < kBlockRows) decoder.DecodeLine(TakeLine(lines), lane->rows);
    SLIPWAY_TRY(scorer_->Score(lane->rows, lane->workspace, lane->scores));
    writer.AppendLines(lane->scores, first_row, out);
    first_row += lane->rows.table.rows;
  }
  return out;
}

}  // namespace slipway::embed

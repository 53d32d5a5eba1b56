#include "scoring/golden_check.h"

#include "data/json_rows.h"

namespace slipway::scoring {
namespace {

/// Scores records [first, first + count) in one call; empty texts for rejected ones.
base::Result<std::vector<std::string>> Predict(const Scorer& scorer, Workspace& workspace,
                                               std::span<const std::string_view> records) {
  data::JsonRowDecoder decoder(scorer.layout());
  data::Decoded rows(scorer.layout());
  for (const auto record : records) decoder.DecodeLine(record, rows);
  Scores scores;
  SLIPWAY_TRY(scorer.Score(rows, workspace, scores));
  const data::JsonRowEncoder encoder(scorer.output_fields());
  std::vector<std::string> texts(records.size());
  for (size_t row = 0; row < records.size(); ++row) {
    if (!scores.report.rejected[row]) encoder.AppendRow(scores.predictions, static_cast<int64_t>(row), texts[row]);
  }
  return texts;
}

}  // namespace

base::Result<std::vector<bundle::GoldenRecord>> MakeGolden(const Scorer& scorer,
                                                           std::span<const std::string> records) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  std::vector<bundle::GoldenRecord> golden;
  for (const auto& record : records) {
    const std::string_view one[] = {record};
    SLIPWAY_ASSIGN(auto texts, Predict(scorer, workspace, one));
    golden.push_back({record, std::move(texts[0])});
  }
  return golden;
}

base::Result<GoldenReport> CheckGolden(const Scorer& scorer, std::span<const bundle::GoldenRecord> records) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  std::vector<std::string_view> texts;
  for (const auto& record : records) texts.push_back(record.record);
  SLIPWAY_ASSIGN(auto together, Predict(scorer, workspace, texts));
  GoldenReport report;
  for (size_t i = 0; i < records.size(); ++i) {
    SLIPWAY_ASSIGN(auto alone, Predict(scorer, workspace, std::span(texts).subspan(i, 1)));
    ++report.checked;
    const bool relaxed = scorer.manifest().model.batching == bundle::Batching::kRelaxed;
    const std::string& got = alone[0] != records[i].prediction || relaxed ? alone[0] : together[i];
    if (got == records[i].prediction) continue;
    ++report.mismatch_count;
    if (report.mismatches.size() < 20) {
      report.mismatches.push_back({static_cast<int64_t>(i), records[i].prediction, got});
    }
  }
  return report;
}

}  // namespace slipway::scoring

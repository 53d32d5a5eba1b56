#include "scoring/golden_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/json_rows.h"
#include "scoring/answers.h"

namespace slipway::scoring {
namespace {

/// Scores all records in one call.
base::Result<std::vector<bundle::GoldenRecord>> Predict(const Scorer& scorer, Workspace& workspace,
                                                        std::span<const std::string_view> records) {
  data::JsonRowDecoder decoder(scorer.layout());
  data::Decoded rows(scorer.layout());
  for (const auto record : records) decoder.DecodeLine(record, rows);
  Scores scores;
  SLIPWAY_TRY(scorer.Score(rows, workspace, scores));
  const data::JsonRowEncoder encoder(scorer.output_fields());
  std::vector<bundle::GoldenRecord> golden(records.size());
  size_t at = 0;
  for (size_t row = 0; row < records.size(); ++row) {
    golden[row].record = records[row];
    if (!scores.report.rejected[row]) {
      encoder.AppendRow(scores.predictions, static_cast<int64_t>(row), golden[row].prediction);
      continue;
    }
    for (const auto& violation : ViolationsOf(scores.report.violations, static_cast<int64_t>(row), at)) {
      golden[row].violations.emplace_back(data::ViolationCodeName(violation.code));
    }
  }
  return golden;
}

std::string Shown(const bundle::GoldenRecord& record) {
  return record.violations.empty() ? record.prediction
                                   : fmt::format("rejected: {}", fmt::join(record.violations, ", "));
}

}  // namespace

base::Result<std::vector<bundle::GoldenRecord>> MakeGolden(const Scorer& scorer, std::span<const std::string> records) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  std::vector<bundle::GoldenRecord> golden;
  for (const auto& record : records) {
    const std::string_view one[] = {record};
    SLIPWAY_ASSIGN(auto made, Predict(scorer, workspace, one));
    golden.push_back(std::move(made[0]));
  }
  return golden;
}

base::Result<GoldenReport> CheckGolden(const Scorer& scorer, std::span<const bundle::GoldenRecord> records) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  std::vector<std::string_view> texts;
  for (const auto& record : records) texts.push_back(record.record);
  SLIPWAY_ASSIGN(auto together, Predict(scorer, workspace, texts));
  const bool relaxed = scorer.manifest().model.batching == bundle::Batching::kRelaxed;
  GoldenReport report;
  for (size_t i = 0; i < records.size(); ++i) {
    SLIPWAY_ASSIGN(auto alone, Predict(scorer, workspace, std::span(texts).subspan(i, 1)));
    ++report.checked;
    const auto& got = relaxed || !(alone[0] == records[i]) ? alone[0] : together[i];
    if (got == records[i]) continue;
    ++report.mismatch_count;
    if (report.mismatches.size() < 20) {
      report.mismatches.push_back({static_cast<int64_t>(i), Shown(records[i]), Shown(got)});
    }
  }
  return report;
}

}  // namespace slipway::scoring

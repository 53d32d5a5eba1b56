#include "scoring/golden_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "base/machine.h"
#include "base/quantities.h"
#include "base/text.h"
#include "data/json_rows.h"
#include "scoring/answers.h"

namespace slipway::scoring {
namespace {

/// Scores all records in one call; `took`, when given, is the time of that.
base::Result<std::vector<bundle::GoldenRecord>> Predict(const Scorer& scorer, Workspace& workspace,
                                                        std::span<const std::string_view> records,
                                                        std::chrono::nanoseconds* took = nullptr) {
  data::JsonRowDecoder decoder(scorer.layout());
  data::Decoded rows(scorer.layout());
  for (const auto record : records) decoder.DecodeLine(record, rows);
  Scores scores;
  const auto time = std::chrono::minutes(1) + std::chrono::seconds(records.size());
  if (auto scored = scorer.Score(rows, workspace, scores, {.at = std::chrono::steady_clock::now() + time}); !scored) {
    if (scored.error().code == base::Code::kDeadlineExceeded) {
      scored.error().message =
          fmt::format("the model did not answer {} golden records in {}", records.size(), base::FormatDuration(time));
    }
    return std::unexpected(std::move(scored).error());
  }
  if (took != nullptr) {
    const Timings& spent = scores.timings;
    *took = std::chrono::nanoseconds(spent.validate + spent.features + spent.infer + spent.decode);
  }
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

/// Checks one record after the other against what is recorded.
class Checker {
 public:
  Checker(const Scorer& scorer, Workspace& workspace, std::span<const bundle::GoldenRecord> records,
          GoldenReport& report)
      : scorer_(scorer),
        workspace_(workspace),
        records_(records),
        report_(report),
        relaxed_(scorer.manifest().model.batching == bundle::Batching::kRelaxed),
        near_(records, report.tolerance) {}

  /// `together`: the record's answer in a batch.
  base::Result<void> Check(size_t index, const bundle::GoldenRecord& together) {
    const auto& record = records_[index];
    SLIPWAY_ASSIGN(const auto alone, Score(index));
    ++report_.checked;
    const bool steady = relaxed_ || alone == together;
    if (steady && alone == record) return {};
    bool near = false;
    if (steady && report_.tolerance > 0 && record.violations.empty() && alone.violations.empty()) {
      SLIPWAY_ASSIGN(near, IsNear(index, alone.prediction));
    }
    report_.near += near;
    if (near) return {};
    ++report_.mismatch_count;
    if (report_.mismatches.size() < kMismatchesKept) {
      const auto& got = alone == record || (!steady && report_.tolerance > 0) ? together : alone;
      report_.mismatches.push_back({static_cast<int64_t>(index), Shown(record), Shown(got)});
    }
    return {};
  }

  const NumberDifference& worst() const { return near_.worst(); }

 private:
  static constexpr size_t kMismatchesKept = 20;

  base::Result<bundle::GoldenRecord> Score(size_t index) {
    const std::string_view one[] = {records_[index].record};
    std::chrono::nanoseconds took{0};
    SLIPWAY_ASSIGN(auto made, Predict(scorer_, workspace_, one, &took));
    if (made[0].violations.empty()) {
      report_.fastest = report_.fastest.count() == 0 ? took : std::min(report_.fastest, took);
    }
    return std::move(made[0]);
  }

  base::Result<bool> IsNear(size_t index, const std::string& got) {
    const auto record = static_cast<int64_t>(index);
    if (near_.Near(record, got)) return true;
    std::vector<std::string> nudged;
    for (const double share : {report_.tolerance, -report_.tolerance}) {
      workspace_.NudgeOutputs(share);
      auto made = Score(index);
      workspace_.NudgeOutputs(0);
      SLIPWAY_TRY(made);
      nudged.push_back(std::move(made->prediction));
    }
    return near_.Near(record, got, nudged);
  }

  const Scorer& scorer_;
  Workspace& workspace_;
  std::span<const bundle::GoldenRecord> records_;
  GoldenReport& report_;
  bool relaxed_;
  NearPredictions near_;
};

}  // namespace

base::Result<bundle::GoldenSet> MakeGolden(const Scorer& scorer, std::span<const std::string> records) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  bundle::GoldenSet golden{.cpu = base::CpuKind(), .records = {}};
  for (const auto& record : records) {
    const std::string_view one[] = {record};
    SLIPWAY_ASSIGN(auto made, Predict(scorer, workspace, one));
    golden.records.push_back(std::move(made[0]));
  }
  return golden;
}

base::Result<GoldenReport> CheckGolden(const Scorer& scorer, const bundle::GoldenSet& golden, size_t most) {
  SLIPWAY_ASSIGN(auto workspace, scorer.NewWorkspace());
  const auto records = std::span(golden.records).first(std::min(most, golden.records.size()));
  GoldenReport report{.packed_on = golden.cpu, .checked_on = base::CpuKind()};
  const bool same_kind = report.packed_on.empty() || report.packed_on == report.checked_on;
  report.tolerance = same_kind ? 0 : scorer.manifest().golden_tolerance;
  std::vector<std::string_view> texts;
  for (const auto& record : records) texts.push_back(record.record);
  SLIPWAY_ASSIGN(const auto together, Predict(scorer, workspace, texts));
  Checker checker(scorer, workspace, records, report);
  for (size_t i = 0; i < records.size(); ++i) SLIPWAY_TRY(checker.Check(i, together[i]));
  report.worst = checker.worst();
  return report;
}

base::Value GoldenReport::ToValue() const {
  auto value = base::Value::Map().Set("checked", checked).Set("different", mismatch_count);
  if (!packed_on.empty()) value.Set("packed_on", packed_on);
  value.Set("cpu", checked_on).Set("tolerance", tolerance).Set("near", near);
  if (worst.record >= 0) {
    value.Set("worst", base::Value::Map()
                           .Set("record", worst.record)
                           .Set("field", worst.field)
                           .Set("expected", worst.expected)
                           .Set("got", worst.got)
                           .Set("share", worst.share));
  }
  return value;
}

std::string GoldenReport::HowCompared() const {
  if (tolerance == 0) return "bit for bit";
  std::string text = fmt::format("within {:g}, since they were made on {} and this is {}", tolerance,
                                 base::Shorten(packed_on), checked_on);
  if (near == 0) return text + "; all have the same bits";
  text += fmt::format("; {} differ in their last bits", near);
  if (worst.record >= 0) {
    text +=
        fmt::format(", at most by {:.2g} of the value: {} of record {} is {} instead of {}", worst.share,
                    base::Shorten(worst.field), worst.record, base::ToJson(worst.got), base::ToJson(worst.expected));
  }
  return text;
}

}  // namespace slipway::scoring

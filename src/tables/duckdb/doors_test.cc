// The Parquet door: the conversion table, through files that DuckDB writes.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <span>

#include "base/text.h"
#include "data/cell_cases.h"
#include "data/json_rows.h"
#include "tables/duckdb/session.h"
#include "tables/table_files.h"
#include "tables/table_files_fixture.h"

namespace slipway::tables::duckdb {
namespace {

using data::Cell;
using data::CellCase;
using data::ScalarType;

/// The SQL of a cell; empty when a Parquet column cannot hold it.
std::string Literal(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      return cell.boolean ? "true" : "false";
    case Cell::Kind::kInteger:
      return fmt::format("'{}'::BIGINT", cell.integer);
    case Cell::Kind::kUnsigned:
      return fmt::format("'{}'::UBIGINT", cell.unsigned_integer);
    case Cell::Kind::kNumber:
      return fmt::format("'{}'::DOUBLE", cell.number);
    case Cell::Kind::kText:
      return base::IsValidUtf8(cell.text) ? QuotedText(cell.text) : "";
    case Cell::Kind::kTimestamp:
      return fmt::format("make_timestamp({}::BIGINT)", cell.integer);
    default:
      return "{'a': 1}";
  }
}

std::vector<CellCase> CasesOf(Cell::Kind kind) {
  std::vector<CellCase> cases;
  const auto take = [&](std::span<const CellCase> all) {
    for (const auto& one : all) {
      if (one.direct && one.direct->kind == kind && !Literal(*one.direct).empty()) cases.push_back(one);
    }
  };
  take(data::cell_cases::kTyped);
  take(data::cell_cases::kTexts);
  take(data::cell_cases::kDirect);
  return cases;
}

class ParquetDoor : public TableTest, public ::testing::WithParamInterface<Cell::Kind> {
 protected:
  std::string Make(const std::vector<CellCase>& cases) {
    std::string values;
    for (const auto& one : cases) values += (values.empty() ? "(" : ", (") + Literal(*one.direct) + ")";
    const auto path = PathOf("t.parquet");
    const auto session = *Session::Open({.path = path});
    const auto made = session->Run(
        fmt::format("COPY (SELECT * FROM (VALUES {}) AS t(x)) TO {} (FORMAT parquet)", values, QuotedText(path)));
    EXPECT_TRUE(made.has_value()) << made.error().Text();
    return path;
  }

  static data::Decoded FromJson(const data::Layout& layout, std::string_view cell) {
    data::Decoded decoded(layout);
    data::JsonRowDecoder(layout).DecodeLine(fmt::format("{{\"x\": {}}}", cell), decoded);
    return decoded;
  }

  /// What a violation says, without its row.
  static std::string Words(const data::Decoded& rows, int64_t row) {
    std::string words;
    for (const auto& violation : rows.violations) {
      if (violation.row == row) words += base::ToJson(data::ToValue(violation)) + "\n";
    }
    return words;
  }
};

TEST_P(ParquetDoor, AnswersAsTheTableSays) {
  const auto cases = CasesOf(GetParam());
  ASSERT_FALSE(cases.empty());
  const auto path = Make(cases);
  for (const ScalarType type : data::kScalarTypes) {
    const data::Layout layout({Field("x", type)});
    const auto source = *OpenSource(path, layout);
    data::Decoded rows(layout);
    ASSERT_TRUE(*source->Next(rows, 10000));
    ASSERT_EQ(rows.table.rows, static_cast<int64_t>(cases.size()));
    for (size_t i = 0; i < cases.size(); ++i) {
      EXPECT_EQ(OutcomeOf(rows, static_cast<int64_t>(i)), ExpectedFor(cases[i], type))
          << Literal(*cases[i].direct) << " as " << data::ScalarTypeName(type);
    }
  }
}

TEST_P(ParquetDoor, SaysTheSameAsJson) {
  auto cases = CasesOf(GetParam());
  std::erase_if(cases, [](const CellCase& one) { return one.json.empty() || one.json == "{}"; });
  const auto path = cases.empty() ? std::string() : Make(cases);
  for (const ScalarType type : data::kScalarTypes) {
    const data::Layout layout({Field("x", type)});
    if (cases.empty()) continue;
    const auto source = *OpenSource(path, layout);
    data::Decoded rows(layout);
    ASSERT_TRUE(*source->Next(rows, 10000));
    for (size_t i = 0; i < cases.size(); ++i) {
      EXPECT_EQ(Words(rows, static_cast<int64_t>(i)), Words(FromJson(layout, cases[i].json), 0)) << cases[i].json;
    }
  }
}

std::string KindOf(const ::testing::TestParamInfo<Cell::Kind>& kind) {
  constexpr const char* kNames[] = {"Boolean", "Integer", "Unsigned", "Number", "Text", "Lexeme", "Timestamp", "Other"};
  return kNames[static_cast<size_t>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, ParquetDoor,
                         ::testing::Values(Cell::Kind::kBoolean, Cell::Kind::kInteger, Cell::Kind::kUnsigned,
                                           Cell::Kind::kNumber, Cell::Kind::kText, Cell::Kind::kTimestamp,
                                           Cell::Kind::kOther),
                         KindOf);

}  // namespace
}  // namespace slipway::tables::duckdb

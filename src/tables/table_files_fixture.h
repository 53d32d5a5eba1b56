#pragma once
// What the tests of this room share: a folder, files in it, and rows read back as text.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/json_rows.h"
#include "tables/table_files.h"

namespace slipway::tables {

class TableTest : public ::testing::Test {
 protected:
  std::string PathOf(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string Store(const std::string& name, std::string_view bytes) const {
    EXPECT_TRUE(base::WriteFileAtomically(PathOf(name), bytes).has_value());
    return PathOf(name);
  }

  std::string Content(const std::string& name) const { return base::ReadFile(PathOf(name)).value_or("no such file"); }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    return names;
  }

  static data::Field Field(const std::string& name, data::ScalarType type, std::vector<int64_t> shape = {}) {
    data::Field field;
    field.name = name;
    field.type = {type, std::move(shape)};
    return field;
  }

  /// Every row as a line of JSON; broken rows as their first violation's code.
  static std::string ReadAll(RowSource& source, const data::Layout& layout, int64_t batch = 1000) {
    const data::JsonRowEncoder encoder(layout.fields());
    data::Decoded rows(layout);
    std::string text;
    while (true) {
      const auto more = source.Next(rows, batch);
      if (!more) return text + more.error().reason + ": " + more.error().Text();
      EXPECT_LE(rows.table.rows, batch);
      if (!*more) return text;
      size_t violation = 0;
      for (int64_t row = 0; row < rows.table.rows; ++row) {
        if (violation < rows.violations.size() && rows.violations[violation].row == row) {
          text += data::ViolationCodeName(rows.violations[violation].code);
          while (violation < rows.violations.size() && rows.violations[violation].row == row) ++violation;
        } else {
          encoder.AppendRow(rows.table, row, text);
        }
        text += '\n';
      }
    }
  }

  static std::string ReadFileAs(const std::string& path, const data::Layout& layout, int64_t batch = 1000,
                                const TableOptions& options = {}) {
    const auto source = OpenSource(path, layout, options);
    if (!source) return source.error().reason + ": " + source.error().Text();
    return ReadAll(**source, layout, batch);
  }

 private:
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
};

}  // namespace slipway::tables

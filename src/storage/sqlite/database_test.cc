#include "storage/sqlite/database.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/files.h"

namespace slipway::storage::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr DatabaseOptions kOptions{.schema =
                                       "CREATE TABLE runs (id INTEGER PRIMARY KEY, job TEXT UNIQUE, share REAL);"
                                       "CREATE TABLE jobs (name TEXT)",
                                   .version = 3};

class DatabaseTest : public ::testing::Test {
 protected:
  base::Result<Database> Open(const DatabaseOptions& options = kOptions) { return Database::Open(path_, options); }
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  std::filesystem::path path_ = folder_.path() / "runs.sqlite";
};

TEST_F(DatabaseTest, KeepsWhatWasWritten) {
  {
    auto database = Open();
    ASSERT_TRUE(database) << database.error().Text();
    ASSERT_TRUE(database->Run("INSERT INTO runs (job, share) VALUES (?, ?)", {"night's \"one\"", 0.5}));
    EXPECT_EQ(database->last_id(), 1);
    ASSERT_TRUE(database->Run("INSERT INTO runs (job) VALUES (?)", {std::string("two\0parts", 9)}));
  }
  const auto rows = Open()->Query("SELECT id, job, share FROM runs ORDER BY id");
  ASSERT_TRUE(rows) << rows.error().Text();
  EXPECT_THAT(*rows, ElementsAre(Row{int64_t{1}, "night's \"one\"", 0.5},
                                 Row{int64_t{2}, std::string("two\0parts", 9), std::monostate()}));
}

TEST_F(DatabaseTest, TakesBackAllOfATransactionThatFails) {
  auto database = Open();
  const auto done = database->Transaction([&]() -> base::Result<void> {
    SLIPWAY_TRY(database->Run("INSERT INTO runs (job) VALUES ('a')"));
    return database->Run("INSERT INTO runs (job) VALUES ('a')");
  });
  EXPECT_EQ(done.error().reason, "sqlite.statement");
  EXPECT_THAT(done.error().message, HasSubstr("UNIQUE"));
  EXPECT_TRUE(database->Query("SELECT * FROM runs")->empty());
  EXPECT_TRUE(database->Run("INSERT INTO runs (job) VALUES ('a')"));
}

TEST_F(DatabaseTest, CanBeReadWhileItIsOpenElsewhere) {
  auto writer = Open();
  ASSERT_TRUE(writer->Run("INSERT INTO runs (job) VALUES ('a')"));
  DatabaseOptions options = kOptions;
  options.read_only = true;
  auto reader = Open(options);
  ASSERT_TRUE(reader) << reader.error().Text();
  EXPECT_EQ(reader->Query("SELECT * FROM runs")->size(), 1u);
  EXPECT_FALSE(reader->Run("INSERT INTO runs (job) VALUES ('b')"));
}

TEST_F(DatabaseTest, RefusesTablesOfAnotherRelease) {
  ASSERT_TRUE(Open());
  DatabaseOptions options = kOptions;
  options.version = 4;
  EXPECT_EQ(Open(options).error().reason, "sqlite.version");
}

TEST_F(DatabaseTest, TellsAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(Open().error().reason, "sqlite.damaged");
}

TEST_F(DatabaseTest, TellsAFolderThatIsNotThere) {
  path_ = folder_.path() / "none" / "runs.sqlite";
  EXPECT_EQ(Open().error().reason, "sqlite.unavailable");
  EXPECT_EQ(Open({.schema = "", .version = 3, .read_only = true}).error().reason, "sqlite.missing");
}

}  // namespace
}  // namespace slipway::storage::sqlite

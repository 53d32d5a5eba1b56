#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  fs::path At(std::string_view name) const { return folder_.path() / name; }
  size_t Entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {})); }

  TemporaryFolder folder_ = TemporaryFolder::Create().value();
};

TEST_F(FilesTest, ReadsWhatWasWritten) {
  const std::string bytes = std::string("a\0b", 3) + std::string(200'000, 'x');
  ASSERT_TRUE(WriteFileAtomically(At("f"), bytes));
  EXPECT_EQ(ReadFile(At("f")), bytes);
  EXPECT_EQ(Entries(), 1u) << "nothing is left beside the file";
}

TEST_F(FilesTest, ReplacesAFileAndKeepsItsMode) {
  ASSERT_TRUE(WriteFileAtomically(At("f"), "old"));
  fs::permissions(At("f"), fs::perms::owner_read | fs::perms::owner_write | fs::perms::owner_exec);
  ASSERT_TRUE(WriteFileAtomically(At("f"), "new"));
  EXPECT_EQ(ReadFile(At("f")), "new");
  EXPECT_EQ(fs::status(At("f")).permissions(), fs::perms::owner_all);
}

TEST_F(FilesTest, WritesThroughASymbolicLink) {
  ASSERT_TRUE(WriteFileAtomically(At("f"), "old"));
  fs::create_symlink(At("f"), At("link"));
  ASSERT_TRUE(WriteFileAtomically(At("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(At("link")));
  EXPECT_EQ(ReadFile(At("f")), "new");
}

TEST_F(FilesTest, NeverReplacesADevice) {
  ASSERT_TRUE(WriteFileAtomically("/dev/null", "gone"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(FilesTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(ReadFile(At("none")).error().reason, "file.missing");
  EXPECT_EQ(ReadFile(folder_.path()).error().reason, "file.not_regular");
  EXPECT_EQ(ReadFile(At("none")).error().where, At("none").string());
}

TEST_F(FilesTest, DoesNotWaitForAPipe) {
  ASSERT_EQ(::mkfifo(At("pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadFile(At("pipe")).error().reason, "file.not_regular");
}

TEST_F(FilesTest, RefusesFilesPastTheLimit) {
  ASSERT_TRUE(WriteFileAtomically(At("f"), "12345"));
  EXPECT_EQ(ReadFile(At("f"), 5), "12345");
  EXPECT_EQ(ReadFile(At("f"), 4).error().reason, "file.too_large");
  EXPECT_EQ(ReadFile("/proc/self/status", 4).error().reason, "file.too_large") << "also when the size says 0";
}

TEST_F(FilesTest, SaysWhyAFileCannotBeWritten) {
  EXPECT_EQ(WriteFileAtomically(At("none/f"), "x").error().reason, "file.write");
  EXPECT_EQ(WriteFileAtomically(folder_.path(), "x").error().reason, "file.write");
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(FilesTest, ReportsAFullDisk) {
  const auto result = WriteFileAtomically("/dev/full", "x");
  EXPECT_THAT(result.error().message, testing::HasSubstr("No space left"));
}

TEST(TemporaryFolderTest, GoesWithItsContents) {
  fs::path path;
  {
    TemporaryFolder folder = TemporaryFolder::Create().value();
    path = folder.path();
    std::ofstream(path / "f") << "x";
    TemporaryFolder moved = std::move(folder);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace slipway::base

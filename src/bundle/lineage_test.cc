#include "bundle/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "bundle/command.h"

namespace slipway::bundle {
namespace {

using base::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class GitFolder : public testing::Test {
 protected:
  void Git(std::vector<std::string> arguments) {
    std::vector<std::string> command = {"git",         "-C", folder_.path().string(), "-c",
                                        "user.name=t", "-c", "user.email=t@t"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    ASSERT_TRUE(RunCommand(command, {.without_environment = "GIT_"}).has_value());
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() / name) << text; }
  void Commit() {
    Git({"init", "-q", "-b", "trunk"});
    Write("train.py", "1");
    Git({"add", "train.py"});
    Git({"commit", "-q", "-m", "first"});
  }
  Value Lineage() { return CollectGitLineage(folder_.path()); }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
};

TEST_F(GitFolder, TellsCommitAndBranch) {
  Commit();
  EXPECT_EQ(Lineage().Find("commit")->string().size(), 40u);
  EXPECT_EQ(*Lineage().Find("dirty"), Value(false));
  EXPECT_EQ(*Lineage().Find("branch"), Value("trunk"));
  EXPECT_TRUE(Lineage().Find("repository")->is_null());
}

TEST_F(GitFolder, IsDirtyWhenATrackedFileChanged) {
  Commit();
  Write("new.txt", "untracked files do not count");
  EXPECT_EQ(*Lineage().Find("dirty"), Value(false));
  Write("train.py", "2");
  EXPECT_EQ(*Lineage().Find("dirty"), Value(true));
}

TEST_F(GitFolder, TellsTheRemoteWithoutCredentials) {
  Commit();
  Git({"remote", "add", "origin", "https://user:secret@example.org/team/models.git"});
  EXPECT_EQ(*Lineage().Find("repository"), Value("https://example.org/team/models.git"));
}

TEST_F(GitFolder, IsNullWithoutRepositoryOrCommit) {
  EXPECT_TRUE(Lineage().is_null());
  Git({"init", "-q"});
  EXPECT_TRUE(Lineage().is_null());
  EXPECT_TRUE(CollectGitLineage("/nowhere/at/all").is_null());
}

TEST_F(GitFolder, RunsNoProgramOfTheRepository) {
  Commit();
  Git({"config", "core.fsmonitor", "touch " + (folder_.path() / "ran").string()});
  EXPECT_EQ(*Lineage().Find("dirty"), Value(false));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "ran"));
}

TEST(PublicRemote, DropsWhatIsPrivate) {
  EXPECT_EQ(PublicRemote("https://token@example.org/a?x=1#y"), "https://example.org/a");
  EXPECT_EQ(PublicRemote("https://a:b@c@example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(PublicRemote("ssh://git@example.org:22/a"), "ssh://example.org:22/a");
  EXPECT_EQ(PublicRemote("git@example.org:team/models.git"), "example.org:team/models.git");
  EXPECT_EQ(PublicRemote("/srv/git/models"), std::nullopt);
  EXPECT_EQ(PublicRemote("../models"), std::nullopt);
  EXPECT_EQ(PublicRemote("./a:b"), std::nullopt);
  EXPECT_EQ(PublicRemote("file:///srv/git"), std::nullopt);
  EXPECT_EQ(PublicRemote(""), std::nullopt);
}

TEST(RunCommand, IsBoundedInTime) {
  const auto begin = steady_clock::now();
  EXPECT_EQ(RunCommand({"sleep", "30"}, {.patience = milliseconds(50)}), std::nullopt);
  EXPECT_EQ(RunCommand({"sh", "-c", "exec >&-; sleep 30"}, {.patience = milliseconds(50)}), std::nullopt);
  EXPECT_LT(steady_clock::now() - begin, seconds(10));
}

TEST(RunCommand, IsBoundedInOutput) {
  EXPECT_EQ(RunCommand({"yes"}, {.output_bytes = 5}).value(), "y\ny\ny");
}

TEST(RunCommand, IsNothingWhenTheProgramFailsOrIsMissing) {
  EXPECT_EQ(RunCommand({"false"}, {}), std::nullopt);
  EXPECT_EQ(RunCommand({"slipway-no-such-program"}, {}), std::nullopt);
  EXPECT_EQ(RunCommand({}, {}), std::nullopt);
}

TEST(DataFile, IsDescribedByDigestSizeAndRows) {
  const auto folder = base::TemporaryFolder::Create().value();
  std::ofstream(folder.path() / "train.csv") << "abc";
  EXPECT_EQ(
      ToJson(DescribeDataFile(folder.path() / "train.csv", 7).value()),
      R"({"file":"train.csv","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3,"rows":7})");
  EXPECT_EQ(DescribeDataFile(folder.path() / "none", {}).error().reason, "file.missing");
  EXPECT_EQ(DescribeDataFile(folder.path(), {}).error().reason, "file.not_regular");
}

TEST(MergeLineage, LaysWhatWasFoundOverWhatWasWritten) {
  const auto parse = [](const char* text) { return base::ParseJson(text).value(); };
  const Value merged = MergeLineage(parse(R"({"code":{"commit":"old","note":1},"data":[1],"parameters":{"a":1}})"),
                                    parse(R"({"code":{"commit":"new"},"data":[1,2],"tools":{"slipway":"0.1.0"}})"));
  EXPECT_EQ(ToJson(merged),
            R"({"code":{"commit":"new","note":1},"data":[1,2],"parameters":{"a":1},"tools":{"slipway":"0.1.0"}})");
  EXPECT_EQ(ToJson(MergeLineage(Value(), parse("{}"))), "{}");
  EXPECT_EQ(ToJson(MergeLineage(parse("{\"a\":1}"), Value())), "{\"a\":1}");
}

}  // namespace
}  // namespace slipway::bundle

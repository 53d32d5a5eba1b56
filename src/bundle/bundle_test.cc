#include "bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "base/files.h"
#include "bundle/archive/archive.h"

namespace slipway::bundle {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using Files = std::map<std::string, std::string>;

const std::string kManifest = "slipway: 1\nname: iris\nversion: 1.0.0\n";
const std::string kLookupManifest = kManifest +
                                    "inputs: {origin: {type: string}}\n"
                                    "features: [{as: rate, lookup: origin, file: tables/rates.csv}]\n";

Files SmallBundle() {
  return {{"slipway.yaml", kManifest}, {"model.onnx", "onnx bytes"}, {"golden.jsonl", ""}, {"weights/part.bin", "w"}};
}

class BundleTest : public testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return folder_.path() / name; }
  fs::path WriteFolder(const Files& files) {
    const fs::path root = Path("bundle");
    for (const auto& [name, bytes] : files) {
      fs::create_directories((root / name).parent_path());
      std::ofstream(root / name, std::ios::binary) << bytes;
    }
    return root;
  }
  fs::path Pack(const Files& files, const std::string& name = "a.slipway") {
    auto digest = WriteArchive(Path(name), files);
    EXPECT_TRUE(digest.has_value()) << digest.error().Text();
    return Path(name);
  }
  static Bundle Opened(const fs::path& path) {
    auto bundle = Bundle::Open(path);
    EXPECT_TRUE(bundle.has_value()) << bundle.error().Text();
    return *bundle;
  }
  static base::Error ErrorOf(const fs::path& path) {
    auto bundle = Bundle::Open(path);
    EXPECT_FALSE(bundle.has_value());
    return bundle ? base::Error{} : bundle.error();
  }
  /// Rewrites an archive without telling its digests.json.
  fs::path Tampered(Files files, const std::string& digests_of_a = "a.slipway") {
    const auto packed = ReadArchive(Path(digests_of_a), {}).value();
    std::map<std::string, std::string_view> entries(files.begin(), files.end());
    entries["digests.json"] = packed.at("digests.json");
    std::ofstream(Path("tampered.slipway"), std::ios::binary) << BuildArchive(entries).value();
    return Path("tampered.slipway");
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
};

TEST_F(BundleTest, ArchiveGivesBackEveryFile) {
  const Bundle bundle = Opened(Pack(SmallBundle()));
  EXPECT_TRUE(bundle.is_archive());
  EXPECT_EQ(bundle.manifest().name, "iris");
  EXPECT_TRUE(bundle.fitted().is_null());
  EXPECT_THAT(bundle.Files(), ElementsAre("golden.jsonl", "model.onnx", "slipway.yaml", "weights/part.bin"));
  EXPECT_EQ(bundle.Read("model.onnx").value(), "onnx bytes");
  EXPECT_EQ(bundle.Read("golden.jsonl").value(), "");
  EXPECT_TRUE(bundle.Has("weights/part.bin"));
  EXPECT_FALSE(bundle.Has("other"));
  EXPECT_EQ(bundle.Read("other").error().reason, "bundle.missing_file");
  EXPECT_EQ(bundle.PathOf("model.onnx"), fs::path());
}

TEST_F(BundleTest, CopiesShareTheBytes) {
  const std::vector<Bundle> copies(2, Opened(Pack(SmallBundle())));
  EXPECT_EQ(copies[0].Read("model.onnx")->data(), copies[1].Read("model.onnx")->data());
}

std::string ReadAll(const fs::path& path) {
  return base::ReadFile(path).value();
}

TEST_F(BundleTest, OpensFilesThatLieInMemory) {
  const Files files = {{"slipway.yaml", kLookupManifest},
                       {"tables/rates.csv", "key,value\nJFK,0.5\n"},
                       {"fitted.json", "{\"a\":1}"},
                       {"golden.jsonl", ""},
                       {"weights.bin", "w"}};
  const auto folder = Opened(WriteFolder(files));

  const auto lent = Bundle::OfFiles({files.begin(), files.end()});

  ASSERT_TRUE(lent) << lent.error().Text();
  EXPECT_EQ(lent->Files(), folder.Files());
  EXPECT_EQ(lent->Digest().value(), folder.Digest().value());
  EXPECT_EQ(lent->Read("weights.bin").value_or(""), "w");
  EXPECT_EQ(lent->Read("other").error().reason, "bundle.missing_file");
  EXPECT_EQ(base::ToJson(lent->fitted()), base::ToJson(folder.fitted()));
}

TEST_F(BundleTest, FilesInMemoryAreCheckedForForm) {
  const auto without = Bundle::OfFiles({{"model.onnx", "bytes"}});
  const auto lacking = Bundle::OfFiles({{"slipway.yaml", kLookupManifest}});

  ASSERT_FALSE(without || lacking);
  EXPECT_EQ(without.error().reason, "bundle.no_manifest");
  EXPECT_EQ(lacking.error().reason, "bundle.missing_file");
}

TEST_F(BundleTest, SameFilesGiveTheSameBytes) {
  Files files = SmallBundle();
  files[std::string(120, 'n') + "/" + std::string(120, 'm')] = "a name too long for the plain header";
  const fs::path first = Pack(files, "a.slipway");
  const fs::path second = Pack(files, "b.slipway");
  EXPECT_EQ(ReadAll(first), ReadAll(second));
  EXPECT_EQ(Opened(first).Files().size(), 5u);
}

TEST_F(BundleTest, IdentityIsThatOfSha256sum) {
  const auto digest = WriteArchive(Path("a.slipway"), {{"slipway.yaml", kManifest}, {"model.onnx", "x"}});
  const std::string listing = Sha256Hex("x") + "  model.onnx\n" + Sha256Hex(kManifest) + "  slipway.yaml\n";
  EXPECT_EQ(digest.value(), "sha256:" + Sha256Hex(listing));
  EXPECT_EQ(Opened(Path("a.slipway")).Digest().value(), *digest);
}

TEST_F(BundleTest, KnownDigest) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(BundleTest, FolderAndItsArchiveHaveOneIdentity) {
  Files files = {{"slipway.yaml", kLookupManifest},
                 {"model.onnx", "x"},
                 {"tables/rates.csv", "key,value\nJFK,1\n"},
                 {"fitted.json", "{}"},
                 {"lineage.json", "{}"},
                 {"baseline.json", "{}"},
                 {"golden.jsonl", ""}};
  EXPECT_EQ(Opened(WriteFolder(files)).Digest().value(), Opened(Pack(files)).Digest().value());
}

TEST_F(BundleTest, PackingAgainReplacesDigests) {
  Files files = SmallBundle();
  files["digests.json"] = "stale";
  EXPECT_EQ(Opened(Pack(files)).Digest().value(), Opened(Pack(SmallBundle(), "b.slipway")).Digest().value());
}

TEST_F(BundleTest, NamesAlteredMissingAndExtraFiles) {
  Pack(SmallBundle());
  Files altered = SmallBundle();
  altered["model.onnx"] = "onnx byteS";
  const base::Error error = ErrorOf(Tampered(altered));
  EXPECT_EQ(error.reason, "bundle.digest_mismatch");
  EXPECT_THAT(error.message, HasSubstr("\"model.onnx\" has SHA-256"));
  altered["model.onnx"] = "longer than before";
  EXPECT_THAT(ErrorOf(Tampered(altered)).message, HasSubstr("\"model.onnx\" has 18 bytes"));
  altered = SmallBundle();
  altered.erase("weights/part.bin");
  EXPECT_THAT(ErrorOf(Tampered(altered)).message, HasSubstr("\"weights/part.bin\" of digests.json is missing"));
  altered = SmallBundle();
  altered["extra"] = "";
  EXPECT_THAT(ErrorOf(Tampered(altered)).message, HasSubstr("\"extra\" is not in digests.json"));
}

TEST_F(BundleTest, RefusesToPackWhatItWouldNotOpen) {
  const auto reason = [&](const Files& files) { return WriteArchive(Path("x"), files).error().reason; };
  EXPECT_EQ(reason({{"model.onnx", ""}}), "bundle.no_manifest");
  EXPECT_EQ(reason({{"slipway.yaml", ""}, {"../x", ""}}), "bundle.file_name");
  EXPECT_EQ(reason({{"slipway.yaml", ""}, {"a", ""}, {"A", ""}}), "bundle.duplicate_name");
  EXPECT_EQ(reason({{"slipway.yaml", std::string((1 << 20) + 1, '#')}}), "bundle.limit");
  EXPECT_EQ(reason({{"slipway.yaml", ""}, {"a", std::string(size_t{32} << 20, '\0')}}), "bundle.limit");
  EXPECT_FALSE(fs::exists(Path("x")));
}

TEST_F(BundleTest, TakesLargeFilesThatCompressLittle) {
  std::string noise(size_t{20} << 20, '\0');
  std::mt19937_64 random(1);
  for (size_t i = 0; i + 8 <= noise.size(); i += 16) reinterpret_cast<uint64_t&>(noise[i]) = random();
  const Bundle bundle = Opened(Pack({{"slipway.yaml", kManifest}, {"model.onnx", noise}}));
  EXPECT_TRUE(bundle.Read("model.onnx").value() == noise);
}

TEST_F(BundleTest, FolderHoldsWhatTheManifestRefersTo) {
  const Bundle bundle = Opened(WriteFolder({{"slipway.yaml", kLookupManifest + "files: [notes.md]\n"},
                                            {"tables/rates.csv", "key,value\n"},
                                            {"notes.md", "n"},
                                            {".git/config", "c"},
                                            {"train.csv", "t"},
                                            {"golden.jsonl", "g"}}));
  EXPECT_FALSE(bundle.is_archive());
  EXPECT_THAT(bundle.Files(), ElementsAre("golden.jsonl", "notes.md", "slipway.yaml", "tables/rates.csv"));
  EXPECT_EQ(bundle.Read("notes.md").value(), "n");
  EXPECT_EQ(bundle.PathOf("notes.md"), fs::canonical(Path("bundle")) / "notes.md");
}

TEST_F(BundleTest, FolderReadsFurtherFilesInsideOnly) {
  const Bundle bundle = Opened(WriteFolder({{"slipway.yaml", kManifest}, {"external.data", "e"}}));
  std::ofstream(Path("secret")) << "s";
  fs::create_symlink(Path("secret"), Path("bundle/escape"));
  fs::create_symlink("external.data", Path("bundle/inside"));
  fs::create_directory_symlink("..", Path("bundle/up"));
  mkfifo(Path("bundle/pipe").c_str(), 0600);
  EXPECT_EQ(bundle.Read("external.data").value(), "e");
  EXPECT_EQ(bundle.Read("inside").value(), "e");
  EXPECT_EQ(bundle.Read("../secret").error().reason, "bundle.file_name");
  EXPECT_THAT(bundle.Read("escape").error().message, HasSubstr("leaves the bundle's folder"));
  EXPECT_THAT(bundle.Read("up/secret").error().message, HasSubstr("leaves the bundle's folder"));
  EXPECT_THAT(bundle.Read("pipe").error().message, HasSubstr("no regular file"));
  EXPECT_EQ(bundle.Read("bundle").error().reason, "bundle.missing_file");
  EXPECT_EQ(bundle.PathOf("../secret"), fs::path());
}

TEST_F(BundleTest, FolderRefusesAModelThatIsALinkOutwards) {
  const fs::path root = WriteFolder({{"slipway.yaml", kManifest + "files: [leak]\n"}});
  fs::create_symlink("/etc/hostname", root / "leak");
  const base::Error error = ErrorOf(root);
  EXPECT_EQ(error.reason, "bundle.file_kind");
  EXPECT_EQ(error.where, "slipway.yaml:4:9");
}

TEST_F(BundleTest, UnpackedArchiveKeepsItsIdentity) {
  const fs::path archive = Pack(SmallBundle());
  const fs::path root = WriteFolder(ReadArchive(archive, {}).value());
  EXPECT_EQ(Opened(root).Digest().value(), Opened(archive).Digest().value());
}

TEST_F(BundleTest, FolderDigestFollowsTheFiles) {
  const fs::path root = WriteFolder(SmallBundle());
  const Bundle bundle = Opened(root);
  const std::string before = bundle.Digest().value();
  std::ofstream(root / "model.onnx") << "other";
  EXPECT_NE(bundle.Digest().value(), before);
}

TEST_F(BundleTest, LookupStepsGetTheirTable) {
  const Bundle bundle =
      Opened(WriteFolder({{"slipway.yaml", kLookupManifest}, {"tables/rates.csv", "key,value\nJFK,0.5\nLGA,1\n"}}));
  const base::Value* table = bundle.manifest().features[0].written.Find("table");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(ToJson(*table), R"({"JFK":0.5,"LGA":1.0})");
}

TEST_F(BundleTest, PointsAtALookupFileThatIsMissingOrMalformed) {
  const fs::path root = WriteFolder({{"slipway.yaml", kLookupManifest}});
  EXPECT_EQ(ErrorOf(root).where, "slipway.yaml:5:39");
  EXPECT_EQ(ErrorOf(root).reason, "bundle.missing_file");
  WriteFolder({{"tables/rates.csv", "key,value\nJFK\n"}});
  EXPECT_EQ(ErrorOf(root).where, "tables/rates.csv:2");
}

TEST_F(BundleTest, ReadsWhatFitLearned) {
  const Bundle bundle = Opened(WriteFolder({{"slipway.yaml", kManifest}, {"fitted.json", R"({"a":{"mean":1.5}})"}}));
  EXPECT_EQ(bundle.fitted().Find("a")->Find("mean")->number(), 1.5);
}

TEST_F(BundleTest, SaysWhatToGiveInstead) {
  const fs::path root = WriteFolder({{"slipway.yaml", kManifest}});
  EXPECT_EQ(ErrorOf(Path("nowhere")).reason, "bundle.missing");
  EXPECT_THAT(ErrorOf(root / "slipway.yaml").message, HasSubstr("give the folder"));
  fs::create_directory(Path("empty"));
  EXPECT_THAT(ErrorOf(Path("empty")).message, HasSubstr("slipway init"));
  EXPECT_EQ(ErrorOf("/dev/null").reason, "bundle.not_an_archive");
}

TEST_F(BundleTest, ManifestLimitHoldsForFolders) {
  EXPECT_EQ(ErrorOf(WriteFolder({{"slipway.yaml", std::string((1 << 20) + 1, '#')}})).reason, "bundle.limit");
}

}  // namespace
}  // namespace slipway::bundle

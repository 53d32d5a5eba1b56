// Archives that somebody made by hand to do harm, byte by byte: each ends in an error that names the fault.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "base/files.h"
#include "bundle/bundle.h"

namespace slipway::bundle {
namespace {

using testing::HasSubstr;

constexpr std::string_view kManifest = "slipway: 1\nname: iris\nversion: 1.0.0\n";

struct Entry {
  std::string name;
  std::string bytes;
  char type = '0';
  std::string link = "";
  std::string size = "";  ///< the size field as written; empty: the true one
};

std::string Octal(uint64_t value) {
  std::array<char, 13> text{};
  std::snprintf(text.data(), text.size(), "%011llo", static_cast<unsigned long long>(value));
  return std::string(text.data(), 12);
}

/// One ustar header and its data.
std::string Tar(const Entry& entry) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, std::string_view text) { std::memcpy(&header[at], text.data(), text.size()); };
  put(0, std::string_view(entry.name).substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, entry.size.empty() ? Octal(entry.bytes.size()) : entry.size);
  put(136, Octal(0));
  put(148, "        ");
  header[156] = entry.type;
  put(157, std::string_view(entry.link).substr(0, 100));
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, Octal(sum).substr(5, 6) + '\0');
  std::string padded = entry.bytes;
  padded.resize((padded.size() + 511) / 512 * 512);
  return header + padded;
}

std::string Compress(const std::string& bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1));
  return packed;
}

std::string Pack(const std::vector<Entry>& entries) {
  std::string tar;
  for (const Entry& entry : entries) tar += Tar(entry);
  return Compress(tar + std::string(1024, '\0'));
}

const Entry kGoodManifest{"slipway.yaml", std::string(kManifest)};

/// A pax record: "LENGTH key=value\n", the length counting itself.
std::string PaxRecord(const std::string& key, const std::string& value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

class HostileArchive : public testing::Test {
 protected:
  base::Error Open(const std::string& bytes, const OpenLimits& limits = {}) {
    const auto path = folder_.path() / "x.slipway";
    std::ofstream(path, std::ios::binary) << bytes;
    auto bundle = Bundle::Open(path, limits);
    EXPECT_FALSE(bundle.has_value());
    return bundle ? base::Error{} : bundle.error();
  }
  /// `error` has this reason, and its message this text.
  static void Expect(const base::Error& error, std::string_view reason, const std::string& text) {
    EXPECT_EQ(error.reason, reason) << error.Text();
    EXPECT_THAT(error.message, HasSubstr(text));
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
};

struct BadName {
  const char* name;
  const char* fault;
};
class HostileName : public HostileArchive, public testing::WithParamInterface<BadName> {};
TEST_P(HostileName, IsRefused) {
  Expect(Open(Pack({kGoodManifest, {GetParam().name, "x"}})), "bundle.file_name", GetParam().fault);
}
INSTANTIATE_TEST_SUITE_P(All, HostileName,
                         testing::Values(BadName{"../evil", "stay inside"}, BadName{"a/../../evil", "stay inside"},
                                         BadName{"/etc/passwd", "absolute"}, BadName{"./a", "stay inside"},
                                         BadName{"a//b", "empty"}, BadName{"a/.", "stay inside"},
                                         BadName{"a\\b", "printable ASCII"}, BadName{"C:x", "printable ASCII"},
                                         BadName{"a\nb", "printable ASCII"}, BadName{"a\x1b[2J", "printable ASCII"},
                                         BadName{"a\x7f", "printable ASCII"}, BadName{"a ", "space"},
                                         BadName{"a.", "dot"}, BadName{"", "empty"}));

TEST_F(HostileArchive, RefusesNamesOutsideAscii) {
  EXPECT_THAT(Open(Pack({kGoodManifest, {"mod\xC3\xA8le", "x"}})).reason, HasSubstr("bundle."));
  EXPECT_THAT(Open(Pack({kGoodManifest, {"mod\xFFle", "x"}})).reason, HasSubstr("bundle."));
}

struct BadKind {
  char type;
  const char* link;
  const char* fault;
};
class HostileKind : public HostileArchive, public testing::WithParamInterface<BadKind> {};
TEST_P(HostileKind, IsRefused) {
  Expect(Open(Pack({kGoodManifest, {"x", "", GetParam().type, GetParam().link}})), "bundle.file_kind",
         GetParam().fault);
}
INSTANTIATE_TEST_SUITE_P(All, HostileKind,
                         testing::Values(BadKind{'2', "/etc/passwd", "a symbolic link, \"x\""},
                                         BadKind{'2', "slipway.yaml", "a symbolic link"},
                                         BadKind{'1', "slipway.yaml", "a hard link"},
                                         BadKind{'1', "/etc/passwd", "a hard link"}, BadKind{'3', "", "a device"},
                                         BadKind{'4', "", "a device"}, BadKind{'5', "", "a folder"},
                                         BadKind{'6', "", "a pipe"}));

TEST_F(HostileArchive, RefusesFoldersByTrailingSlash) {
  EXPECT_EQ(Open(Pack({kGoodManifest, {"x/", ""}})).reason, "bundle.file_kind");
}

TEST_F(HostileArchive, RefusesDuplicateNames) {
  Expect(Open(Pack({kGoodManifest, {"a", "1"}, {"a", "2"}})), "bundle.duplicate_name",
         "the same name: \"a\" and \"a\"");
  Expect(Open(Pack({kGoodManifest, {"Model", "1"}, {"model", "2"}})), "bundle.duplicate_name", "only in case");
  Expect(Open(Pack({kGoodManifest, {"a", "1"}, {"a/b", "2"}})), "bundle.duplicate_name", "file and as folder");
  Expect(Open(Pack({kGoodManifest, {"a/b", "1"}, {"A", "2"}})), "bundle.duplicate_name", "file and as folder");
}

TEST_F(HostileArchive, RefusesANameThatPaxReplaces) {
  const Entry pax{"pax", PaxRecord("path", "../evil"), 'x'};
  Expect(Open(Pack({kGoodManifest, pax, {"innocent", "x"}})), "bundle.file_name", "stay inside");
  const Entry gnu{"././@LongLink", std::string("/etc/passwd\0", 12), 'L'};
  Expect(Open(Pack({kGoodManifest, gnu, {"innocent", "x"}})), "bundle.file_name", "absolute");
}

TEST_F(HostileArchive, RefusesALinkThatPaxDeclares) {
  const Entry pax{"pax", PaxRecord("linkpath", "/etc/passwd"), 'x'};
  Expect(Open(Pack({kGoodManifest, pax, {"x", "", '2', "a"}})), "bundle.file_kind", "a symbolic link");
}

TEST_F(HostileArchive, RefusesSparseFiles) {
  const std::string map = PaxRecord("GNU.sparse.major", "0") + PaxRecord("GNU.sparse.minor", "1") +
                          PaxRecord("GNU.sparse.name", "big") + PaxRecord("GNU.sparse.size", "1000000000000") +
                          PaxRecord("GNU.sparse.map", "0,1,999999999999,1");
  EXPECT_THAT(Open(Pack({kGoodManifest, {"pax", map, 'x'}, {"x", "ab"}})).reason,
              testing::AnyOf("bundle.file_kind", "bundle.limit", "bundle.corrupt"));
}

TEST_F(HostileArchive, RefusesLongPaths) {
  const std::string name(256, 'a');
  Expect(Open(Pack({kGoodManifest, {"pax", PaxRecord("path", name), 'x'}, {"x", "x"}})), "bundle.file_name",
         "256 bytes, more than the limit of 255");
}

TEST_F(HostileArchive, StopsAtAFloodOfSpecialHeaders) {
  std::vector<Entry> entries = {kGoodManifest};
  entries.resize(20'000, Entry{"pax", PaxRecord("comment", "x"), 'x'});
  EXPECT_THAT(Open(Pack(entries)).reason, HasSubstr("bundle."));
  entries.resize(1);
  entries.resize(20'000, Entry{"././@LongLink", std::string("a\0", 2), 'L'});
  EXPECT_THAT(Open(Pack(entries)).reason, HasSubstr("bundle."));
  entries.resize(1);
  entries.resize(20'000, Entry{"pax", PaxRecord("comment", "x"), 'g'});
  EXPECT_THAT(Open(Pack(entries)).reason, HasSubstr("bundle."));
}

TEST_F(HostileArchive, BelievesNoDeclaredSize) {
  // 1 TiB in base 256, then 7 GiB octal with a few bytes behind it.
  const std::string tebibyte("\x80\0\0\0\0\0\x01\0\0\0\0\0", 12);
  Expect(Open(Pack({{"model.onnx", "x", '0', "", tebibyte}})), "bundle.limit", "more than the limit of");
  Expect(Open(Pack({{"model.onnx", "x", '0', "", Octal(uint64_t{3} << 30)}})), "bundle.truncated", "");
  const std::string negative("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00", 12);
  EXPECT_THAT(Open(Pack({{"model.onnx", "x", '0', "", negative}})).reason, HasSubstr("bundle."));
}

TEST_F(HostileArchive, RefusesABomb) {
  const std::string bomb = Pack({kGoodManifest, {"model.onnx", std::string(size_t{32} << 20, '\0')}});
  EXPECT_LT(bomb.size(), 64u << 10);
  Expect(Open(bomb), "bundle.limit", "200 times its size, like a decompression bomb");
}

TEST_F(HostileArchive, RefusesABombBehindTheEnd) {
  const std::string tail = Compress(std::string(size_t{64} << 20, '\0'));
  Expect(Open(Pack({kGoodManifest}) + tail), "bundle.limit", "bomb");
}

TEST_F(HostileArchive, RefusesAFrameThatWantsALargeWindow) {
  const std::string tar = Tar(kGoodManifest) + std::string(1024, '\0');
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 27);
  std::string packed(ZSTD_compressBound(tar.size()), '\0');
  ZSTD_inBuffer input{tar.data(), tar.size(), 0};
  ZSTD_outBuffer output{packed.data(), packed.size(), 0};
  ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_continue);  // the size stays unknown to the frame
  ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_end);
  Expect(Open(packed.substr(0, output.pos)), "bundle.corrupt", "too much memory");
}

TEST_F(HostileArchive, RefusesDigestsThatAreTooLarge) {
  const std::string large = "{\"format\":1" + std::string(size_t{5} << 20, ' ') + "}";
  Expect(Open(Pack({kGoodManifest, {"digests.json", large}})), "bundle.digests", "larger than the limit");
}

TEST_F(HostileArchive, RefusesMoreThanItsLimits) {
  const std::string archive = Pack({kGoodManifest, {"a", std::string(100, 'x')}, {"b", "x"}});
  Expect(Open(archive, {.archive_bytes = 50}), "bundle.limit", "more than the limit of 50");
  Expect(Open(archive, {.unpacked_bytes = 600}), "bundle.limit", "unpacks to more than the limit of 600");
  Expect(Open(archive, {.file_bytes = 99}), "bundle.limit", "\"a\" has 100 bytes, more than the limit of 99");
  Expect(Open(archive, {.files = 2}), "bundle.limit", "more than the limit of 2 files");
  Expect(Open(archive, {.path_bytes = 4}), "bundle.file_name", "more than the limit of 4");
  Expect(Open(archive, {.manifest_bytes = 9}), "bundle.limit", "\"slipway.yaml\" has");
}

TEST_F(HostileArchive, RefusesTooManyFiles) {
  std::vector<Entry> entries;
  for (int i = 0; i <= 4096; ++i) entries.push_back({"f" + std::to_string(i), ""});
  Expect(Open(Pack(entries)), "bundle.limit", "more than the limit of 4096 files");
}

TEST_F(HostileArchive, NoticesEveryTruncation) {
  std::string noise(3000, '\0');
  std::mt19937 random(7);
  for (char& c : noise) c = static_cast<char>(random());
  const std::string archive = Pack({kGoodManifest, {"model.onnx", noise}});
  std::vector<std::string> reasons;
  for (size_t size = 4; size < archive.size(); size += 37) reasons.push_back(Open(archive.substr(0, size)).reason);
  EXPECT_THAT(reasons, testing::Each(testing::AnyOf("bundle.truncated", "bundle.corrupt")));
}

TEST_F(HostileArchive, NoticesATruncatedTar) {
  const std::string tar = Tar(kGoodManifest) + Tar({"model.onnx", std::string(2000, 'x')});
  Expect(Open(Compress(tar.substr(0, 2048))), "bundle.truncated", "");
}

TEST_F(HostileArchive, RefusesWhatIsNoArchive) {
  Expect(Open(""), "bundle.not_an_archive", "slipway pack");
  Expect(Open("hello"), "bundle.not_an_archive", "slipway pack");
  Expect(Open("\x1f\x8b\x08 gzip"), "bundle.not_an_archive", "slipway pack");
  Expect(Open(Tar(kGoodManifest)), "bundle.not_an_archive", "slipway pack");
  EXPECT_THAT(Open(Compress("hello")).reason,
              testing::AnyOf("bundle.corrupt", "bundle.truncated", "bundle.no_manifest"));
  EXPECT_THAT(Open(Compress(Pack({kGoodManifest}))).reason, HasSubstr("bundle."));
}

TEST_F(HostileArchive, SurvivesRandomBytes) {
  std::mt19937 random(42);
  std::vector<std::string> reasons;
  const std::string good = Pack({kGoodManifest, {"a", "text"}});
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    for (int flips = 0; flips < 3; ++flips) bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
    reasons.push_back(Open(bytes).reason);
  }
  EXPECT_THAT(reasons, testing::Each(testing::StartsWith("bundle.")));
}

TEST_F(HostileArchive, SurvivesRandomTarBytes) {
  std::mt19937 random(43);
  std::vector<std::string> reasons;
  const std::string good = Tar({"a", "text"}) + Tar({"pax", PaxRecord("path", "b/c"), 'x'}) + Tar(kGoodManifest);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = good;
    for (int flips = 0; flips < 2; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    reasons.push_back(Open(Compress(bytes)).reason);
  }
  EXPECT_THAT(reasons, testing::Each(testing::StartsWith("bundle.")));
}

TEST_F(HostileArchive, NeedsAManifestAndDigests) {
  Expect(Open(Pack({})), "bundle.no_manifest", "slipway pack");
  Expect(Open(Pack({{"a", "x"}})), "bundle.no_manifest", "no slipway.yaml");
  Expect(Open(Pack({kGoodManifest})), "bundle.digests", "no digests.json");
  Expect(Open(Pack({kGoodManifest, {"digests.json", "{"}})), "bundle.digests", "malformed JSON");
  Expect(Open(Pack({kGoodManifest, {"digests.json", "{\"format\":1}"}})), "bundle.digests", "keys");
}

/// An archive whose digests are right, so that only its content is at fault.
std::string Digested(const std::vector<Entry>& entries) {
  FileDigests digests;
  for (const Entry& e : entries) digests[e.name] = {Sha256Hex(e.bytes), static_cast<int64_t>(e.bytes.size())};
  std::vector<Entry> all = entries;
  all.push_back({"digests.json", FormatDigests(digests)});
  return Pack(all);
}

TEST_F(HostileArchive, RefusesAManifestThatIsTooLargeOrNoText) {
  Expect(Open(Digested({{"slipway.yaml", std::string((1 << 20) + 1, '#')}})), "bundle.limit", "\"slipway.yaml\" has");
  Expect(Open(Digested({{"slipway.yaml", "slipway: 1\nname: \xFF\n"}})), "manifest.syntax", "UTF-8");
  Expect(Open(Digested({{"slipway.yaml", std::string("\0\0", 2)}})), "manifest.syntax", "control character");
}

TEST_F(HostileArchive, RefusesBadContentBehindGoodDigests) {
  Expect(Open(Digested({kGoodManifest})), "bundle.missing_file", "model.onnx");
  Expect(Open(Digested({kGoodManifest, {"model.onnx", "x"}, {"fitted.json", "[1]"}})), "json.malformed", "slipway fit");
  const auto error = Open(Digested({kGoodManifest, {"model.onnx", "x"}, {"fitted.json", "{\"a\":1,\"a\":2}"}}));
  Expect(error, "json.malformed", "duplicate key");
  EXPECT_THAT(error.where, HasSubstr("fitted.json:1:"));
}

}  // namespace
}  // namespace slipway::bundle

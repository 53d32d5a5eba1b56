#include "storage/s3/xml.h"

#include <gtest/gtest.h>

#include <string>

namespace slipway::storage::s3 {
namespace {

/// "path=text;" for each element, and what was wrong in the end.
std::string Read(std::string_view xml) {
  std::string seen;
  const auto read = ReadXml(xml, [&](std::string_view path, std::string_view text) {
    seen += std::string(path) + "=" + std::string(text) + ";";
  });
  return read ? seen : seen + read.error().reason + ": " + read.error().message;
}

TEST(XmlTest, TellsEveryElementWithItsPathAndText) {
  EXPECT_EQ(Read("<?xml version=\"1.0\"?>\n<Error xmlns=\"http://a/>\"><Code>NoSuchKey</Code><x:Key a='>'/></Error>\n"),
            "Error/Code=NoSuchKey;Error/Key=;Error=;");
}

TEST(XmlTest, ReadsEntitiesNumbersAndSections) {
  EXPECT_EQ(Read("<a>&lt;&amp;&quot;&#65;&#x20AC;&#128512;<![CDATA[<b>&]]></a>"), "a=<&\"A€😀<b>&;");
}

TEST(XmlTest, PassesOverComments) {
  EXPECT_EQ(Read(" <!-- <z> --><a><!-- x -->1</a>"), "a=1;");
}

TEST(XmlTest, RefusesDocumentTypesSoThatNothingGrows) {
  EXPECT_EQ(Read("<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>"),
            "storage.answer: the answer is no XML at byte 0: document types are not read");
  EXPECT_EQ(Read("<a>&b;</a>"), "storage.answer: the answer is no XML at byte 3: an unknown entity");
}

TEST(XmlTest, RefusesWhatIsNotWellFormed) {
  for (const char* broken : {"", "text", "<a>", "<a", "<a b='>", "<a></b>", "<a/><b/>", "</a>", "<a>&#0;</a>",
                             "<a>&#xD800;</a>", "<a>&amp</a>", "<>x</>", "<a><![CDATA[x</a>", "<?x", "<!--", "<a/>x"}) {
    EXPECT_NE(Read(broken).find("storage.answer"), std::string::npos) << broken;
  }
}

TEST(XmlTest, RefusesElementsThatLieTooDeep) {
  std::string deep;
  for (int i = 0; i < kMostXmlDepth; ++i) deep += "<a>";
  EXPECT_NE(Read(deep + "<a>").find("too deep"), std::string::npos);
  EXPECT_NE(Read(deep).find("ends within an element"), std::string::npos);
}

TEST(XmlTest, EscapesWhatItReadsBack) {
  EXPECT_EQ(Read("<a>" + EscapeXml("\"<&>'é") + "</a>"), "a=\"<&>'é;");
}

}  // namespace
}  // namespace slipway::storage::s3

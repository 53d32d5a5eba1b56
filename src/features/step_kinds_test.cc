#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/files.h"
#include "features/step.h"

namespace slipway::features {
namespace {

using testing::HasSubstr;

class EveryStep : public testing::TestWithParam<StepKind> {
 protected:
  static std::string Text(const std::string& path) { return base::ReadFile(path).value(); }
  const std::string name_{GetParam().name};
};

TEST_P(EveryStep, HasASectionInTheDocumentation) {
  const std::string page = Text("docs/features.md");
  EXPECT_THAT(page, HasSubstr("\n## " + name_ + "\n"));
  EXPECT_THAT(page, HasSubstr("[" + name_ + "](#" + name_ + ")")) << "the table at the head of docs/features.md";
}

TEST_P(EveryStep, NamesItsTwinInItsSection) {
  const std::string page = Text("docs/features.md");
  const size_t begin = page.find("\n## " + name_ + "\n") + 1;
  const std::string_view first_twin = GetParam().twins.substr(0, GetParam().twins.find(' '));
  EXPECT_THAT(page.substr(begin, page.find("\n## ", begin) - begin), HasSubstr(first_twin));
}

TEST_P(EveryStep, HasASeedThatTheFuzzerAndTheTestsOfPromisesStartFrom) {
  std::string seeds;
  for (const std::string file : {"categories", "numbers", "scale", "text", "time"}) {
    seeds += Text("tests/fuzz/corpus/features_pipeline/" + file + ".json");
  }
  EXPECT_THAT(seeds, testing::ContainsRegex("\"as\": \"[a-z0-9_]+\", \"" + name_ + "\": "))
      << "add a step {\"as\": …, \"" << name_ << "\": …} to a file of tests/fuzz/corpus/features_pipeline/";
}

TEST_P(EveryStep, IsAWordOfTheFuzzer) {
  EXPECT_THAT(Text("tests/fuzz/corpus/features_pipeline.dict"), HasSubstr("\n\"\\\"" + name_ + "\\\"\"\n"));
}

INSTANTIATE_TEST_SUITE_P(StepKinds, EveryStep, testing::ValuesIn(StepKinds().begin(), StepKinds().end()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(StepKindsTest, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (const StepKind& kind : StepKinds()) names.insert(kind.name);
  EXPECT_EQ(names.size(), StepKinds().size());
}

}  // namespace
}  // namespace slipway::features

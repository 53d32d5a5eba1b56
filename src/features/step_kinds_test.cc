#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/files.h"
#include "features/step.h"

namespace slipway::features {
namespace {

class EveryStep : public testing::TestWithParam<StepKind> {};

TEST_P(EveryStep, HasASectionInTheDocumentation) {
  const std::string page = base::ReadFile("docs/features.md").value();
  const std::string name(GetParam().name);
  EXPECT_THAT(page, testing::HasSubstr("\n## " + name + "\n"));
  EXPECT_THAT(page, testing::HasSubstr("[" + name + "](#" + name + ")"));
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

// docs/expressions.md and the function table say the same, and its examples are true.

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "expr/expression_fixture.h"
#include "expr/functions.h"

namespace slipway::expr {
namespace {

struct Example {
  std::string expression, answer;
};
struct Documentation {
  std::set<std::string> functions;
  std::vector<Example> examples;
};

// Rows of the function tables: | `name(…)` | types | edges | `expression` = `answer` |
Documentation ReadDocumentation() {
  std::ifstream file("docs/expressions.md");
  Documentation documentation;
  const std::regex row(R"(\| `([a-z_0-9]+)\([^`]*\)` \|.*\| `([^`]+)` = `([^`]+)` \|)");
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    documentation.functions.insert(match[1]);
    documentation.examples.push_back({match[2], match[3]});
  }
  return documentation;
}

std::string WrongExamples(const Documentation& documentation) {
  std::string wrong;
  for (const Example& example : documentation.examples) {
    const std::string answer = Value(example.expression);
    if (answer != example.answer) wrong += example.expression + " is " + answer + "\n";
  }
  return wrong;
}

TEST(ExpressionDocumentation, NamesEveryFunctionAndNoOther) {
  const std::vector<std::string>& known = FunctionNames();
  EXPECT_EQ(ReadDocumentation().functions, std::set<std::string>(known.begin(), known.end()));
}

TEST(ExpressionDocumentation, GivesTrueExamples) {
  EXPECT_EQ(WrongExamples(ReadDocumentation()), "");
}

}  // namespace
}  // namespace slipway::expr

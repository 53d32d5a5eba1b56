#include "expr/functions.h"

#include <algorithm>
#include <array>

namespace slipway::expr {
namespace {

std::array<const std::vector<Function>*, 5> Groups() {
  return {&OperatorTable(), &LogicFunctions(), &NumberFunctions(), &TextFunctions(), &TimeFunctions()};
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  for (const auto* group : Groups()) {
    for (const Function& function : *group) {
      if (function.name == name) return &function;
    }
  }
  return nullptr;
}

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto* group : {&LogicFunctions(), &NumberFunctions(), &TextFunctions(), &TimeFunctions()}) {
      for (const Function& function : *group) all.emplace_back(function.name);
    }
    std::sort(all.begin(), all.end());
    return all;
  }();
  return names;
}

}  // namespace slipway::expr

#pragma once
// Texts with holes in them.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::balancer {

/// The paths of predictions, as a regular expression without its anchors at either end. A prediction depends on its
/// request alone, so it can be asked for twice. Nothing else that is sent by POST can.
inline constexpr std::string_view kPredictionPaths =
    "/(predict/.+|invocations|v1/models/.+:(predict|classify|regress)|v2/models/.+/infer)";

using Values = std::vector<std::pair<std::string_view, std::string>>;

/// Replaces each "@name@" by its value. Every hole has a value: that is for the tests of the templates to see to.
std::string Fill(std::string_view text, const Values& values);

/// The option's line for each replica: `line` with "@address@" and "@number@" (from 1) filled in.
std::string ForEach(const std::vector<std::string>& replicas, std::string_view line);

/// As both HAProxy and nginx read it: "1500ms", "10s".
std::string Duration(std::chrono::nanoseconds duration);

}  // namespace slipway::balancer

#pragma once
// Checker gives every node of a syntax tree its type, computes what is constant, and lowers the rest to a Plan.

#include <span>
#include <string_view>

#include "expr/plan.h"
#include "expr/program.h"
#include "expr/syntax.h"

namespace slipway::expr {

/// Errors: "expr.type", "expr.unknown_name". The plan's buffers, id and texts are still to be set, by Seal().
Checked<Plan> Check(const Tree& tree, std::span<const Symbol> symbols);

/// Drops steps nobody reads, assigns buffers, gives the plan its id. Call it where the plan will stay.
void Seal(Plan& plan);

}  // namespace slipway::expr

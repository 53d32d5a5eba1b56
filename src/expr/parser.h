#pragma once
// Parser builds the syntax tree. Precedence, loosest first: ?: · or · and · not · == != < <= > >= in · + - · * / // % ·
// unary + - ! · ** · indexing.

#include <string_view>

#include "expr/program.h"
#include "expr/syntax.h"

namespace slipway::expr {

/// Errors: "expr.syntax", "expr.limit". Recursion never passes limits.depth levels of nesting.
Checked<Tree> Parse(std::string_view text, const ProgramLimits& limits);

}  // namespace slipway::expr

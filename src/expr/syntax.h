#pragma once
// The syntax tree of an expression. Nodes stand in the order in which they are computed (children before parents), so
// that whoever reads the tree walks a list and never recurses.

#include <cstdint>
#include <string>
#include <vector>

#include "expr/constant.h"
#include "expr/fault.h"

namespace slipway::expr {

enum class NodeKind : uint8_t {
  kLiteral,  ///< constant
  kName,     ///< column `text`
  kElement,  ///< column `text`, indexed by the children
  kCall,     ///< function or operator `text` of the children; `not x` is "not", `-x` is "unary -", `a ? b : c` is "if"
  kMembership,  ///< first child in the list of the others
};

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  Span span;  ///< the whole of it
  Span mark;  ///< its operator or name: where a caret points
  std::string text;
  Constant constant;
  std::vector<uint32_t> children;
};

struct Tree {
  std::vector<Node> nodes;  ///< the last one is the root
};

}  // namespace slipway::expr

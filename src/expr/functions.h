#pragma once
// The table of functions and operators. To add a function, add one row to the group it belongs to (logic_, number_,
// text_ or time_functions.cc) and one line to the table in docs/expressions.md; a test compares the two.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/constant.h"
#include "expr/kernel.h"

namespace slipway::expr {

/// Checks constant arguments (nullptr for those that are not constant) and fills the binding. Returns what is wrong,
/// empty when nothing is.
using Prepare = std::string (*)(std::span<const Constant* const> args, Binding& binding);

/// One combination of argument types. Signature: a letter per argument, ':', the result's. b boolean, i integer,
/// n number, s string, t timestamp; a capital wants a constant; a '+' after the last argument: one or more of it.
/// An integer is promoted where only a number fits.
struct Overload {
  std::string_view signature;
  Kernel kernel = nullptr;
  Nulls nulls = Nulls::kStrict;
  Prepare prepare = nullptr;
  bool makes_text = false;  ///< the kernel uses Scratch::Allocate or Keep; then Nulls::kMakes
};

struct Function {
  std::string_view name;  ///< operators under their sign; "unary -"
  std::vector<Overload> overloads;
};

const std::vector<Function>& OperatorTable();
const std::vector<Function>& LogicFunctions();
const std::vector<Function>& NumberFunctions();
const std::vector<Function>& TextFunctions();
const std::vector<Function>& TimeFunctions();

/// Looks in all groups; nullptr when there is none of that name.
const Function* FindFunction(std::string_view name);

/// Names that an expression can call, sorted.
const std::vector<std::string>& FunctionNames();

/// Kernels that the checker emits itself.
void PromoteInteger(const Call& call);           ///< integer -> number
Kernel ElementKernel(data::ScalarType element);  ///< (tensor, integer) -> element; makes nulls
Kernel MembershipKernel(data::ScalarType type);  ///< (value) -> boolean; binding.object from MakeSet
std::shared_ptr<const void> MakeSet(std::span<const Constant> items);  ///< of one type, none null

}  // namespace slipway::expr

#include "bundle/archive/entry_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace slipway::bundle {
namespace {

constexpr std::string_view kRefused = "\\:*?\"<>|";

/// What is wrong with one component, or nothing.
std::string_view ComponentFault(std::string_view component) {
  if (component.empty()) return "a part between slashes is empty";
  if (component == "." || component == "..") return "\".\" and \"..\" are not taken: names stay inside the bundle";
  if (component.front() == ' ' || component.back() == ' ') return "a part starts or ends with a space";
  if (component.back() == '.') return "a part ends with a dot";
  return {};
}

std::string_view NameFault(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.front() == '/') return "it is an absolute path";
  if (name.back() == '/') return "it ends with a slash: a folder is no file";
  const auto portable = [](char c) { return c >= 0x20 && c < 0x7F && !kRefused.contains(c); };
  if (!std::ranges::all_of(name, portable)) {
    return "it has a character outside printable ASCII, or one of \\ : * ? \" < > |";
  }
  for (std::string_view rest = name;;) {
    const size_t slash = rest.find('/');
    if (const auto fault = ComponentFault(rest.substr(0, slash)); !fault.empty()) return fault;
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

base::Result<void> CheckEntryName(std::string_view name, int max_bytes) {
  const auto refuse = [&](std::string_view fault) {
    return base::Fail(base::Code::kInvalidArgument, "bundle.file_name",
                      fmt::format("the file name \"{}\" cannot be part of a bundle: {}", base::Shorten(name), fault));
  };
  if (name.size() > static_cast<size_t>(max_bytes)) {
    return refuse(fmt::format("it has {} bytes, more than the limit of {}", name.size(), max_bytes));
  }
  if (const std::string_view fault = NameFault(name); !fault.empty()) return refuse(fault);
  return {};
}

std::string FoldedName(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return folded;
}

}  // namespace slipway::bundle

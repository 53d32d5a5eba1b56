#include "expr/fault.h"

#include <algorithm>

namespace slipway::expr {
namespace {

constexpr size_t kWindow = 96;  // bytes of the line shown around the fault

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

}  // namespace

base::Error Render(std::string_view text, const Fault& fault) {
  const size_t at = std::min(fault.span.begin, text.size());
  const size_t line_begin = at == 0                                              ? 0
                            : text.rfind('\n', at - 1) == std::string_view::npos ? 0
                                                                                 : text.rfind('\n', at - 1) + 1;
  const size_t line_end = std::min(text.find('\n', at), text.size());
  size_t begin = line_begin;
  size_t end = line_end;
  if (end - begin > kWindow) {
    begin = at - begin > kWindow / 2 ? at - kWindow / 2 : begin;
    end = std::min(end, begin + kWindow);
    while (begin > line_begin && IsContinuation(text[begin])) --begin;
    while (end < line_end && IsContinuation(text[end])) ++end;
  }
  const std::string_view before = text.substr(begin, at - begin);
  const size_t mark_end = std::clamp(fault.span.end, at, end);
  const size_t width = std::max<size_t>(1, CodePoints(text.substr(at, mark_end - at)));

  std::string message = fault.message;
  message += "\n  ";
  if (begin > line_begin) message += "…";
  message += Printable(text.substr(begin, end - begin));
  if (end < line_end) message += "…";
  message += "\n  ";
  message.append(CodePoints(before) + (begin > line_begin ? 1 : 0), ' ');
  message += '^';
  message.append(width - 1, '~');
  return base::Error{base::Code::kInvalidArgument, std::string(fault.reason), std::move(message), {}};
}

}  // namespace slipway::expr

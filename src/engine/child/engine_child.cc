#include "engine/child/engine_child.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/machine.h"
#include "base/text.h"

namespace slipway::engine {

namespace {

constexpr int64_t kLeastMemory = 64 << 20;

[[noreturn]] void EndOutOfMemory() {
  ::_exit(kChildOutOfMemory);
}

/// Exceptions that nobody catches are those of memory, or a crash.
[[noreturn]] void EndUncaught() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    EndOutOfMemory();
  } catch (...) {
  }
  std::abort();
}

base::Result<base::ChildLimits> ReadLimits(std::span<char* const> words) {
  std::vector<int64_t> numbers;
  for (const char* word : words) numbers.push_back(base::ParseInt64(word).value_or(0));
  if (numbers.size() != 3 || std::ranges::min(numbers) <= 0) {
    return base::Fail(base::Code::kInvalidArgument, "engine.child", "this command is slipway's own; use inspect");
  }
  return base::ChildLimits{.parent = numbers[0], .memory = {numbers[1]}, .processor = std::chrono::seconds(numbers[2])};
}

}  // namespace

base::Bytes ChildMemory() {
  return {std::max(base::AvailableMemory().count / 4 * 3, kLeastMemory)};
}

std::vector<std::string> WithheldFromChildren() {
  return {"SLIPWAY_SERVE_", "NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_"};
}

std::vector<std::string> ChildWords(std::string_view command, base::Bytes memory, std::chrono::seconds processor) {
  return {std::string(command), std::to_string(::getpid()), std::to_string(memory.count),
          std::to_string(processor.count())};
}

base::Result<void> BeginChild(std::span<char* const> words) {
  SLIPWAY_ASSIGN(const base::ChildLimits limits, ReadLimits(words));
  SLIPWAY_TRY(base::LimitThisProcess(limits));
  std::set_new_handler(EndOutOfMemory);
  std::set_terminate(EndUncaught);
  return {};
}

}  // namespace slipway::engine

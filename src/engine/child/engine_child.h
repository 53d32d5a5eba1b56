#pragma once
// What processes that run an engine for this one have in common: the words they are started with, the limits they put
// on themselves, and the exit codes that tell how they ended.

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"
#include "base/error.h"
#include "base/quantities.h"

namespace slipway::engine {

/// How such a process ends that did not crash. Other numbers are those of shells, linkers and this program's own
/// commands.
inline constexpr int kChildFine = 0, kChildRefused = 41, kChildOutOfMemory = 42, kChildBroken = 43;

/// Of processor time: none.
inline constexpr std::chrono::seconds kNoTimeLimit = std::chrono::hours(24 * 365 * 100);

/// Variables that are not for models: what this program was configured with, secrets among it, and its ways to the
/// service manager.
std::vector<std::string> WithheldFromChildren();

/// Three quarters of what the machine and its cgroups have left, at least 64 MiB.
base::Bytes ChildMemory();

/// `command` and what BeginChild() is told after it. By the parent.
std::vector<std::string> ChildWords(std::string_view command, base::Bytes memory, std::chrono::seconds processor);

/// What the child does first, with the program's arguments after the command: limits itself, and sees to it that it
/// ends with kChildOutOfMemory where memory does. Errors: invalid_argument "engine.child": other words, from somebody
/// who types them; those of base::LimitThisProcess().
base::Result<void> BeginChild(std::span<char* const> words);

}  // namespace slipway::engine

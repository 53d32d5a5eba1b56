#pragma once
// What this process may use of the machine: the cgroup's limits, not the host's size.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/quantities.h"

namespace slipway::base {

/// Processors this process may keep busy: the smallest of the affinity mask and the cgroup quota (v2 and v1), rounded
/// up, at least 1. `root` is "/" except in tests.
int CpuBudget(const std::filesystem::path& root = "/");

/// The cgroup's memory limit, or nullopt when there is none.
std::optional<Bytes> MemoryLimit(const std::filesystem::path& root = "/");

/// What may still be taken before something must go: the smallest of what the machine and each of the cgroups have
/// left, pages of files that can be dropped counted as left. 0 when nothing tells.
Bytes AvailableMemory(const std::filesystem::path& root = "/");

/// Resident set of this process.
Bytes ResidentMemory();

/// The folder that holds this program's executable.
std::filesystem::path ProgramFolder();

}  // namespace slipway::base

#pragma once
// What this process may use of the machine (the cgroup's limits, not the host's size), and what kind of machine it is.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/quantities.h"

namespace slipway::base {

/// Processors this process may keep busy: the smallest of the affinity mask and the cgroup quota (v2 and v1), rounded
/// up, at least 1. `root` is "/" except in tests.
int CpuBudget(const std::filesystem::path& root = "/");

/// The cgroup's memory limit, or nullopt when there is none.
std::optional<Bytes> MemoryLimit(const std::filesystem::path& root = "/");

/// What there is in all: the cgroup's limit or, without one, the machine's memory. 0 when nothing tells.
Bytes TotalMemory(const std::filesystem::path& root = "/");

/// What may still be taken before something must go: the smallest of what the machine and each of the cgroups have
/// left, pages of files that can be dropped counted as left. 0 when nothing tells.
Bytes AvailableMemory(const std::filesystem::path& root = "/");

/// The kind of processor as far as numerical libraries choose their kernels by it: architecture and instruction set,
/// such as "x86-64 avx512-vnni", "x86-64 avx2" or "aarch64 sve". The same program computes the same bits on machines of
/// one kind; on another kind the last bits of floats may differ.
std::string CpuKind();
/// The same for a processor with these features, named as compilers and the kernel do: "avx2", "fma", "asimddp".
std::string CpuKindOf(std::string_view architecture, std::span<const std::string_view> features);

/// Resident set of this process.
Bytes ResidentMemory();
/// The same of another one; 0 when there is none.
Bytes ResidentMemoryOf(int64_t pid);

/// Raises the soft limit of open files to the hard one, since a server's connections are files; what holds then,
/// INT64_MAX when there is none.
int64_t RaiseOpenFiles();

/// The folder that holds this program's executable.
std::filesystem::path ProgramFolder();

/// The folder of the shared library that this code is part of; empty where it is part of the program itself.
std::filesystem::path LibraryFolder();

}  // namespace slipway::base

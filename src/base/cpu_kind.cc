#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/machine.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace slipway::base {
namespace {

/// An instruction set that kernels are chosen by, and the features that make it.
struct InstructionSet {
  std::string_view architecture;
  std::string_view name;
  std::array<std::string_view, 5> needs;  ///< empty ones need nothing
};

/// The best first. Those of x86-64 are the steps of ONNX Runtime's MLAS and of the C library; VNNI stands apart, since
/// without it products of 8-bit integers saturate.
constexpr InstructionSet kInstructionSets[] = {
    {"x86-64", "avx512-vnni", {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni"}},
    {"x86-64", "avx512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}},
    {"x86-64", "avx512f", {"avx512f"}},
    {"x86-64", "avx2-vnni", {"avx2", "fma", "avxvnni"}},
    {"x86-64", "avx2", {"avx2", "fma"}},
    {"x86-64", "avx", {"avx"}},
    {"x86-64", "sse4.1", {"sse4.1"}},
    {"x86-64", "sse2", {}},
    {"aarch64", "sme2", {"sme2"}},
    {"aarch64", "sme", {"sme"}},
    {"aarch64", "sve2", {"sve2"}},
    {"aarch64", "sve", {"sve"}},
    {"aarch64", "i8mm", {"i8mm"}},
    {"aarch64", "dotprod", {"asimddp"}},
    {"aarch64", "neon", {}},
};

#if defined(__x86_64__)

// Asks the processor rather than /proc/cpuinfo, as numerical libraries do: under an emulator the two differ.
std::vector<std::string_view> Features() {
  __builtin_cpu_init();
  std::vector<std::string_view> features;
  const auto add = [&](int supported, std::string_view name) {
    if (supported) features.push_back(name);
  };
  add(__builtin_cpu_supports("sse4.1"), "sse4.1");
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avxvnni"), "avxvnni");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512dq"), "avx512dq");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  return features;
}

#elif defined(__aarch64__)

std::vector<std::string_view> Features() {
  std::vector<std::string_view> features;
  [[maybe_unused]] const auto add = [&](bool supported, std::string_view name) {
    if (supported) features.push_back(name);
  };
  [[maybe_unused]] const unsigned long first = getauxval(AT_HWCAP);
  [[maybe_unused]] const unsigned long second = getauxval(AT_HWCAP2);
#if defined(HWCAP_ASIMDDP)
  add(first & HWCAP_ASIMDDP, "asimddp");
#endif
#if defined(HWCAP_SVE)
  add(first & HWCAP_SVE, "sve");
#endif
#if defined(HWCAP2_SVE2)
  add(second & HWCAP2_SVE2, "sve2");
#endif
#if defined(HWCAP2_I8MM)
  add(second & HWCAP2_I8MM, "i8mm");
#endif
#if defined(HWCAP2_SME)
  add(second & HWCAP2_SME, "sme");
#endif
#if defined(HWCAP2_SME2)
  add(second & HWCAP2_SME2, "sme2");
#endif
  return features;
}

#else

std::vector<std::string_view> Features() {
  return {};
}

#endif

std::string Architecture() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  utsname name{};
  return uname(&name) == 0 ? name.machine : "unknown";
#endif
}

}  // namespace

std::string CpuKindOf(std::string_view architecture, std::span<const std::string_view> features) {
  const auto fits = [&](const InstructionSet& set) {
    return set.architecture == architecture && std::ranges::all_of(set.needs, [&](std::string_view need) {
             return need.empty() || std::ranges::find(features, need) != features.end();
           });
  };
  std::string kind(architecture);
  if (const auto* best = std::ranges::find_if(kInstructionSets, fits); best != std::end(kInstructionSets)) {
    kind.append(" ").append(best->name);
  }
  return kind;
}

std::string CpuKind() {
  return CpuKindOf(Architecture(), Features());
}

}  // namespace slipway::base

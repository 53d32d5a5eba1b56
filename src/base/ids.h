#pragma once
// Random identifiers for requests and temporary names. Unique in practice, never secret: use a cryptographic source for
// tokens.

#include <cstdint>
#include <span>
#include <string>

namespace slipway::base {

/// 64 bits of this thread's generator (xoshiro256**, seeded from the system's entropy). No lock, no system call after
/// the first use on a thread.
uint64_t RandomBits();

/// Fills 32 lowercase hexadecimal digits, as X-Request-Id and W3C trace ids want them. Allocates nothing.
void FillRequestId(std::span<char, 32> out);

/// The same as a new string.
std::string NewRequestId();

}  // namespace slipway::base

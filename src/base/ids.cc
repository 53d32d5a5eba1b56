#include "base/ids.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <chrono>
#include <string_view>

namespace slipway::base {
namespace {

/// D. Blackman, S. Vigna: "Scrambled linear pseudorandom number generators" (xoshiro256**).
class Xoshiro {
 public:
  Xoshiro() {
    // getrandom fails only on kernels without it; then the clock and the address of this thread's state must do.
    if (getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) {
      uint64_t seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                      std::bit_cast<uint64_t>(this);
      for (uint64_t& word : state_) word = SplitMix(seed);
    }
    state_[0] |= 1;  // the all-zero state is the one that never moves
  }

  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  static uint64_t SplitMix(uint64_t& seed) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::array<uint64_t, 4> state_;
};

}  // namespace

uint64_t RandomBits() {
  static thread_local Xoshiro generator;
  return generator.Next();
}

void FillRequestId(std::span<char, 32> out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (size_t half = 0; half < 32; half += 16) {
    uint64_t bits = RandomBits();
    for (size_t i = 0; i < 16; ++i, bits >>= 4) out[half + i] = kHex[bits & 15];
  }
}

std::string NewRequestId() {
  std::string id(32, '0');
  FillRequestId(std::span<char, 32>(id.data(), 32));
  return id;
}

}  // namespace slipway::base

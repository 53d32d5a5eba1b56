#pragma once
// Hashes of bytes that do not depend on the machine or the process (xxHash, github.com/Cyan4973/xxHash).
// Not for secrets: with a seed that an attacker does not know they only spread well.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::base {

/// XXH64.
uint64_t Xxh64(std::string_view bytes, uint64_t seed = 0);
/// XXH3, 64 bits: faster, above all for short texts.
uint64_t Xxh3(std::string_view bytes, uint64_t seed = 0);
/// XXH3, 128 bits, as 32 hexadecimal digits, in the order that the library prints them.
std::string Xxh3Digits(std::string_view bytes);

/// Xxh3Digits of bytes that come one after another. Thread-safety: one thread at a time.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  void Add(std::string_view bytes);
  std::string Digits() const;  ///< of all bytes so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::base

#pragma once
// MurmurHash3 (A. Appleby, public domain), the 32-bit form that scikit-learn's hashers use.

#include <cstdint>
#include <string_view>

namespace slipway::features {

int32_t Murmur3(std::string_view bytes, uint32_t seed = 0);

/// Where scikit-learn's FeatureHasher puts a name among `buckets`, and its sign: hash >= 0 is +1.
inline int64_t MurmurBucket(int32_t hash, int64_t buckets) {
  if (hash == INT32_MIN) return (int64_t{INT32_MAX} - (buckets - 1)) % buckets;
  return (hash < 0 ? -int64_t{hash} : int64_t{hash}) % buckets;
}

}  // namespace slipway::features

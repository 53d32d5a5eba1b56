#pragma once
// How many connections each client address has open.

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace slipway::net {

/// A client for this purpose: an IPv4 address, or the /64 network of an IPv6 one (IPv4 mapped into IPv6 is IPv4). None:
/// a peer without an address, as on a Unix socket, which is never counted.
struct AddressKey {
  uint64_t network = 0;
  uint8_t family = 0;  ///< 4, 6; 0: none

  /// Of "127.0.0.1:51234" or "[::1]:51234", as PeerName() writes them.
  static AddressKey Of(std::string_view peer);
  friend bool operator==(const AddressKey&, const AddressKey&) = default;
};

/// Locked by shard, on accepting and closing alone. Holds an entry per address that has a connection.
/// Thread-safety: all.
class AddressTable {
 public:
  /// Counts a connection in. False, and nothing counted: the address has `most` already.
  bool Enter(const AddressKey& key, int most);
  void Leave(const AddressKey& key);
  size_t size() const;

 private:
  struct Hash {
    size_t operator()(const AddressKey& key) const {
      return static_cast<size_t>((key.network ^ key.family) * 0x9e3779b97f4a7c15u);
    }
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;  ///< guards counts
    std::unordered_map<AddressKey, int, Hash> counts;
  };
  static constexpr size_t kShards = 16;
  Shard& ShardOf(const AddressKey& key) { return shards_[Hash()(key) >> 60]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace slipway::net

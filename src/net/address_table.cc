#include "net/address_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace slipway::net {

AddressKey AddressKey::Of(std::string_view peer) {
  AddressKey key;
  const std::string host(peer.starts_with('[') ? peer.substr(1, peer.find(']') - 1) : peer.substr(0, peer.rfind(':')));
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
    key.family = 4;
    key.network = four.s_addr;
  } else if (::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &six) == 1) {
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
      std::memcpy(&four, six.s6_addr + 12, sizeof four);
      key.family = 4;
      key.network = four.s_addr;
    } else {
      key.family = 6;
      std::memcpy(&key.network, six.s6_addr, sizeof key.network);
    }
  }
  return key;
}

bool AddressTable::Enter(const AddressKey& key, int most) {
  if (key.family == 0) return true;
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  int& count = shard.counts[key];
  if (count >= most) return false;
  ++count;
  return true;
}

void AddressTable::Leave(const AddressKey& key) {
  if (key.family == 0) return;
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.counts.find(key);
  if (found != shard.counts.end() && --found->second <= 0) shard.counts.erase(found);
}

size_t AddressTable::size() const {
  size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.counts.size();
  }
  return size;
}

}  // namespace slipway::net

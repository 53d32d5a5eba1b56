#include "net/tls/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

namespace slipway::net::tls {
namespace {

void Wipe(std::optional<TicketKeys::Key>& key) {
  if (key) OPENSSL_cleanse(&*key, sizeof *key);
  key.reset();
}

}  // namespace

TicketKeys::~TicketKeys() {
  Wipe(current_);
  Wipe(previous_);
}

bool TicketKeys::RotateWhenDue() {
  const auto now = clock_.Now();
  if (current_ && now < rotate_at_) return true;
  Key fresh;
  if (RAND_bytes(fresh.name.data(), fresh.name.size()) != 1 ||
      RAND_priv_bytes(fresh.cipher.data(), fresh.cipher.size()) != 1 ||
      RAND_priv_bytes(fresh.mac.data(), fresh.mac.size()) != 1) {
    return false;
  }
  Wipe(previous_);
  if (now < rotate_at_ + lifetime_) previous_ = current_;
  Wipe(current_);
  current_ = fresh;
  rotate_at_ = now + lifetime_;
  return true;
}

std::optional<TicketKeys::Key> TicketKeys::Current() {
  const std::lock_guard lock(mutex_);
  if (!RotateWhenDue()) return std::nullopt;
  return current_;
}

std::optional<TicketKeys::Found> TicketKeys::Find(std::span<const uint8_t, 16> name) {
  const std::lock_guard lock(mutex_);
  if (!RotateWhenDue()) return std::nullopt;
  if (std::ranges::equal(current_->name, name)) return Found{*current_, true};
  if (previous_ && std::ranges::equal(previous_->name, name)) return Found{*previous_, false};
  return std::nullopt;
}

}  // namespace slipway::net::tls

#include "net/tls/ticket_keys.h"

#include <gtest/gtest.h>

namespace slipway::net::tls {
namespace {

using std::chrono::minutes;

class TicketKeysTest : public testing::Test {
 protected:
  base::ManualClock clock_;
  TicketKeys keys_{std::chrono::hours(1), clock_};
};

TEST_F(TicketKeysTest, SealsWithOneKeyForItsLifetime) {
  const auto first = keys_.Current();
  clock_.Advance(minutes(59));
  EXPECT_EQ(keys_.Current()->name, first->name);
  EXPECT_TRUE(keys_.Find(first->name)->current);
}

TEST_F(TicketKeysTest, ARotatedKeyOpensForOneMoreLifetime) {
  const auto first = keys_.Current();
  clock_.Advance(minutes(61));
  EXPECT_NE(keys_.Current()->name, first->name);
  const auto found = keys_.Find(first->name);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->current);
  EXPECT_EQ(found->key.cipher, first->cipher);
  clock_.Advance(minutes(61));
  EXPECT_FALSE(keys_.Find(first->name));
}

TEST_F(TicketKeysTest, AKeyThatWasNotUsedForLongIsForgottenAtOnce) {
  const auto first = keys_.Current();
  clock_.Advance(minutes(121));
  EXPECT_FALSE(keys_.Find(first->name));
}

TEST_F(TicketKeysTest, OpensNothingWithAnUnknownName) {
  keys_.Current();
  EXPECT_FALSE(keys_.Find(std::array<uint8_t, 16>{}));
}

}  // namespace
}  // namespace slipway::net::tls

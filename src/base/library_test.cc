#include "base/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace slipway::base {
namespace {

TEST(SharedLibraryTest, FindsSymbolsOfTheLibraryAVariableNames) {
  ASSERT_EQ(::setenv("SLIPWAY_TEST_LIBRARY", "libm.so.6", 1), 0);
  const auto library = SharedLibrary::Open("nothing", "SLIPWAY_TEST_LIBRARY");
  ASSERT_TRUE(library.has_value()) << library.error().message;
  EXPECT_NE(library->Symbol("cos"), nullptr);
  EXPECT_EQ(library->Symbol("no_such_symbol"), nullptr);
}

TEST(SharedLibraryTest, FindsALibraryOfTheSystemByItsNumber) {
  const auto library = SharedLibrary::Open("m", nullptr, "6");
  ASSERT_TRUE(library.has_value()) << library.error().message;
  EXPECT_NE(library->Symbol("cos"), nullptr);
}

TEST(SharedLibraryTest, SaysWhereItLookedAndWhatToDo) {
  ASSERT_EQ(::unsetenv("SLIPWAY_TEST_LIBRARY"), 0);
  const auto library = SharedLibrary::Open("no_such_library", "SLIPWAY_TEST_LIBRARY");
  ASSERT_FALSE(library.has_value());
  EXPECT_EQ(library.error().reason, "library.missing");
  EXPECT_THAT(library.error().message, testing::HasSubstr("lib/libno_such_library.so"));
  EXPECT_THAT(library.error().message, testing::HasSubstr("SLIPWAY_TEST_LIBRARY"));
}

}  // namespace
}  // namespace slipway::base

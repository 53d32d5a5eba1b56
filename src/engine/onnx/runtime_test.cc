#include "engine/onnx/runtime.h"

#include <gtest/gtest.h>

namespace slipway::engine::onnx {
namespace {

TEST(CleanMessage, LeavesOutSourcePathsAndSignatures) {
  EXPECT_EQ(
      CleanMessage("Exception during initialization: /onnxruntime_src/onnxruntime/core/a.cc:235 "
                   "onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct "
                   "locale with name:en_US.UTF-8"),
      "Failed to construct locale with name:en_US.UTF-8");
  EXPECT_EQ(CleanMessage(
                "Non-zero status code returned while running Add node. Name:'' Status Message: "
                "/onnxruntime_src/core/element_wise_ops.h:540 void onnxruntime::BroadcastIterator::Append(ptrdiff_t, "
                "ptrdiff_t) axis == 1 was false.\n3 by 5"),
            "running Add node. Name:'' axis == 1 was false. 3 by 5");
}

TEST(CleanMessage, KeepsPlainText) {
  EXPECT_EQ(CleanMessage("Invalid Feed Input Name:x"), "Invalid Feed Input Name:x");
}

TEST(Runtime, OpensOnceAndTellsItsVersion) {
  const auto first = Runtime::Get();
  const auto second = Runtime::Get();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*first, *second);
  EXPECT_EQ((*first)->version().substr(0, 2), "1.");
}

}  // namespace
}  // namespace slipway::engine::onnx

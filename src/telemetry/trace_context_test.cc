#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

namespace slipway::telemetry {
namespace {

constexpr std::string_view kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, ReadsAndWritesTheStandardsExample) {
  const auto context = TraceContext::Parse(kExample);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled());
  EXPECT_EQ(context->TraceIdHex(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->SpanIdHex(), "00f067aa0ba902b7");
  EXPECT_EQ(context->Format(), kExample);
}

TEST(TraceContext, ChildKeepsTheTraceAndTakesItsOwnSpan) {
  const auto context = TraceContext::Parse(kExample);
  const auto child = context->Child();
  EXPECT_EQ(child.trace_id, context->trace_id);
  EXPECT_NE(child.span_id, context->span_id);
  EXPECT_EQ(child.flags, 1);
}

TEST(TraceContext, RootsDiffer) {
  EXPECT_NE(TraceContext::NewRoot().trace_id, TraceContext::NewRoot().trace_id);
}

class MalformedTraceparent : public testing::TestWithParam<const char*> {};

TEST_P(MalformedTraceparent, IsIgnored) {
  EXPECT_FALSE(TraceContext::Parse(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(TraceContext, MalformedTraceparent,
                         testing::Values("", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                                         "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                         "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                         "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                         "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                         "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                                         "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                         "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more"));

TEST(TraceContext, LaterVersionsMayAppendFields) {
  EXPECT_TRUE(TraceContext::Parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
}

}  // namespace
}  // namespace slipway::telemetry

#include "serving/grpc/example_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "rpc/wire_writer.h"
#include "serving/tensors/contract_fixture.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireWriter;
using testing::HasSubstr;

/// Features in the making: `list` writes the values of a BytesList (1), FloatList (2) or Int64List (3).
class Example {
 public:
  Example& Feature(std::string_view name, uint32_t kind, const std::function<void(WireWriter&)>& list) {
    WireWriter writer(features_);
    const auto entry = writer.Begin(1);
    writer.Text(1, name);
    const auto feature = writer.Begin(2);
    const auto values = writer.Begin(kind);
    list(writer);
    writer.End(values);
    writer.End(feature);
    writer.End(entry);
    return *this;
  }
  Example& Text(std::string_view name, std::string_view value) {
    return Feature(name, 1, [&](WireWriter& w) { w.Text(1, value); });
  }
  Example& Number(std::string_view name, float value) {
    return Feature(name, 2, [&](WireWriter& w) { w.Single(1, value); });
  }
  Example& Integer(std::string_view name, int64_t value) {
    return Feature(name, 3, [&](WireWriter& w) { w.Integer(1, value); });
  }
  std::string bytes() const {
    std::string out;
    WireWriter(out).Text(1, features_);
    return out;
  }

 private:
  std::string features_;
};

std::string Input(std::initializer_list<Example> examples, const Example* context = nullptr) {
  std::string list, out;
  WireWriter writer(list);
  for (const Example& example : examples) writer.Text(1, example.bytes());
  if (context != nullptr) writer.Text(2, context->bytes());
  WireWriter(out).Text(context == nullptr ? 1 : 2, list);
  return out;
}

class ExampleMessageTest : public testing::Test {
 protected:
  base::Result<void> Read(std::string_view input) {
    rows_.Clear();
    return reader_.Read(input, 3, rows_);
  }
  data::ColumnView Column(int index) const { return rows_.table.columns[static_cast<size_t>(index)].view(); }

  const data::Layout layout_ = tensors::EveryKind();
  data::Decoded rows_{layout_};
  ExampleMessageReader reader_{layout_};
};

TEST_F(ExampleMessageTest, FeaturesBecomeCells) {
  ASSERT_TRUE(
      Read(Input({Example().Number("n", 0.5F).Integer("i", -3).Integer("b", 1).Text("s", "x").Text("t", "2024-01-02"),
                  Example().Integer("n", 7)})));
  EXPECT_EQ(rows_.table.rows, 2);
  EXPECT_TRUE(rows_.violations.empty());
  EXPECT_EQ(Column(2).numbers()[0], 0.5);
  EXPECT_EQ(Column(2).numbers()[1], 7.0);
  EXPECT_EQ(Column(1).integers()[0], -3);
  EXPECT_EQ(Column(0).booleans()[0], 1);
  EXPECT_EQ(Column(4).string(0), "x");
  EXPECT_TRUE(rows_.IsAbsent(4, 1));
}

TEST_F(ExampleMessageTest, TheContextFillsWhatAnExampleLacks) {
  const Example context = Example().Number("n", 1).Text("s", "shared");
  ASSERT_TRUE(Read(Input({Example().Number("n", 5), Example()}, &context)));
  EXPECT_EQ(Column(2).numbers()[0], 5.0);
  EXPECT_EQ(Column(2).numbers()[1], 1.0);
  EXPECT_EQ(Column(4).string(0), "shared");
}

TEST_F(ExampleMessageTest, ListsOfOtherThanOneValueAreNoSingleCell) {
  const auto two = [](WireWriter& w) {
    w.Single(1, 1);
    w.Single(1, 2);
  };
  ASSERT_TRUE(Read(Input({Example().Feature("n", 2, two), Example().Feature("n", 2, [](WireWriter&) {})})));
  ASSERT_EQ(rows_.violations.size(), 2U);
  EXPECT_THAT(rows_.violations[0].message, HasSubstr("a list of 2 values"));
  EXPECT_THAT(rows_.violations[1].message, HasSubstr("a list of 0 values"));
}

TEST_F(ExampleMessageTest, ListsFillTensorsInRowMajorOrder) {
  const auto four = [](WireWriter& w) {
    const auto packed = w.Begin(1);
    for (const float value : {1.0F, 2.0F, 3.0F, 4.0F}) {
      w.out().append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    w.End(packed);
  };
  const auto texts = [](WireWriter& w) {
    w.Text(1, "a");
    w.Text(1, "b");
  };
  ASSERT_TRUE(Read(Input({Example().Feature("g", 2, four).Feature("v", 1, texts)})));
  EXPECT_TRUE(rows_.violations.empty());
  EXPECT_EQ(Column(6).numbers()[3], 4.0);
  EXPECT_EQ(Column(7).string(1), "b");
}

TEST_F(ExampleMessageTest, AFeatureWithoutAListIsNull) {
  std::string features;
  WireWriter writer(features);
  const auto entry = writer.Begin(1);
  writer.Text(1, "m");
  writer.End(entry);
  std::string example, list, input;
  WireWriter(example).Text(1, features);
  WireWriter(list).Text(1, example);
  WireWriter(input).Text(1, list);
  ASSERT_TRUE(Read(input));
  EXPECT_FALSE(Column(3).IsValid(0));
  EXPECT_FALSE(rows_.IsAbsent(3, 0));
}

TEST_F(ExampleMessageTest, UnknownFeaturesAreViolations) {
  ASSERT_TRUE(Read(Input({Example().Number("q", 1)})));
  ASSERT_EQ(rows_.violations.size(), 1U);
  EXPECT_EQ(rows_.violations[0].code, data::ViolationCode::kUnknownField);
}

TEST_F(ExampleMessageTest, RowsAreBounded) {
  const auto read = Read(Input({Example(), Example(), Example(), Example()}));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().Text(), HasSubstr("4 examples, and this model takes at most 3"));
}

TEST_F(ExampleMessageTest, BrokenBytesAreTold) {
  for (const std::string_view bytes : {"\x0a\x02\x0a\x7f", "\x0a", "\x0a\x04\x0a\x02\x0a\x7f"}) {
    const auto read = Read(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().reason, "grpc.message");
  }
}

}  // namespace
}  // namespace slipway::serving::grpc

#include "serving/tensors/tensor_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "data/json_rows.h"
#include "serving/tensors/contract_fixture.h"

namespace slipway::serving::tensors {
namespace {

using testing::HasSubstr;

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

std::string Texts(std::initializer_list<std::string_view> texts) {
  std::string bytes;
  for (const auto text : texts) bytes += Bytes({static_cast<uint32_t>(text.size())}).append(text);
  return bytes;
}

class TensorDecoderTest : public testing::Test {
 protected:
  TensorDecoderTest() { decoder_.Begin(rows_); }
  static Shape ShapeOf(std::initializer_list<int64_t> dimensions) {
    Shape shape;
    for (const int64_t dimension : dimensions) shape.Add(dimension);
    return shape;
  }
  base::Result<void> Raw(std::string_view name, Datatype type, std::initializer_list<int64_t> shape,
                         std::string_view bytes) {
    SLIPWAY_ASSIGN(const auto slot, decoder_.Admit({name, type, ShapeOf(shape)}));
    return decoder_.AddRaw(slot, bytes);
  }
  base::Result<void> Json(std::string_view name, Datatype type, std::initializer_list<int64_t> shape,
                          std::string_view text) {
    SLIPWAY_ASSIGN(const auto slot, decoder_.Admit({name, type, ShapeOf(shape)}));
    data::JsonCursor cursor(data::JsonBounds{});
    EXPECT_TRUE(cursor.Open(text));
    bool broken = false;
    SLIPWAY_TRY(decoder_.AddJson(slot, cursor, broken));
    if (broken) return std::unexpected(cursor.Error());
    return {};
  }
  static std::string Reason(const base::Result<void>& result) { return result ? "none" : result.error().reason; }
  /// The rows as JSON lines with their violations, of one column.
  std::string Rows(std::string_view column) {
    EXPECT_TRUE(decoder_.End());
    const auto index = static_cast<size_t>(layout_.Find(column));
    data::Table table;
    table.columns.push_back(rows_.table.columns[index]);
    const data::JsonRowEncoder encoder({layout_.fields()[index]});
    std::string text;
    for (int64_t row = 0; row < rows_.table.rows; ++row) encoder.AppendRow(table, row, text);
    for (const auto& violation : rows_.violations) {
      text += std::to_string(violation.row) + " " + std::string(data::ViolationCodeName(violation.code)) + " " +
              violation.path;
    }
    return text;
  }

  data::Layout layout_ = EveryKind();
  Contract contract_ = ContractOf(layout_);
  data::Decoded rows_{layout_};
  TensorDecoder decoder_{contract_, layout_};
};

TEST_F(TensorDecoderTest, NumbersOfEveryWidthBecomeNumbers) {
  ASSERT_TRUE(Raw("n", Datatype::kFp16, {2, 1}, Bytes<uint16_t>({0x3e00, 0xc000})));
  EXPECT_EQ(Rows("n"), R"({"n":1.5}{"n":-2.0})");
}

TEST_F(TensorDecoderTest, BrainFloatsBecomeNumbers) {
  ASSERT_TRUE(Raw("n", Datatype::kBf16, {2}, Bytes<uint16_t>({0x3fc0, 0xc000})));
  EXPECT_EQ(Rows("n"), R"({"n":1.5}{"n":-2.0})");
}

TEST_F(TensorDecoderTest, IntegersOfEveryWidthBecomeIntegers) {
  ASSERT_TRUE(Raw("i", Datatype::kInt8, {3}, Bytes<int8_t>({-128, 0, 127})));
  EXPECT_EQ(Rows("i"), R"({"i":-128}{"i":0}{"i":127})");
}

TEST_F(TensorDecoderTest, WholeFloatsBecomeIntegersAndOthersAreWrongType) {
  ASSERT_TRUE(Raw("i", Datatype::kFp32, {3}, Bytes<float>({7, 0.5, -2})));
  EXPECT_EQ(Rows("i"), R"({"i":7}{"i":null}{"i":-2}1 schema.wrong_type i)");
}

TEST_F(TensorDecoderTest, TheViolationIsTheOneThatJsonGets) {
  ASSERT_TRUE(Raw("i", Datatype::kFp32, {1}, Bytes<float>({0.5})));
  ASSERT_TRUE(decoder_.End());
  data::Decoded by_json(layout_);
  ASSERT_TRUE(data::JsonRowDecoder(layout_).DecodeDocument(R"({"i":0.5})", by_json));
  EXPECT_EQ(base::ToJson(ToValue(rows_.violations.at(0))), base::ToJson(ToValue(by_json.violations.at(0))));
}

TEST_F(TensorDecoderTest, UnsignedIntegersPast63BitsAreWrongType) {
  ASSERT_TRUE(Raw("i", Datatype::kUint64, {2}, Bytes<uint64_t>({1, uint64_t{1} << 63})));
  EXPECT_EQ(Rows("i"), R"({"i":1}{"i":null}1 schema.wrong_type i)");
}

TEST_F(TensorDecoderTest, BooleansAreZeroOrOneInAnyDatatype) {
  ASSERT_TRUE(Raw("b", Datatype::kBool, {3}, Bytes<uint8_t>({0, 1, 2})));
  EXPECT_EQ(Rows("b"), R"({"b":false}{"b":true}{"b":null}2 schema.wrong_type b)");
}

TEST_F(TensorDecoderTest, BooleansAreNoNumbers) {
  ASSERT_TRUE(Raw("n", Datatype::kBool, {1}, Bytes<uint8_t>({1})));
  EXPECT_EQ(Rows("n"), R"({"n":null}0 schema.wrong_type n)");
}

TEST_F(TensorDecoderTest, NanIsMissingWhereTheColumnTakesMissingValues) {
  ASSERT_TRUE(Raw("m", Datatype::kFp32, {2}, Bytes<float>({NAN, 1})));
  EXPECT_EQ(Rows("m"), R"({"m":null}{"m":1.0})");
  EXPECT_FALSE(rows_.table.columns[3].IsValid(0));
}

TEST_F(TensorDecoderTest, NanIsANumberWhereItDoesNot) {
  ASSERT_TRUE(Raw("n", Datatype::kFp64, {1}, Bytes<double>({NAN})));
  ASSERT_TRUE(decoder_.End());
  EXPECT_TRUE(rows_.table.columns[2].IsValid(0));
  EXPECT_TRUE(std::isnan(rows_.table.columns[2].view().numbers()[0]));
}

TEST_F(TensorDecoderTest, JsonNullIsMissingInAnyDatatype) {
  ASSERT_TRUE(Json("n", Datatype::kFp64, {2}, "[null, 1]"));
  ASSERT_TRUE(Json("i", Datatype::kInt64, {2}, "[5, null]"));
  EXPECT_EQ(Rows("n"), R"({"n":null}{"n":1.0})");
  EXPECT_FALSE(rows_.table.columns[1].IsValid(1));
  EXPECT_FALSE(rows_.IsAbsent(1, 1));
}

TEST_F(TensorDecoderTest, TextsAndTimestampsAreBytes) {
  ASSERT_TRUE(Raw("s", Datatype::kBytes, {3}, Texts({"x", "", "NA"})));
  ASSERT_TRUE(Raw("t", Datatype::kBytes, {3}, Texts({"2024-01-02", "2024-01-02T03:04:05Z", "soon"})));
  EXPECT_EQ(Rows("s"), R"({"s":"x"}{"s":""}{"s":null}2 schema.wrong_type t)");
}

TEST_F(TensorDecoderTest, TextOfNumbersIsNoNumber) {
  ASSERT_TRUE(Raw("n", Datatype::kBytes, {1}, Texts({"12"})));
  EXPECT_EQ(Rows("n"), R"({"n":null}0 schema.wrong_type n)");
}

TEST_F(TensorDecoderTest, BytesMustEndWithTheirLastElement) {
  const std::string texts = Texts({"abc", "de"});
  EXPECT_EQ(Reason(Raw("s", Datatype::kBytes, {2}, texts.substr(0, texts.size() - 1))), "tensor.size");
  decoder_.Begin(rows_);
  EXPECT_EQ(Reason(Raw("s", Datatype::kBytes, {3}, texts)), "tensor.size");
  rows_.Clear();
  decoder_.Begin(rows_);
  EXPECT_EQ(Reason(Raw("s", Datatype::kBytes, {1}, texts)), "tensor.size");
  rows_.Clear();
  decoder_.Begin(rows_);
  EXPECT_EQ(Reason(Raw("s", Datatype::kBytes, {1}, Bytes<uint32_t>({0xffffffff}) + "abc")), "tensor.size");
}

TEST_F(TensorDecoderTest, OtherDataMustBeAsLongAsItsShape) {
  const auto refused = Raw("n", Datatype::kFp32, {2, 1}, "1234567");
  EXPECT_EQ(Reason(refused), "tensor.size");
  EXPECT_THAT(refused.error().message, HasSubstr("shape [2,1] and datatype FP32 has 8 bytes, but 7 came for input n"));
}

TEST_F(TensorDecoderTest, JsonMayBeFlatOrNested) {
  ASSERT_TRUE(Json("g", Datatype::kFp64, {2, 2, 2}, "[1,2,3,4,5,6,7,8]"));
  EXPECT_EQ(Rows("g"), R"({"g":[[1.0,2.0],[3.0,4.0]]}{"g":[[5.0,6.0],[7.0,8.0]]})");
  rows_.Clear();
  decoder_.Begin(rows_);
  ASSERT_TRUE(Json("g", Datatype::kFp64, {2, 2, 2}, "[[[1,2],[3,4]],[[5,6],[7,8]]]"));
  EXPECT_EQ(Rows("g"), R"({"g":[[1.0,2.0],[3.0,4.0]]}{"g":[[5.0,6.0],[7.0,8.0]]})");
}

class WrongJson : public TensorDecoderTest, public testing::WithParamInterface<const char*> {};

TEST_P(WrongJson, IsRefused) {
  EXPECT_EQ(Reason(Json("g", Datatype::kFp64, {2, 2, 2}, GetParam())), "tensor.size") << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Lists, WrongJson,
                         testing::Values("[1,2,3,4,5,6,7]", "[1,2,3,4,5,6,7,8,9]", "[]", "[[1,2,3,4],[5,6,7,8]]",
                                         "[[[1,2],[3,4]],[[5,6],[7]]]", "[[[1,2],[3,4]],[[5,6],[7,8],[9,1]]]",
                                         "[[[1,2],[3,4]],5,6,7,8]", "[1,[2,3],4,5,6,7,8]",
                                         "[[[[1],[2]],[[3],[4]]],[[[5],[6]],[[7],[8]]]]"));

TEST_F(TensorDecoderTest, ElementsOfTensorsAreReportedByTheirPlaceInTheRow) {
  ASSERT_TRUE(Json("g", Datatype::kFp64, {2, 2, 2}, R"([1,2,3,4,5,"x",7,null])"));
  EXPECT_EQ(Rows("g"), R"({"g":[[1.0,2.0],[3.0,4.0]]}{"g":null}1 schema.wrong_type g[0][1]1 schema.null g[1][1])");
}

TEST_F(TensorDecoderTest, RowsOfVaryingTensorsHaveTheShapeOfTheRequest) {
  ASSERT_TRUE(Raw("v", Datatype::kBytes, {2, 3}, Texts({"a", "b", "c", "d", "e", "f"})));
  EXPECT_EQ(Rows("v"), R"({"v":["a","b","c"]}{"v":["d","e","f"]})");
  rows_.Clear();
  decoder_.Begin(rows_);
  ASSERT_TRUE(Json("v", Datatype::kBytes, {2, 0}, "[[],[]]"));
  EXPECT_EQ(Rows("v"), R"({"v":[]}{"v":[]})");
}

TEST_F(TensorDecoderTest, JsonNumbersAreRoundedToTheirDatatype) {
  ASSERT_TRUE(Json("n", Datatype::kFp32, {1}, "[0.1]"));
  ASSERT_TRUE(decoder_.End());
  EXPECT_EQ(rows_.table.columns[2].view().numbers()[0], static_cast<double>(0.1f));
}

TEST_F(TensorDecoderTest, IntegersOfJsonAreRoundedToo) {
  ASSERT_TRUE(Json("n", Datatype::kFp32, {2}, "[16777217, 18446744073709551615]"));
  EXPECT_EQ(Rows("n"), R"({"n":16777216.0}{"n":18446744073709551616.0})");
}

TEST_F(TensorDecoderTest, WholeJsonNumbersStillHaveToFitTheirDatatype) {
  EXPECT_TRUE(Json("n", Datatype::kInt8, {1}, "[127.0]"));
  decoder_.Begin(rows_);
  EXPECT_EQ(Reason(Json("n", Datatype::kInt8, {1}, "[128.0]")), "tensor.data");
  decoder_.Begin(rows_);
  EXPECT_EQ(Reason(Json("n", Datatype::kInt64, {1}, "[1e300]")), "tensor.data");
}

TEST_F(TensorDecoderTest, RawRowsOfVaryingTensorsMayBeEmpty) {
  ASSERT_TRUE(Raw("v", Datatype::kBytes, {2, 0}, ""));
  EXPECT_EQ(Rows("v"), R"({"v":[]}{"v":[]})");
}

TEST_F(TensorDecoderTest, JsonNumbersPastTheirDatatypeAreRefused) {
  const auto refused = Json("i", Datatype::kInt8, {2}, "[1,300]");
  EXPECT_EQ(Reason(refused), "tensor.data");
  EXPECT_EQ(refused.error().message, "element 1 of input i is no INT8; send another datatype");
  EXPECT_EQ(Reason(Json("n", Datatype::kInt64, {2}, "[1,0.5]")), "tensor.data");
}

TEST_F(TensorDecoderTest, AFractionInAnIntegerColumnIsWrongTypeAsEverywhere) {
  ASSERT_TRUE(Json("i", Datatype::kInt64, {2}, "[0.5, 2.0]"));
  EXPECT_EQ(Rows("i"), R"({"i":null}{"i":2}0 schema.wrong_type i)");
}

TEST_F(TensorDecoderTest, BrokenJsonIsTheCallersFault) {
  EXPECT_EQ(Reason(Json("n", Datatype::kFp64, {2}, "[1,nope]")), "json.malformed");
}

class WrongShape : public TensorDecoderTest, public testing::WithParamInterface<Shape> {};

TEST_P(WrongShape, IsRefused) {
  const auto admitted = decoder_.Admit({"n", Datatype::kFp64, GetParam()});
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().reason, "tensor.shape");
}

constexpr int64_t kHuge = int64_t{1} << 62;
INSTANTIATE_TEST_SUITE_P(Shapes, WrongShape,
                         testing::Values(Shape{{}, 0}, Shape{{2, 2}, 2}, Shape{{-1}, 1}, Shape{{1, -1}, 2},
                                         Shape{{kHuge, kHuge, 4}, 3}, Shape{{kHuge}, 1}, Shape{{2, 0}, 2}));

TEST_F(TensorDecoderTest, MoreRowsThanTheModelTakesAreRefused) {
  EXPECT_TRUE(decoder_.Admit({"n", Datatype::kFp64, ShapeOf({1000})}));
  decoder_.Begin(rows_);
  const auto admitted = decoder_.Admit({"n", Datatype::kFp64, ShapeOf({1001})});
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().reason, "tensor.limit");
  EXPECT_THAT(admitted.error().message, HasSubstr("at most 1000"));
}

TEST_F(TensorDecoderTest, InputsHaveTheSameNumberOfRows) {
  ASSERT_TRUE(Raw("n", Datatype::kFp64, {1}, Bytes<double>({1})));
  const auto refused = Raw("i", Datatype::kInt64, {2}, Bytes<int64_t>({1, 2}));
  EXPECT_EQ(Reason(refused), "tensor.shape");
  EXPECT_THAT(refused.error().message, HasSubstr("input i has 2 rows, but the inputs before it have 1"));
}

TEST_F(TensorDecoderTest, UnknownAndRepeatedInputsAreRefused) {
  const auto unknown = Raw("nn", Datatype::kFp64, {1}, Bytes<double>({1}));
  EXPECT_EQ(Reason(unknown), "tensor.unknown");
  EXPECT_THAT(unknown.error().message, HasSubstr("its inputs are b, i, n, m, s, t, g, v"));
  ASSERT_TRUE(Raw("n", Datatype::kFp64, {1}, Bytes<double>({1})));
  EXPECT_EQ(Reason(Raw("n", Datatype::kFp64, {1}, Bytes<double>({1}))), "tensor.duplicate");
}

TEST_F(TensorDecoderTest, UnknownInputsArePassedOverWhereTheSchemaSaysSo) {
  const data::Layout lenient = EveryKind(data::UnknownFields::kIgnore);
  TensorDecoder decoder(contract_, lenient);
  decoder.Begin(rows_);
  const auto slot = decoder.Admit({"other", Datatype::kFp64, ShapeOf({7, 3})});
  ASSERT_TRUE(slot);
  EXPECT_TRUE(decoder.AddRaw(*slot, std::string(7 * 3 * 8, '\0')));
  EXPECT_FALSE(decoder.AddRaw(*slot, "short"));
}

TEST_F(TensorDecoderTest, ColumnsThatDidNotComeAreAbsent) {
  ASSERT_TRUE(Raw("n", Datatype::kFp64, {70}, std::string(70 * 8, '\0')));
  ASSERT_TRUE(decoder_.End());
  EXPECT_TRUE(rows_.IsAbsent(0, 69));
  EXPECT_FALSE(rows_.IsAbsent(2, 69));
  EXPECT_EQ(rows_.table.columns[7].rows(), 70);
}

TEST_F(TensorDecoderTest, CopiesNothingFromARawTensorOfNoRows) {
  ASSERT_TRUE(Raw("n", Datatype::kFp64, {0}, {}));
  EXPECT_EQ(Rows("n"), "");
}

TEST_F(TensorDecoderTest, ARequestHasInputs) {
  EXPECT_EQ(Reason(decoder_.End()), "tensor.missing");
}

}  // namespace
}  // namespace slipway::serving::tensors

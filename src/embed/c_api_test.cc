#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string>

#include "base/files.h"
#include "embed/made_arrow_fixture.h"
#include "engine/onnx/tiny_model.h"
#include "slipway/slipway.h"

namespace slipway::embed {
namespace {

using testing::HasSubstr;

/// The functions of C, on a model that turns the signs of two numbers.
class CApiTest : public testing::Test {
 protected:
  CApiTest() {
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "slipway.yaml",
                                          "slipway: 1\nname: minus\nversion: 1.2.3\n"
                                          "model: {engine: onnx, file: model.onnx}\n"));
    EXPECT_TRUE(base::WriteFileAtomically(
        folder_.path() / "model.onnx",
        engine::onnx::TinyModel().Input("x", 1, {-1, 2}).Node("Neg", {"x"}, {"y"}).Output("y", 1, {-1, 2}).Bytes()));
    EXPECT_EQ(slipway_open(folder_.path().c_str(), nullptr, &scorer_, &error_), SLIPWAY_OK) << error_.message;
  }
  void TearDown() override {
    slipway_close(scorer_);
    slipway_error_clear(&error_);
    answers_ = {};
    EXPECT_EQ(Exported(), 0) << "everything that went in was released";
  }

  static Made Pairs(const std::vector<float>& values) {
    return TableOf({Made{.format = "+w:2",
                         .length = static_cast<int64_t>(values.size()) / 2,
                         .buffers = {kMissing},
                         .children = {Values("f", values)}}});
  }

  int32_t Score(const Made& made, const slipway_score_options* options = nullptr) {
    ArrowSchema schema;
    ArrowArray batch;
    Export(made, &schema);
    Export(made, &batch);
    const auto code = slipway_score(scorer_, &schema, &batch, options, schema_.get(), answers_.get(), &error_);
    EXPECT_EQ(schema.release, nullptr);
    EXPECT_EQ(batch.release, nullptr);
    return code;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  slipway_scorer* scorer_ = nullptr;
  slipway_error error_ = SLIPWAY_NO_ERROR;
  Owned<ArrowSchema> schema_;
  Owned<ArrowArray> answers_;
};

TEST_F(CApiTest, ScoresATensorIntoALists) {
  ASSERT_EQ(Score(Pairs({1, 2, 3, 4})), SLIPWAY_OK) << error_.message;
  EXPECT_STREQ(schema_->format, "+s");
  ASSERT_EQ(schema_->n_children, 2);
  EXPECT_STREQ(schema_->children[0]->name, "y");
  EXPECT_STREQ(schema_->children[0]->format, "+l");
  EXPECT_STREQ(schema_->children[0]->children[0]->format, "f");
  EXPECT_STREQ(schema_->children[1]->name, "error");
  const ArrowArray& list = *answers_->children[0];
  EXPECT_EQ(std::vector<int32_t>(static_cast<const int32_t*>(list.buffers[1]),
                                 static_cast<const int32_t*>(list.buffers[1]) + 3),
            (std::vector<int32_t>{0, 2, 4}));
  const auto* values = static_cast<const float*>(list.children[0]->buffers[1]);
  EXPECT_THAT(std::vector<float>(values, values + 4), testing::ElementsAre(-1, -2, -3, -4));
}

TEST_F(CApiTest, AnswersMayBeTakenApart) {
  ASSERT_EQ(Score(Pairs({1, 2})), SLIPWAY_OK);
  Owned<ArrowArray> list(answers_->children[0]);
  Owned<ArrowSchema> type(schema_->children[0]);
  answers_ = {};
  schema_ = {};
  EXPECT_EQ(static_cast<const float*>(list->children[0]->buffers[1])[1], -2);
  EXPECT_STREQ(type->children[0]->format, "f");
}

TEST_F(CApiTest, FillsAnError) {
  EXPECT_EQ(Score(TableOf({Values<double>("g", {1}, "z")})), SLIPWAY_INVALID_ARGUMENT);
  EXPECT_EQ(error_.code, SLIPWAY_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.reason, "arrow.unknown_column");
  EXPECT_STREQ(error_.field, "z");
  EXPECT_THAT(error_.message, HasSubstr("\"z\""));
  slipway_scorer* none = nullptr;
  EXPECT_EQ(slipway_open("no such bundle", nullptr, &none, &error_), SLIPWAY_NOT_FOUND) << error_.message;
  EXPECT_EQ(none, nullptr);
  slipway_error_clear(&error_);
  EXPECT_EQ(error_.message, nullptr);
}

TEST_F(CApiTest, RefusesNullPointersAndStillReleases) {
  ArrowSchema schema;
  Export(Pairs({1, 2}), &schema);
  EXPECT_EQ(slipway_score(scorer_, &schema, nullptr, nullptr, nullptr, nullptr, &error_), SLIPWAY_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.reason, "usage");
  EXPECT_EQ(slipway_open(nullptr, nullptr, nullptr, nullptr), SLIPWAY_INVALID_ARGUMENT) << "an error may be left out";
  EXPECT_EQ(slipway_score_stream(nullptr, nullptr, nullptr, nullptr, &error_), SLIPWAY_INVALID_ARGUMENT);
  EXPECT_EQ(slipway_output_schema(nullptr, nullptr, &error_), SLIPWAY_INVALID_ARGUMENT);
  slipway_close(nullptr);
  slipway_free(nullptr);
  slipway_error_clear(nullptr);
}

TEST_F(CApiTest, RefusesAnArrayThatWasReleased) {
  ArrowSchema schema;
  ArrowArray batch;
  Export(Pairs({1, 2}), &schema);
  Export(Pairs({1, 2}), &batch);
  batch.release(&batch);
  EXPECT_EQ(slipway_score(scorer_, &schema, &batch, nullptr, schema_.get(), answers_.get(), &error_),
            SLIPWAY_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.reason, "arrow.malformed");
}

TEST_F(CApiTest, TakesOptionsOfOlderAndRefusesThoseOfNewerPrograms) {
  slipway_score_options options{};
  options.size = sizeof(size_t);
  EXPECT_EQ(Score(Pairs({1, 2}), &options), SLIPWAY_OK);
  options.size = sizeof(options) + 8;
  EXPECT_EQ(Score(Pairs({1, 2}), &options), SLIPWAY_INVALID_ARGUMENT);
  EXPECT_THAT(error_.message, HasSubstr("size of the options"));
}

TEST_F(CApiTest, ScoresJsonLines) {
  const std::string lines = "{\"x\": [1, 2]}\n{\"x\": [1]}\n";
  char* out = nullptr;
  size_t size = 0;
  ASSERT_EQ(slipway_score_json(scorer_, lines.data(), lines.size(), nullptr, &out, &size, &error_), SLIPWAY_OK);
  EXPECT_THAT(std::string(out, size),
              HasSubstr("{\"row\":0,\"prediction\":{\"y\":[-1.0,-2.0]}}\n{\"row\":1,\"error\""));
  EXPECT_EQ(std::strlen(out), size);
  slipway_free(out);
}

TEST_F(CApiTest, DescribesTheBundle) {
  EXPECT_EQ(slipway_abi(), uint32_t{SLIPWAY_ABI});
  EXPECT_THAT(slipway_describe(scorer_), HasSubstr("{\"name\":\"minus\",\"version\":\"1.2.3\",\"digest\":\"sha256:"));
  Owned<ArrowSchema> columns;
  ASSERT_EQ(slipway_output_schema(scorer_, columns.get(), &error_), SLIPWAY_OK);
  EXPECT_EQ(columns->n_children, 2);
}

/// A stream of tables, which may break.
struct Tables {
  std::deque<Made> batches;
  bool breaks = false;
};

void ExportStream(Tables tables, ArrowArrayStream* out) {
  out->get_schema = [](ArrowArrayStream*, ArrowSchema* schema) {
    Export(TableOf({Made{.format = "+w:2", .buffers = {kMissing}, .children = {Values<float>("f", {})}}}), schema);
    return 0;
  };
  out->get_next = [](ArrowArrayStream* stream, ArrowArray* batch) {
    auto& rest = *static_cast<Tables*>(stream->private_data);
    batch->release = nullptr;
    if (rest.batches.empty()) return rest.breaks ? EIO : 0;
    Export(rest.batches.front(), batch);
    rest.batches.pop_front();
    return 0;
  };
  out->get_last_error = [](ArrowArrayStream*) -> const char* { return "the disk is gone"; };
  out->release = [](ArrowArrayStream* stream) {
    delete static_cast<Tables*>(stream->private_data);
    stream->release = nullptr;
    --Exported();
  };
  out->private_data = new Tables(std::move(tables));
  ++Exported();
}

TEST_F(CApiTest, ScoresAStreamAsItIsRead) {
  ArrowArrayStream in;
  Owned<ArrowArrayStream> out;
  ExportStream({.batches = {Pairs({1, 2}), Pairs({3, 4, 5, 6})}, .breaks = true}, &in);
  ASSERT_EQ(slipway_score_stream(scorer_, &in, nullptr, out.get(), &error_), SLIPWAY_OK) << error_.message;
  EXPECT_EQ(in.release, nullptr);
  ASSERT_EQ(out->get_next(out.get(), answers_.get()), 0);
  EXPECT_EQ(answers_->length, 1);
  answers_ = {};
  ASSERT_EQ(out->get_next(out.get(), answers_.get()), 0);
  EXPECT_EQ(answers_->length, 2);
  EXPECT_EQ(out->get_last_error(out.get()), nullptr);
  Owned<ArrowArray> none;
  EXPECT_EQ(out->get_next(out.get(), none.get()), EIO);
  EXPECT_STREQ(out->get_last_error(out.get()), "arrow.stream: the stream of tables failed: the disk is gone");
}

TEST_F(CApiTest, TellsOfAFaultBeforeAnEagerStreamIsHandedOut) {
  slipway_score_options options{};
  options.size = sizeof(options);
  options.eager = 1;
  ArrowArrayStream in;
  Owned<ArrowArrayStream> out;
  ExportStream({.batches = {Pairs({1, 2})}, .breaks = true}, &in);
  EXPECT_EQ(slipway_score_stream(scorer_, &in, &options, out.get(), &error_), SLIPWAY_UNAVAILABLE);
  EXPECT_TRUE(out.is_empty());
  ExportStream({.batches = {Pairs({1, 2}), Pairs({3, 4})}}, &in);
  ASSERT_EQ(slipway_score_stream(scorer_, &in, &options, out.get(), &error_), SLIPWAY_OK) << error_.message;
  slipway_close(scorer_);  // a stream may outlive its scorer
  scorer_ = nullptr;
  ASSERT_EQ(out->get_next(out.get(), answers_.get()), 0);
  EXPECT_EQ(answers_->length, 1);
}

}  // namespace
}  // namespace slipway::embed

#include "engine/onnx/foreign_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::engine::onnx {
namespace {

using testing::HasSubstr;

struct Foreign {
  std::string bytes, name, what, cure;
};

class ForeignFile : public testing::TestWithParam<Foreign> {};

TEST_P(ForeignFile, IsNamedWithItsConversion) {
  const std::string text = DescribeForeignFile(GetParam().bytes, GetParam().name);

  EXPECT_THAT(text, HasSubstr(GetParam().what));
  EXPECT_THAT(text, HasSubstr(GetParam().cure));
}

INSTANTIATE_TEST_SUITE_P(
    Files, ForeignFile,
    testing::Values(Foreign{"", "m.onnx", "empty", "export the model again"},
                    Foreign{"\x80\x04\x95", "m.pkl", "pickle", "skl2onnx.to_onnx"},
                    Foreign{"\x78\x9cxyz", "m.joblib", "joblib", "skl2onnx"},
                    Foreign{"\x89HDF\r\n\x1a\n", "m.h5", "Keras", "tf2onnx"},
                    Foreign{"PK\x03\x04 m/data.pkl m/constants.pkl", "m.pt", "TorchScript", "torch.onnx.export"},
                    Foreign{"PK\x03\x04 archive/data.pkl", "m.pt", "torch.save", "torch.onnx.export"},
                    Foreign{"PK\x03\x04 config.json model.weights.h5", "m.keras", "Keras 3", "tf2onnx"},
                    Foreign{"PK\x03\x04 readme", "m.zip", "zip file", "unpack"},
                    Foreign{"{\"learner\":{\"gradient_booster\":1}}", "m.json", "XGBoost", "convert_xgboost"},
                    Foreign{"tree\nversion=v4\n", "m.txt", "LightGBM", "convert_lightgbm"},
                    Foreign{"1234TFL3", "m.tflite", "TensorFlow Lite", "tf2onnx"},
                    Foreign{"\x08\x01\x12\x05", "saved_model.pb", "TensorFlow", "--saved-model"},
                    Foreign{"CBM1....", "m.cbm", "CatBoost", "format=\"onnx\""},
                    Foreign{"version https://git-lfs.github.com/spec/v1\n", "m.onnx", "Git LFS", "git lfs pull"},
                    Foreign{"<!DOCTYPE html><html>", "m.onnx", "web page", "download"}));

TEST(UnknownFile, SaysNothingOfWhatItDoesNotKnow) {
  EXPECT_EQ(DescribeForeignFile("\x08\x07\x12", "model.onnx"), "");
}

}  // namespace
}  // namespace slipway::engine::onnx

#include "features/step.h"

#include <fmt/format.h>

namespace slipway::features {
namespace {

std::string Describe(const Input& input) {
  const std::string_view what = input.is_feature ? "feature" : "column";
  if (input.width == 1) return fmt::format("{} \"{}\" is {}", what, input.name, data::ScalarTypeName(input.type));
  if (input.width < 0 && !input.is_feature) {
    return fmt::format("{} \"{}\" is a tensor whose size varies from row to row", what, input.name);
  }
  return fmt::format("{} \"{}\" has several columns ({})", what, input.name, data::ScalarTypeName(input.type));
}

std::string_view Cure(const Input& input) {
  if (input.width != 1 && input.is_feature) {
    return "; to read the column of the same name, give the earlier feature another name";
  }
  switch (input.type) {
    case data::ScalarType::kString:
      return "; one_hot, ordinal, frequency, target_encode, hash, lookup and text turn text into numbers";
    case data::ScalarType::kTimestamp:
      return "; date_parts and elapsed turn time into numbers";
    default:
      return "";
  }
}

bool IsVaryingTensor(const Input& input) {
  return input.width < 0 && !input.is_feature;
}

}  // namespace

std::unexpected<base::Error> WrongInput(const Input& input, std::string_view wanted) {
  return base::Fail(base::Code::kInvalidArgument, "features.wrong_type",
                    fmt::format("{}, and this step reads {}{}", Describe(input), wanted, Cure(input)));
}

base::Result<Shape> NumericStep::Check(std::span<const Input> inputs, const InReach&) const {
  int64_t width = 0;
  for (const Input& input : inputs) {
    const bool number = input.type == data::ScalarType::kNumber || input.type == data::ScalarType::kInteger ||
                        input.type == data::ScalarType::kBoolean;
    if (!number || IsVaryingTensor(input)) return WrongInput(input, "numbers");
    width = input.width < 0 || width < 0 ? -1 : width + input.width;
  }
  if (width > kMaxWidth) {
    return base::Fail(base::Code::kInvalidArgument, "features.limit",
                      fmt::format("it reads {} numbers a row; a step reads at most {}", width, kMaxWidth));
  }
  if (width * columns_per_input() > kMaxWidth) {
    return base::Fail(base::Code::kInvalidArgument, "features.limit",
                      fmt::format("it makes {} columns of each of {} numbers a row; a step yields at most {}",
                                  columns_per_input(), width, kMaxWidth));
  }
  return Shape{data::ScalarType::kNumber, width < 0 ? -1 : width * columns_per_input()};
}

base::Result<Shape> CategoryStep::Check(std::span<const Input> inputs, const InReach&) const {
  for (const Input& input : inputs) {
    if (input.width != 1 || input.type == data::ScalarType::kTimestamp) {
      return WrongInput(input, "categories: a single text, integer, boolean or number a row");
    }
  }
  return Shape{data::ScalarType::kNumber, width_is_learned() ? -1 : static_cast<int64_t>(inputs.size())};
}

std::vector<std::string> StreamSuffixes(const std::vector<Stream>& streams) {
  std::vector<std::string> suffixes;
  if (streams.size() == 1) return suffixes;
  for (const Stream& stream : streams) suffixes.push_back("." + stream.name);
  return suffixes;
}

}  // namespace slipway::features

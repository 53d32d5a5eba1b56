#pragma once
// TensorFlow's Input of Classify and Regress, examples with named features, into rows.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"

namespace slipway::serving::grpc {

/// Keeps its buffers. Thread-safety: one thread.
class ExampleMessageReader {
 public:
  explicit ExampleMessageReader(const data::Layout& layout) : layout_(layout) {}

  /// Appends a row for each example of the message `Input`; `out` is empty. A feature is a list, most often of one
  /// value, which stands for it in a column of single values. Errors: "grpc.message", "example.limit" past `most` rows.
  base::Result<void> Read(std::string_view input, int64_t most, data::Decoded& out);

 private:
  struct Feature {
    std::string_view name, value;
  };
  base::Result<void> CollectFeatures(std::string_view example, std::vector<Feature>& features) const;
  base::Result<void> SetFeature(const Feature& feature, data::RowBuilder& builder) const;
  base::Result<void> SetList(int field, uint32_t kind, std::string_view list, data::RowBuilder& builder) const;

  const data::Layout& layout_;
  std::vector<std::string_view> examples_;
  std::vector<Feature> features_, context_;
};

}  // namespace slipway::serving::grpc

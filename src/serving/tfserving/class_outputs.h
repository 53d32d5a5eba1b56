#pragma once
// What :classify and :regress answer: TensorFlow Serving knows classes with scores, and values; a bundle has named
// outputs. docs/protocols/tfserving.md tells users the same rules.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/column.h"

namespace slipway::serving::tfserving {

/// Where the classes of a row stand. The first of these that the outputs have:
///   kLabelled  a vector of numbers with labels: each label and its element
///   kTop       texts or indices `x` with their numbers `x_scores`, as `top: k` makes them
///   kVector    a vector of at least two numbers: the index of each element, and the element
///   kPair      a single text (else integer, else boolean) and a single number
struct ClassOutputs {
  enum class Kind : uint8_t { kLabelled, kTop, kVector, kPair };
  Kind kind = Kind::kPair;
  size_t classes = 0;  ///< field with the classes; not for kLabelled and kVector
  size_t scores = 0;   ///< field with the scores
};
std::optional<ClassOutputs> FindClasses(const std::vector<data::Field>& fields);

/// Appends the text of the i-th class of a row; nothing for a null one.
void AppendLabel(const ClassOutputs& outputs, const std::vector<data::Field>& fields, const data::Table& predictions,
                 int64_t row, int64_t i, std::string& out);

/// Appends [["label",score],…] of one row; a null class is "".
void AppendClasses(const ClassOutputs& outputs, const std::vector<data::Field>& fields, const data::Table& predictions,
                   int64_t row, std::string& out);

/// The field that :regress answers: the first single number, else the first single integer.
std::optional<size_t> FindValue(const std::vector<data::Field>& fields);

}  // namespace slipway::serving::tfserving

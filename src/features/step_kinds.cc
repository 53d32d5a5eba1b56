// The registration table: a new kind of step is one line here, one file under steps/, one section in docs/features.md.

#include "features/steps/steps.h"

namespace slipway::features {

std::span<const StepKind> StepKinds() {
  static constexpr StepKind kKinds[] = {
      {"column", ParseColumn},       {"expr", ParseExpression},
      {"impute", ParseImpute},       {"standardize", ParseStandardize},
      {"min_max", ParseMinMax},      {"clip", ParseClip},
      {"log1p", ParseLog1p},         {"cyclical", ParseCyclical},
      {"one_hot", ParseOneHot},      {"ordinal", ParseOrdinal},
      {"frequency", ParseFrequency}, {"target_encode", ParseTargetEncode},
  };
  return kKinds;
}

}  // namespace slipway::features

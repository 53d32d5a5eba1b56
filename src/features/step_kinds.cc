// The registration table. How to add a kind: docs/features.md, "Adding a step".

#include "features/steps/steps.h"

namespace slipway::features {

std::span<const StepKind> StepKinds() {
  static constexpr StepKind kKinds[] = {
      {"column", ParseColumn},
      {"expr", ParseExpression},
      {"impute", ParseImpute},
      {"missing_indicator", ParseMissingIndicator},
      {"standardize", ParseStandardize},
      {"min_max", ParseMinMax},
      {"max_abs", ParseMaxAbs},
      {"robust", ParseRobust},
      {"normalize", ParseNormalize},
      {"log1p", ParseLog1p},
      {"power", ParsePower},
      {"quantile", ParseQuantile},
      {"clip", ParseClip},
      {"bucketize", ParseBucketize},
      {"spline", ParseSpline},
      {"interaction", ParseInteraction},
      {"polynomial", ParsePolynomial},
      {"one_hot", ParseOneHot},
      {"ordinal", ParseOrdinal},
      {"frequency", ParseFrequency},
      {"target_encode", ParseTargetEncode},
      {"hash", ParseHash},
      {"text", ParseText},
      {"date_parts", ParseDateParts},
      {"cyclical", ParseCyclical},
      {"elapsed", ParseElapsed},
      {"haversine", ParseHaversine},
      {"lookup", ParseLookup},
  };
  return kKinds;
}

}  // namespace slipway::features

// The registration table. How to add a kind: docs/features.md, "Adding a step".

#include "features/steps/steps.h"

namespace slipway::features {

std::span<const StepKind> StepKinds() {
  static constexpr StepKind kKinds[] = {
      {"column", ParseColumn, "passthrough"},
      {"expr", ParseExpression, "FunctionTransformer"},
      {"impute", ParseImpute, "SimpleImputer"},
      {"missing_indicator", ParseMissingIndicator, "MissingIndicator"},
      {"standardize", ParseStandardize, "StandardScaler"},
      {"min_max", ParseMinMax, "MinMaxScaler"},
      {"max_abs", ParseMaxAbs, "MaxAbsScaler"},
      {"robust", ParseRobust, "RobustScaler"},
      {"normalize", ParseNormalize, "Normalizer"},
      {"log1p", ParseLog1p, ""},
      {"power", ParsePower, "PowerTransformer"},
      {"quantile", ParseQuantile, "QuantileTransformer"},
      {"clip", ParseClip, ""},
      {"bucketize", ParseBucketize, "KBinsDiscretizer"},
      {"spline", ParseSpline, "SplineTransformer"},
      {"interaction", ParseInteraction, ""},
      {"polynomial", ParsePolynomial, "PolynomialFeatures"},
      {"one_hot", ParseOneHot, "OneHotEncoder"},
      {"ordinal", ParseOrdinal, "OrdinalEncoder"},
      {"frequency", ParseFrequency, ""},
      {"target_encode", ParseTargetEncode, "TargetEncoder"},
      {"hash", ParseHash, "FeatureHasher"},
      {"text", ParseText, "TfidfVectorizer CountVectorizer HashingVectorizer"},
      {"date_parts", ParseDateParts, ""},
      {"cyclical", ParseCyclical, ""},
      {"elapsed", ParseElapsed, ""},
      {"haversine", ParseHaversine, ""},
      {"lookup", ParseLookup, ""},
  };
  return kKinds;
}

}  // namespace slipway::features

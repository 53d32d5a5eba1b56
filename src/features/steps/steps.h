#pragma once
// The parse functions behind the registration table, one per kind; each stands in the file of its family.

#include <memory>

#include "base/error.h"
#include "features/step.h"
#include "features/step_reader.h"

namespace slipway::features {

using ParsedStep = base::Result<std::unique_ptr<Step>>;

ParsedStep ParseColumn(StepReader& reader);            // column.cc
ParsedStep ParseExpression(StepReader& reader);        // expression.cc
ParsedStep ParseImpute(StepReader& reader);            // impute.cc
ParsedStep ParseMissingIndicator(StepReader& reader);  // missing_indicator.cc
ParsedStep ParseStandardize(StepReader& reader);       // numbers/scale.cc
ParsedStep ParseMinMax(StepReader& reader);
ParsedStep ParseMaxAbs(StepReader& reader);
ParsedStep ParseRobust(StepReader& reader);
ParsedStep ParseClip(StepReader& reader);   // numbers/clip.cc
ParsedStep ParseLog1p(StepReader& reader);  // numbers/elementwise.cc
ParsedStep ParseCyclical(StepReader& reader);
ParsedStep ParsePower(StepReader& reader);        // numbers/power.cc
ParsedStep ParseQuantile(StepReader& reader);     // numbers/quantile.cc
ParsedStep ParseBucketize(StepReader& reader);    // numbers/bucketize.cc
ParsedStep ParseNormalize(StepReader& reader);    // numbers/normalize.cc
ParsedStep ParseSpline(StepReader& reader);       // numbers/spline.cc
ParsedStep ParseInteraction(StepReader& reader);  // numbers/polynomial.cc
ParsedStep ParsePolynomial(StepReader& reader);
ParsedStep ParseOneHot(StepReader& reader);   // categories/one_hot.cc
ParsedStep ParseOrdinal(StepReader& reader);  // categories/category_numbers.cc
ParsedStep ParseFrequency(StepReader& reader);
ParsedStep ParseTargetEncode(StepReader& reader);  // categories/target_encode.cc
ParsedStep ParseHash(StepReader& reader);          // categories/hash.cc
ParsedStep ParseText(StepReader& reader);          // text.cc
ParsedStep ParseDateParts(StepReader& reader);     // time.cc
ParsedStep ParseElapsed(StepReader& reader);
ParsedStep ParseHaversine(StepReader& reader);  // numbers/haversine.cc
ParsedStep ParseLookup(StepReader& reader);     // categories/lookup.cc

}  // namespace slipway::features

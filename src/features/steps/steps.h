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
ParsedStep ParseStandardize(StepReader& reader);       // scale.cc
ParsedStep ParseMinMax(StepReader& reader);
ParsedStep ParseMaxAbs(StepReader& reader);
ParsedStep ParseRobust(StepReader& reader);
ParsedStep ParseClip(StepReader& reader);  // elementwise.cc
ParsedStep ParseLog1p(StepReader& reader);
ParsedStep ParseCyclical(StepReader& reader);
ParsedStep ParsePower(StepReader& reader);        // power.cc
ParsedStep ParseQuantile(StepReader& reader);     // quantile.cc
ParsedStep ParseBucketize(StepReader& reader);    // bucketize.cc
ParsedStep ParseInteraction(StepReader& reader);  // polynomial.cc
ParsedStep ParsePolynomial(StepReader& reader);
ParsedStep ParseOneHot(StepReader& reader);   // one_hot.cc
ParsedStep ParseOrdinal(StepReader& reader);  // category_numbers.cc
ParsedStep ParseFrequency(StepReader& reader);
ParsedStep ParseTargetEncode(StepReader& reader);  // target_encode.cc
ParsedStep ParseHash(StepReader& reader);          // hash.cc
ParsedStep ParseText(StepReader& reader);          // text.cc
ParsedStep ParseDateParts(StepReader& reader);     // time.cc
ParsedStep ParseElapsed(StepReader& reader);
ParsedStep ParseHaversine(StepReader& reader);  // haversine.cc
ParsedStep ParseLookup(StepReader& reader);     // lookup.cc

}  // namespace slipway::features

#pragma once
// What broke the schema, in one text: for protocols whose errors are a single message.

#include <string>

#include "schema/validator.h"

namespace slipway::serving {

/// "2 of 3 rows break the schema; row 1, distance: schema.out_of_range (min 10): distance is …; row 2, …", the first
/// eight violations. Precondition: the report has some.
std::string ViolationText(const schema::Report& report);

}  // namespace slipway::serving

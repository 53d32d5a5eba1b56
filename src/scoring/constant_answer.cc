#include "scoring/constant_answer.h"

#include <algorithm>

#include "data/decoded.h"
#include "data/json_rows.h"
#include "data/layout.h"
#include "data/violation.h"
#include "schema/schema.h"

namespace slipway::scoring {

base::Result<data::Table> MakeConstantAnswer(const std::vector<data::Field>& fields, const base::Value& constant) {
  const data::Layout layout(fields);
  data::Decoded rows(layout);
  data::JsonRowDecoder(layout).DecodeLine(base::ToJson(constant), rows);
  if (rows.violations.empty()) return std::move(rows.table);
  const data::Violation& fault = rows.violations.front();
  return base::Fail(base::Code::kInvalidArgument, "manifest.fallback",
                    "the fallback's constant is no prediction of this model: " + fault.path + ": " + fault.message,
                    schema::Where(constant.position()));
}

}  // namespace slipway::scoring

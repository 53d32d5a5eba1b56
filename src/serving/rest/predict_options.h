#pragma once
// What a call of /predict asks for: by Content-Type, Accept and the query string.

#include "base/error.h"
#include "net/http_message.h"
#include "serving/rest/media_type.h"
#include "serving/rest/row_answer.h"

namespace slipway::serving::rest {

struct PredictOptions {
  BodyForm form = BodyForm::kJson;  ///< of the body
  AnswerOptions answer;
};

/// Why a call is refused, with the status for it.
struct OptionFault {
  int status;
  std::string_view code;
  std::string detail;
};

std::expected<PredictOptions, OptionFault> ReadPredictOptions(const net::Request& request);

}  // namespace slipway::serving::rest

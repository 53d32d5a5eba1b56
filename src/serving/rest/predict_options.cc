#include "serving/rest/predict_options.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::serving::rest {
namespace {

std::optional<OptionFault> ReadQuery(const net::Request& request, AnswerOptions& answer) {
  if (const auto strict = request.QueryValue("strict")) {
    if (*strict != "true" && *strict != "false") {
      return OptionFault{400, "request.strict",
                         fmt::format("strict is true or false, not \"{}\"", base::Shorten(*strict))};
    }
    answer.strict = *strict == "true";
  }
  if (const auto explain = request.QueryValue("explain")) {
    if (*explain != "timing") {
      return OptionFault{400, "request.explain",
                         fmt::format("explain takes timing, not \"{}\"", base::Shorten(*explain))};
    }
    if (answer.form != BodyForm::kJson) {
      return OptionFault{400, "request.explain",
                         "explain=timing adds to an answer in JSON; send Accept: application/json with it"};
    }
    answer.timing = true;
  }
  return std::nullopt;
}

}  // namespace

std::expected<PredictOptions, OptionFault> ReadPredictOptions(const net::Request& request) {
  PredictOptions options;
  const std::string_view type = request.Header("Content-Type");
  const auto form = BodyFormOf(type);
  if (!form) {
    return std::unexpected(
        OptionFault{415, "request.media_type",
                    fmt::format("this route takes {} in UTF-8, not \"{}\"", kKnownMediaTypes, base::Shorten(type))});
  }
  options.form = *form;
  const std::string_view accept = request.Header("Accept");
  const auto chosen = ChooseForm(accept, *form);
  if (!chosen) {
    return std::unexpected(OptionFault{
        406, "request.accept",
        fmt::format("this route answers in {}, and none of \"{}\"", kAnswerMediaTypes, base::Shorten(accept))});
  }
  options.answer.form = chosen->form;
  options.answer.media_type = chosen->media_type;
  if (!request.query.empty()) {
    if (auto fault = ReadQuery(request, options.answer)) return std::unexpected(*std::move(fault));
  }
  return options;
}

}  // namespace slipway::serving::rest

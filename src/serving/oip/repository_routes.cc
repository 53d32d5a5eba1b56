#include "serving/oip/repository_routes.h"

#include <string>
#include <utility>

#include "base/value.h"
#include "net/late_answer.h"
#include "serving/oip/description.h"
#include "serving/oip/fault.h"
#include "serving/oip/infer_terms.h"

namespace slipway::serving::oip {
namespace {

using base::Value;
using net::Method;
using net::Request;
using net::Response;

constexpr base::JsonLimits kSmall = {.bytes = 1 << 16, .depth = 8, .values = 1024};

void RepositoryIndex(const OipRouteParts& parts, const Request& request, Response& response) {
  bool ready = false;
  if (!request.body.empty()) {
    const auto body = base::ParseJson(request.body, kSmall);
    if (!body) return WriteError(body.error(), response);
    const Value* filter = body->Find("ready");
    if (!body->is_map() || (filter != nullptr && !filter->is_boolean())) {
      return WriteError(400, "the index is asked for with nothing or with {\"ready\": true}", response);
    }
    ready = filter != nullptr && filter->boolean();
  }
  response.body = base::ToJson(DescribeRepository(parts.live, ready));
}

/// Clients may send `{"parameters":{…}}`. What would change a bundle is refused: it is what its digest says.
base::Result<void> CheckParameters(std::string_view text) {
  if (text.empty()) return {};
  SLIPWAY_ASSIGN(const Value body, base::ParseJson(text, kSmall));
  const Value* parameters = body.is_map() ? body.Find("parameters") : nullptr;
  if (parameters == nullptr || !parameters->is_map()) return {};
  for (const auto& [name, value] : parameters->map()) {
    SLIPWAY_TRY(CheckRepositoryParameter(name));
  }
  return {};
}

using Switch = void (live::LiveController::*)(std::string name, live::LiveController::Done done);

/// Answers when the controller has done it.
net::Handler Switching(live::LiveController& controller, Switch to) {
  return [&controller, to](const Request& request, Response& response) {
    if (const auto fine = CheckParameters(request.body); !fine) return WriteError(fine.error(), response);
    response.later = [&controller, to, name = std::string(request.Parameter("model"))](const net::LateAnswer& answer) {
      (controller.*to)(name, [answer](const base::Result<void>& result) {
        answer.Finish([result](const Request&, Response& late) {
          if (!result) {
            WriteError(result.error(), late);
          } else {
            late.body = "{}";
          }
        });
      });
    };
  };
}

net::Handler SwitchHandler(const OipRouteParts& parts, bool operates, Switch to) {
  if (!operates) return Refusing(kOperatedOnAdmin);
  if (parts.controller == nullptr) return Refusing("this server's models are fixed");
  return Switching(*parts.controller, to);
}

}  // namespace

base::Result<void> AddRepositoryRoutes(const OipRouteParts& parts, bool operates, RouteAdder& adder) {
  SLIPWAY_TRY(adder.Add(Method::kPost, "/v2/repository/index", "observe",
                        [parts](const Request& q, Response& r) { RepositoryIndex(parts, q, r); }));
  const std::string permission = operates ? "operate" : "observe", path = "/v2/repository/models/{model}/";
  SLIPWAY_TRY(adder.Add(Method::kPost, path + "load", permission,
                        SwitchHandler(parts, operates, &live::LiveController::SwitchOn)));
  return adder.Add(Method::kPost, path + "unload", permission,
                   SwitchHandler(parts, operates, &live::LiveController::SwitchOff));
}

}  // namespace slipway::serving::oip

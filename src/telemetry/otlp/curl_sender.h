#pragma once
// Sends spans over HTTP by libcurl, which is opened when it is first needed: https, proxies (http_proxy, https_proxy,
// no_proxy) and name resolution that can be given up are its business.

#include <memory>

#include "base/error.h"
#include "telemetry/otlp/options.h"
#include "telemetry/otlp/span_sender.h"

namespace slipway::telemetry::otlp {

/// Errors: those of base::SharedLibrary::Open; unavailable "library.unfit" for a libcurl that lacks what is called;
/// invalid_argument "otlp.endpoint" when it does not take the address.
base::Result<std::unique_ptr<SpanSender>> MakeCurlSender(const Options& options);

}  // namespace slipway::telemetry::otlp

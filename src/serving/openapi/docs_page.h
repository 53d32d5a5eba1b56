#pragma once
// GET /docs: a page that shows every model's contract and lets people try a record. It is made from /openapi.json in
// the browser and loads nothing from elsewhere.

#include <string_view>

namespace slipway::serving::openapi {

std::string_view DocsPage();    ///< text/html
std::string_view DocsScript();  ///< text/javascript, at /docs/page.js
std::string_view DocsStyle();   ///< text/css, at /docs/page.css

/// Content-Security-Policy of the page: only this server's own files, and requests to it.
inline constexpr std::string_view kDocsPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

}  // namespace slipway::serving::openapi

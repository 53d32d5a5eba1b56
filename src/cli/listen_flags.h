#pragma once
// The flags of `serve` that say where it listens and what it shows there.

#include <string>
#include <vector>

#include "base/error.h"
#include "serving/listen_options.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace slipway::cli {

/// As typed; lives as long as the command line.
struct ListenFlags {
  serving::ListenOptions options;
  std::string observe_on = "both", client_auth;
};

void AddListenFlags(CLI::App& command, ListenFlags& flags);
/// Errors: those of ListenOptions::Check() and of the words in the flags.
base::Result<serving::ListenOptions> ReadListenFlags(const ListenFlags& flags);

}  // namespace slipway::cli

#include "balancer/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "net/descriptor.h"

namespace slipway::balancer {
namespace {

using base::Result;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kHostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
constexpr std::string_view kPathCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:/+=@,~";

std::unexpected<base::Error> Misfit(std::string_view option, std::string_view value, std::string_view rule) {
  return base::Fail(base::Code::kInvalidArgument, "usage",
                    fmt::format("{} {:?}: {}", option, base::Shorten(value, 128), rule));
}

/// An address that can stand in a configuration as it is.
Result<net::TcpAddress> ParseAddress(std::string_view option, const std::string& text) {
  auto address = net::TcpAddress::Parse(text);
  if (!address || address->host.find_first_not_of(kHostCharacters) != std::string::npos) {
    return Misfit(option, text, "it is no address; write HOST:PORT or [IPV6]:PORT, such as 10.0.0.11:8080");
  }
  if (address->port == 0) return Misfit(option, text, "the balancer must know the port; write one from 1 to 65535");
  return address;
}

Result<void> CheckReplicas(const Setup& setup, std::vector<std::string>& taken) {
  if (setup.replicas.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "usage",
                      "no replica is named; add each by --replica HOST:PORT, such as --replica 10.0.0.11:8080");
  }
  for (const std::string& replica : setup.replicas) {
    SLIPWAY_ASSIGN(const net::TcpAddress address, ParseAddress("--replica", replica));
    if (address.host.empty() || address.host == "0.0.0.0" || address.host == "::") {
      return Misfit("--replica", replica, "it names no machine; write the address that the balancer reaches it at");
    }
    if (std::ranges::find(taken, address.ToString()) != taken.end()) {
      return Misfit("--replica", replica, "it is named twice; each replica has an address of its own");
    }
    taken.push_back(address.ToString());
  }
  return {};
}

/// One that the balancer itself listens on.
Result<void> CheckOwn(std::string_view option, const std::string& text, std::vector<std::string>& taken) {
  SLIPWAY_ASSIGN(const net::TcpAddress address, ParseAddress(option, text));
  if (std::ranges::find(taken, address.ToString()) != taken.end()) {
    return Misfit(option, text, "that address is taken by --replica or --listen; the balancer needs one of its own");
  }
  taken.push_back(address.ToString());
  return {};
}

Result<void> CheckPath(std::string_view option, const std::string& path) {
  if (path.find_first_not_of(kPathCharacters) == std::string::npos) return {};
  return Misfit(option, path, "it cannot stand in a configuration file; choose a path without blanks and quotes");
}

Result<void> CheckBetween(std::string_view option, milliseconds value, milliseconds least, milliseconds most) {
  if (value >= least && value <= most) return {};
  return Misfit(option, fmt::format("{}ms", value.count()),
                fmt::format("it is out of range; choose from {}ms to {}ms", least.count(), most.count()));
}

}  // namespace

Result<void> Setup::Check() const {
  std::vector<std::string> taken;
  SLIPWAY_TRY(CheckReplicas(*this, taken));
  SLIPWAY_TRY(CheckOwn("--listen", listen, taken));
  if (!stats.empty()) SLIPWAY_TRY(CheckOwn("--stats", stats, taken));
  SLIPWAY_TRY(CheckPath("--tls-cert", tls_certificate));
  SLIPWAY_TRY(CheckPath("--tls-key", tls_key));
  if (tls_certificate.empty() && !tls_key.empty()) {
    return Misfit("--tls-key", tls_key, "it needs the certificate too; add --tls-cert FILE");
  }
  const auto whole = [](std::chrono::nanoseconds time) { return std::chrono::ceil<milliseconds>(time); };
  SLIPWAY_TRY(CheckBetween("--check-interval", whole(check_interval), milliseconds(50), seconds(60)));
  SLIPWAY_TRY(CheckBetween("--slow-start", whole(slow_start), milliseconds(0), seconds(3600)));
  if (retry_bytes >= 16 << 10 && retry_bytes <= 16 << 20) return {};
  return Misfit("--retry-body", fmt::format("{}B", retry_bytes),
                "it is out of range; choose from 16KiB to 16MiB (each connection may take as much memory)");
}

std::chrono::nanoseconds Setup::KeptIdle() const {
  return std::clamp<std::chrono::nanoseconds>(idle_timeout / 2, milliseconds(100), seconds(30));
}

std::chrono::nanoseconds Setup::DrainDelay() const {
  return std::chrono::ceil<seconds>(NoticedAfter() + seconds(1));
}

}  // namespace slipway::balancer

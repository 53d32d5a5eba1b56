#include <fmt/format.h>

#include <algorithm>

#include "balancer/setup.h"
#include "balancer/template.h"

namespace slipway::balancer {
namespace {

constexpr std::string_view kTemplate =
    R"(# HAProxy (2.6 or later) before replicas of slipway, written by `slipway balance haproxy` to be read and edited.
# Check it with `haproxy -c -f FILE`; docs/operations/scaling.md tells how replicas are added, updated and taken out.
# Replicas are to be started with --drain-delay @drain_delay@ or more, and --observe-on admin.

global
    log stderr format raw daemon notice
    # There is no "maxconn": half as many connections as the limit of open files (LimitNOFILE=, ulimit -n) allows.

    # A request can be sent to another replica only while all of it is in this buffer. Each busy connection takes two.
    tune.bufsize @retry_bytes@

defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    option forwardfor
    # A replica's name that does not resolve yet does not keep the others from being served.
    default-server init-addr last,libc,none

    # Connecting takes a round trip; a lost packet is sent again after a second.
    timeout connect 1s
    # Longest wait for a client to send or take more, for a replica to answer, for room on one, and for a whole head (of
    # what may be sent again: a whole request).
    timeout client 60s
    timeout server 60s
    timeout queue 5s
    timeout http-request 30s
    timeout http-keep-alive 60s

    # Each attempt goes to another replica than the last one, so that a request outlives two replicas that die at once, each
    # taken out by two failures (below). What may be attempted again stands in the two backends.
    retries 5
    option redispatch 1

    # Looked at every @check_interval@: two failures take a replica out, two successes take it in again. Two requests in a row
    # that cannot connect take it out at once ("observe" below). There is no "on-marked-down shutdown-sessions": a
    # replica that drains finishes its requests.
    default-server inter @check_interval@ fastinter @fast_interval@ downinter @check_interval@ fall 2 rise 2
    # Who comes back gets its full share only after this time.
    default-server slowstart @slow_start@ weight 100
    # Requests at a time to one replica; more wait here, where they can still go elsewhere.
    default-server maxconn 512
    # Idle connections go earlier than a replica lets go of them.
    default-server pool-purge-delay @kept_idle@

frontend slipway
    bind @listen@@tls@
    # Every request has an id, which the replica's log and answer repeat. traceparent passes as it came.
    unique-id-format %[uuid()]
    http-request set-header X-Request-Id %[unique-id] unless { req.hdr(X-Request-Id) -m found }
    http-request set-header X-Forwarded-Proto https if { ssl_fc }
    http-request set-header X-Forwarded-Proto http unless { ssl_fc }

    # For operators, on the replicas' admin listeners (--admin) and never through here. Of /metrics, a balancer would
    # show another replica's at each look.
    http-request deny deny_status 404 if { path,url_dec -m reg ^/+(metrics|api(/.*)?|v2/+repository(/.*)?)$ }

    # Which requests may be sent twice: a prediction depends on nothing but its request, and reading changes nothing.
    acl reads method GET HEAD OPTIONS
    acl predicts path -m reg ^@predictions@$
    # JSON lines and CSV are answered while they come, so they are not held back here, and cannot be sent again.
    acl streams req.hdr(Content-Type) -m reg -i ^(application/(x-)?(ndjson|jsonl|jsonlines)|text/csv)
    use_backend slipway_repeatable if reads || predicts !streams
    default_backend slipway_once

# Sent again to another replica when the first one could not be reached, died before it began to answer, or says 503.
# 429 (too much at once) is not sent again: more requests are no cure for too many.
backend slipway_repeatable
    retry-on conn-failure empty-response junk-response 503
    # What is sent on before all of it is here cannot be sent again: many clients send head and body apart.
    option http-buffer-request
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host slipway
    http-check expect status 200
@checked_servers@
# Anything else is sent again only if nothing of it has been sent. Connections are not shared, since a request on one that a
# replica is just closing could not be told from one that it has read.
backend slipway_once
    retry-on conn-failure
    http-reuse never
    balance leastconn
@tracking_servers@@stats@)";

constexpr std::string_view kStats = R"(
# For operators of the balancer: a page at /, metrics for Prometheus at /metrics (`haproxy -vv` lists prometheus-exporter).
frontend stats
    bind @stats_address@
    option dontlog-normal
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /
    stats refresh 5s
)";

}  // namespace

base::Result<std::string> HaproxyConfiguration(const Setup& setup) {
  if (!setup.tls_key.empty()) {
    return base::Fail(
        base::Code::kInvalidArgument, "usage",
        fmt::format("--tls-key {:?}: HAProxy takes the key from the certificate's file; write both into one "
                    "(cat {} {} > both.pem) and name that by --tls-cert",
                    setup.tls_key, setup.tls_certificate, setup.tls_key));
  }
  // "*:8080" is all IPv4 addresses, ":::8080" all of both kinds, as the server itself understands ":8080".
  const bool everywhere = setup.listen.starts_with(':');
  return Fill(
      kTemplate,
      {{"listen", everywhere ? "::" + setup.listen + " v4v6" : setup.listen},
       {"tls", setup.tls_certificate.empty() ? "" : fmt::format(" ssl crt {} alpn h2,http/1.1", setup.tls_certificate)},
       {"stats", setup.stats.empty() ? std::string() : Fill(kStats, {{"stats_address", setup.stats}})},
       {"checked_servers",
        ForEach(setup.replicas,
                "    server replica@number@ @address@ check observe layer4 error-limit 2 on-error mark-down\n")},
       {"tracking_servers",
        ForEach(setup.replicas, "    server replica@number@ @address@ track slipway_repeatable/replica@number@\n")},
       {"predictions", std::string(kPredictionPaths)},
       {"drain_delay", Duration(setup.DrainDelay())},
       {"check_interval", Duration(setup.check_interval)},
       {"fast_interval", Duration(setup.check_interval / 2)},
       {"kept_idle", Duration(std::min<std::chrono::nanoseconds>(setup.KeptIdle(), std::chrono::seconds(5)))},
       {"slow_start", Duration(setup.slow_start)},
       {"retry_bytes", std::to_string(setup.retry_bytes)}});
}

}  // namespace slipway::balancer

#include <fmt/format.h>

#include "balancer/setup.h"
#include "balancer/template.h"

namespace slipway::balancer {
namespace {

constexpr std::string_view kTemplate =
    R"(# nginx (1.22 or later) before replicas of slipway, written by `slipway balance nginx` to be read and edited.
# For the http context, such as /etc/nginx/conf.d/slipway.conf; `nginx -t` checks it. docs/operations/scaling.md tells how
# replicas are added, updated and taken out. Replicas are to be started with --drain-delay 1s or more, and
# --observe-on admin.
#
# nginx without a subscription asks no replica how it is: it learns from requests that fail, which it then sends to another
# one. A replica that is up but not ready (/readyz says 503) goes on getting its share, and one that comes back gets
# its full share at once. Where that is not enough, use HAProxy (`slipway balance haproxy`).

# For predictions, and for all that only reads.
upstream slipway_repeatable {
    zone slipway_repeatable 256k;  # one count of connections for all worker processes
    least_conn;
    # max_fails=0: a replica that fails is tried again by the next request, which goes to another one if that fails too. With
    # a bound, nginx answers 502 at once as soon as every replica has failed lately, as in two quick restarts in a row.
@servers@    # Let go earlier than a replica lets go of an idle connection.
    keepalive 64;
    keepalive_timeout @kept_idle@;
    keepalive_requests 10000;
}

# For what must not be sent twice. Its connections are not kept, since a request on one that a replica is just closing could
# not be told from one that it has read.
upstream slipway_once {
    zone slipway_once 256k;
    least_conn;
@servers@}

# Every request has an id, which the replica's log and answer repeat. traceparent passes as it came.
map $http_x_request_id $slipway_request_id {
    ""      $request_id;
    default $http_x_request_id;
}

# Which requests may be sent twice: a prediction depends on nothing but its request, and reading changes nothing.
map "$request_method $uri" $slipway_replicas {
    default                                            slipway_once;
    "~^(GET|HEAD|OPTIONS) "                            slipway_repeatable;
    "~^POST @predictions@$" slipway_repeatable;
}
map $slipway_replicas $slipway_connection {
    slipway_repeatable "";
    default            close;
}

server {
    listen @listen@@tls@;
@certificate@
    client_header_timeout 10s;
    client_body_timeout 60s;
    keepalive_timeout 60s;
    keepalive_requests 10000;
    # A request is taken whole before it is sent on, so that it can be sent again. What is larger than the buffer goes to
    # a file meanwhile. JSON lines and CSV without end cannot pass: send those to a replica, or through HAProxy.
    client_max_body_size @body_bytes@;
    client_body_buffer_size @retry_bytes@;

    proxy_http_version 1.1;
    proxy_set_header Connection $slipway_connection;
    proxy_set_header Host $http_host;
    proxy_set_header X-Request-Id $slipway_request_id;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_connect_timeout 1s;
    proxy_send_timeout 60s;
    proxy_read_timeout 60s;
    proxy_buffers 8 16k;
    proxy_buffer_size 16k;

    # Sent to another replica when the first one could not be reached, died before it began to answer, or says 503. 429 (too
    # much at once) is not sent again: more requests are no cure for too many. "timeout" is for connecting: an answer that
    # takes too long has outlasted proxy_next_upstream_timeout.
    proxy_next_upstream error timeout invalid_header http_502 http_503;
    proxy_next_upstream_tries 3;
    proxy_next_upstream_timeout 10s;

    # For operators, on the replicas' admin listeners (--admin) and never through here. Of /metrics, a balancer would
    # show another replica's at each look.
    location ~ ^/(metrics|api(/.*)?|v2/repository(/.*)?)$ {
        return 404;
    }

    # nginx sends a POST again only where it is told that this does no harm ("non_idempotent").
    location ~ ^@predictions@$ {
        proxy_next_upstream error timeout invalid_header http_502 http_503 non_idempotent;
        proxy_pass http://$slipway_replicas;
    }

    location / {
        proxy_pass http://$slipway_replicas;
    }
}
@stats@)";

constexpr std::string_view kStats = R"(
# For operators of the balancer: connections and requests in all.
server {
    listen @stats_address@;
    access_log off;
    location = /status {
        stub_status;
    }
}
)";

constexpr std::string_view kCertificate = R"(    ssl_certificate @certificate@;
    ssl_certificate_key @key@;
    ssl_protocols TLSv1.2 TLSv1.3;
)";

}  // namespace

base::Result<std::string> NginxConfiguration(const Setup& setup) {
  const bool tls = !setup.tls_certificate.empty();
  // "[::]:8080" with ipv6only=off is all addresses of both kinds, as the server itself understands ":8080".
  const bool everywhere = setup.listen.starts_with(':');
  const std::string& key = setup.tls_key.empty() ? setup.tls_certificate : setup.tls_key;
  return Fill(kTemplate,
              {{"servers", ForEach(setup.replicas, "    server @address@ max_fails=0;\n")},
               {"listen", everywhere ? "[::]" + setup.listen + " ipv6only=off" : setup.listen},
               {"tls", tls ? " ssl http2" : ""},
               {"certificate",
                tls ? Fill(kCertificate, {{"certificate", setup.tls_certificate}, {"key", key}}) : std::string()},
               {"predictions", std::string(kPredictionPaths)},
               {"kept_idle", Duration(setup.KeptIdle())},
               {"body_bytes", std::to_string(setup.body_bytes)},
               {"retry_bytes", std::to_string(setup.retry_bytes)},
               {"stats", setup.stats.empty() ? std::string() : Fill(kStats, {{"stats_address", setup.stats}})}});
}

}  // namespace slipway::balancer

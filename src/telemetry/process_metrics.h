#pragma once
// What the process itself costs, under the names that Prometheus' own clients use: process_….

#include "telemetry/metrics.h"

namespace slipway::telemetry {

/// Read from the kernel at every scrape.
void AddProcessMetrics(MetricRegistry& registry);

}  // namespace slipway::telemetry

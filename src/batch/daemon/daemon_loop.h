#pragma once
// The daemon's life between its start and its end: turns, signals, processes that end.

#include "base/file_descriptor.h"
#include "base/service_manager.h"
#include "batch/daemon/daemon.h"
#include "telemetry/log.h"

namespace slipway::batch {

/// SIGTERM, SIGINT and SIGHUP, blocked in this thread and those that it starts, and readable instead.
/// Error: unavailable "daemon.signals".
base::Result<base::FileDescriptor> TakeSignals();

/// Until SIGTERM or SIGINT: then no run starts any more, and it returns when those that were at work have stopped. A
/// second such signal kills them. SIGHUP reads the job files again and reopens the log.
void RunUntilStopped(Daemon& daemon, const base::FileDescriptor& signals, const base::ServiceManager& manager,
                     telemetry::Log& log);

}  // namespace slipway::batch

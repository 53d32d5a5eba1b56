#pragma once
// What the read-only routes of the protocol say of the server and its models.

#include <string_view>

#include "base/value.h"
#include "live/live_set.h"
#include "serving/model_statistics.h"

namespace slipway::serving::oip {

/// {"name","version","extensions"}
base::Value DescribeServer(std::string_view program_version);
/// {"name","versions","platform","inputs","outputs"}
base::Value DescribeModel(const live::LoadedModel& model, const live::Snapshot& snapshot);
/// The model configuration extension, as far as Slipway has the notion.
base::Value DescribeConfig(const live::LoadedModel& model);
/// One element of "model_stats". `version`: as the answer names it. `wall`, `now`: the same moment by both clocks.
base::Value DescribeStatistics(const live::LoadedModel& model, std::string_view version,
                               const ModelStatistics& statistics, base::WallTime wall, base::SteadyTime now);
/// [{"name","version","state","reason"}]; `ready`: only what can be asked.
base::Value DescribeRepository(const live::LiveSet& live, bool ready);

}  // namespace slipway::serving::oip

#pragma once
// What the read-only routes of the protocol say of the server and its models.

#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "live/live_set.h"
#include "serving/predictor.h"

namespace slipway::serving::oip {

/// {"name","version","extensions"}
base::Value DescribeServer(std::string_view program_version);
/// {"name","versions","platform","inputs","outputs"}
base::Value DescribeModel(const live::LoadedModel& model, const live::Snapshot& snapshot);
/// The model configuration extension, as far as Slipway has the notion.
base::Value DescribeConfig(const live::LoadedModel& model);
/// {"model_stats":[…]}: of one version, of all versions of a name (no `version`), or of everything (no `name` either).
/// Errors: those of Snapshot::Resolve.
base::Result<base::Value> DescribeAllStatistics(const live::LiveSet& live, const Predictor& predictor,
                                                std::string_view name, std::string_view version);

/// What Triton lets clients change, as it stands: all of it is fixed here.
base::Value DescribeTraceSettings();
base::Value DescribeLogSettings();

/// [{"name","version","state","reason"}]; `ready`: only what can be asked.
base::Value DescribeRepository(const live::LiveSet& live, bool ready);

}  // namespace slipway::serving::oip

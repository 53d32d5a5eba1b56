#pragma once
// ProposeManifest writes a first slipway.yaml from the profiles of a table's columns: a starting point that says why
// each line is there, for a person to edit.

#include <cstdint>
#include <string>
#include <vector>

#include "profile/column_profile.h"

namespace slipway::profile {

struct ProposalSource {
  std::string bundle;  ///< name of the bundle
  std::string file;    ///< the table's file name
  int64_t rows = 0;    ///< rows looked at
  bool whole = true;   ///< false: the table has more rows
  std::string target;  ///< column to predict; empty when not known
};

struct Proposal {
  std::string yaml;
  std::vector<std::string> excluded;  ///< columns left out of `inputs`, with the reason
  std::vector<std::string> personal;  ///< columns marked personal
  int64_t inputs = 0;
  int64_t features = 0;
};

Proposal ProposeManifest(const ProposalSource& source, const std::vector<ColumnProfile>& columns);

}  // namespace slipway::profile

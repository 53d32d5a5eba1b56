#pragma once
// What stands in a test for the process of a model: the test program once more, with a model that does what its input
// says, or instead of a model something that breaks the rules of the conversation.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::engine::isolated {

/// What the model does with a row: `x` itself is doubled, unless it is one of these.
enum class Deed : int {
  kCrash = -1,
  kExit = -2,
  kHang = -3,
  kThrow = -4,
  kTakeMemory = -5,
  kNaN = -6,
  kWrongShape = -7,
  kLargeAnswer = -8,  ///< ten million numbers
  kFail = -9,
  kWrongSize = -10,  ///< a shape of more numbers than there are
};

/// Shell that ends in the child which does so; for IsolationOptions::program. `how` is "model", or one of:
/// "crash-at-load", "refuse", "silence", "babble", "once" (crashes at every load but the first), "change" (is another
/// model each time), "cut", "wrong-sequence", "wrong-kind", "far-table", "huge-need", "end-in-answer", "talk".
/// `folder`: where it keeps what it remembers.
std::string ChildScript(std::string_view how, const std::string& folder);

}  // namespace slipway::engine::isolated

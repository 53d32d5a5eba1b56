#pragma once
// AnswerStream scores the batches of an Arrow stream as they are asked for, as an Arrow stream itself.

#include "slipway/slipway.h"

#include <deque>
#include <memory>
#include <string>

#include "base/error.h"
#include "embed/arrow_owned.h"
#include "embed/embedded_scorer.h"

namespace slipway::embed {

/// Thread-safety: one thread at a time.
class AnswerStream {
 public:
  /// Takes `batches` over, whatever comes of it. Errors: "arrow.stream", with the stream's own word; those of
  /// EmbeddedScorer::Check and, of an eager stream, of Score.
  static base::Result<std::unique_ptr<AnswerStream>> Create(std::shared_ptr<const EmbeddedScorer> scorer,
                                                            Owned<ArrowArrayStream> batches, ScoreOptions options,
                                                            bool eager);
  /// Hands `stream` over to whoever releases `out`.
  static void Export(std::unique_ptr<AnswerStream> stream, ArrowArrayStream* out);

 private:
  AnswerStream(std::shared_ptr<const EmbeddedScorer> scorer, Owned<ArrowArrayStream> batches, ScoreOptions options)
      : scorer_(std::move(scorer)), batches_(std::move(batches)), options_(std::move(options)) {}
  base::Result<void> ReadSchema();
  /// An empty array at the end.
  base::Result<Owned<ArrowArray>> ScoreNext();
  base::Result<Owned<ArrowArray>> Next();
  base::Error StreamError(int number);

  // The callbacks of the C interface.
  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out);
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out);
  static const char* GetLastError(ArrowArrayStream* stream);
  static void Release(ArrowArrayStream* stream);

  std::shared_ptr<const EmbeddedScorer> scorer_;
  Owned<ArrowArrayStream> batches_;
  ScoreOptions options_;
  Owned<ArrowSchema> schema_;
  std::deque<Owned<ArrowArray>> ready_;  ///< of an eager stream, which has no more batches
  std::string last_error_;
};

}  // namespace slipway::embed

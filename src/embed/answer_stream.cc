#include "embed/answer_stream.h"

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace slipway::embed {
namespace {

/// The C interface knows numbers of the system only.
int NumberOf(const base::Error& error) {
  switch (error.code) {
    case base::Code::kInvalidArgument:
      return EINVAL;
    case base::Code::kResourceExhausted:
      return ENOMEM;
    default:
      return EIO;
  }
}

}  // namespace

base::Result<std::unique_ptr<AnswerStream>> AnswerStream::Create(std::shared_ptr<const EmbeddedScorer> scorer,
                                                                 Owned<ArrowArrayStream> batches, ScoreOptions options,
                                                                 bool eager) {
  auto stream =
      std::unique_ptr<AnswerStream>(new AnswerStream(std::move(scorer), std::move(batches), std::move(options)));
  SLIPWAY_TRY(stream->ReadSchema());
  SLIPWAY_TRY(stream->scorer_->Check(*stream->schema_, stream->options_));
  while (eager) {
    SLIPWAY_ASSIGN(auto answers, stream->ScoreNext());
    if (answers.is_empty()) break;
    stream->ready_.push_back(std::move(answers));
  }
  if (eager) stream->batches_ = {};
  return stream;
}

base::Result<void> AnswerStream::ReadSchema() {
  if (batches_.is_empty()) {
    return base::Fail(base::Code::kInvalidArgument, "arrow.stream", "the Arrow stream was released already");
  }
  const int number = batches_->get_schema(batches_.get(), schema_.get());
  if (number != 0) return std::unexpected(StreamError(number));
  const std::string_view format = schema_->format == nullptr ? "" : schema_->format;
  if (format == "+s" && (schema_->n_children == 0 || schema_->children != nullptr)) return {};
  return base::Fail(base::Code::kInvalidArgument, "arrow.malformed",
                    fmt::format("this is no stream of record batches: its type is {}", ParseFormat(format).name));
}

base::Error AnswerStream::StreamError(int number) {
  const char* word = batches_->get_last_error == nullptr ? nullptr : batches_->get_last_error(batches_.get());
  return {base::Code::kUnavailable,
          "arrow.stream",
          fmt::format("the stream of tables failed: {}",
                      word != nullptr ? std::string(word) : std::generic_category().message(number)),
          {}};
}

base::Result<Owned<ArrowArray>> AnswerStream::ScoreNext() {
  Owned<ArrowArray> batch, answers;
  const int number = batches_->get_next(batches_.get(), batch.get());
  if (number != 0) return std::unexpected(StreamError(number));
  if (batch.is_empty()) return answers;
  SLIPWAY_ASSIGN(auto columns, scorer_->Score(*schema_, *batch, options_));
  columns.Export(answers.get());
  return answers;
}

base::Result<Owned<ArrowArray>> AnswerStream::Next() {
  if (!batches_.is_empty()) return ScoreNext();
  Owned<ArrowArray> answers;
  if (ready_.empty()) return answers;
  answers = std::move(ready_.front());
  ready_.pop_front();
  return answers;
}

void AnswerStream::Export(std::unique_ptr<AnswerStream> stream, ArrowArrayStream* out) {
  *out = {.get_schema = GetSchema,
          .get_next = GetNext,
          .get_last_error = GetLastError,
          .release = Release,
          .private_data = stream.release()};
}

int AnswerStream::GetSchema(ArrowArrayStream* stream, ArrowSchema* out) try {
  AnswerColumns::ExportSchema(static_cast<AnswerStream*>(stream->private_data)->scorer_->scorer(), out);
  return 0;
} catch (const std::exception&) {
  return ENOMEM;
}

int AnswerStream::GetNext(ArrowArrayStream* stream, ArrowArray* out) try {
  auto& self = *static_cast<AnswerStream*>(stream->private_data);
  out->release = nullptr;
  self.last_error_.clear();
  auto next = self.Next();
  if (next) {
    next->MoveTo(out);
    return 0;
  }
  self.last_error_ = fmt::format("{}: {}", next.error().reason, next.error().Text());
  return NumberOf(next.error());
} catch (const std::exception&) {
  return ENOMEM;
}

const char* AnswerStream::GetLastError(ArrowArrayStream* stream) {
  const auto& error = static_cast<AnswerStream*>(stream->private_data)->last_error_;
  return error.empty() ? nullptr : error.c_str();
}

void AnswerStream::Release(ArrowArrayStream* stream) {
  stream->release = nullptr;
  delete static_cast<AnswerStream*>(std::exchange(stream->private_data, nullptr));
}

}  // namespace slipway::embed

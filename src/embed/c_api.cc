// The functions of slipway.h: they check pointers, translate errors, and let nothing fly out.

#include "slipway/slipway.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "embed/answer_stream.h"
#include "embed/embedded_scorer.h"

struct slipway_scorer {
  std::shared_ptr<const slipway::embed::EmbeddedScorer> scorer;
};

namespace slipway::embed {
namespace {

int32_t NumberOf(base::Code code) {
  switch (code) {
    case base::Code::kInvalidArgument:
      return SLIPWAY_INVALID_ARGUMENT;
    case base::Code::kNotFound:
      return SLIPWAY_NOT_FOUND;
    case base::Code::kAlreadyExists:
      return SLIPWAY_ALREADY_EXISTS;
    case base::Code::kFailedPrecondition:
      return SLIPWAY_FAILED_PRECONDITION;
    case base::Code::kOutOfRange:
      return SLIPWAY_OUT_OF_RANGE;
    case base::Code::kUnimplemented:
      return SLIPWAY_UNIMPLEMENTED;
    case base::Code::kInternal:
      return SLIPWAY_INTERNAL;
    case base::Code::kUnavailable:
      return SLIPWAY_UNAVAILABLE;
    case base::Code::kDeadlineExceeded:
      return SLIPWAY_DEADLINE_EXCEEDED;
    case base::Code::kResourceExhausted:
      return SLIPWAY_RESOURCE_EXHAUSTED;
    case base::Code::kCancelled:
      return SLIPWAY_CANCELLED;
    case base::Code::kPermissionDenied:
      return SLIPWAY_PERMISSION_DENIED;
    case base::Code::kUnauthenticated:
      return SLIPWAY_UNAUTHENTICATED;
    case base::Code::kDataLoss:
      return SLIPWAY_DATA_LOSS;
    case base::Code::kAborted:
      return SLIPWAY_ABORTED;
  }
  return SLIPWAY_INTERNAL;
}

/// Texts of an error, one behind the other, each with its NUL.
void Fill(slipway_error* error, int32_t code, std::string_view reason, std::string_view field,
          std::string_view message) {
  if (error == nullptr) return;
  slipway_error_clear(error);
  error->code = code;
  auto* memory = static_cast<char*>(std::calloc(reason.size() + field.size() + message.size() + 3, 1));
  error->memory = memory;
  if (memory == nullptr) {
    error->reason = "memory";
    error->field = "";
    error->message = "there is no memory left";
    return;
  }
  const auto place = [&memory](std::string_view text) {
    std::memcpy(memory, text.data(), text.size());
    return std::exchange(memory, memory + text.size() + 1);
  };
  error->reason = place(reason);
  error->field = place(field);
  error->message = place(message);
}

/// Runs a call that gives a Result<void>.
template <typename Call>
int32_t Guard(slipway_error* error, Call&& call) noexcept {
  try {
    const base::Result<void> done = call();
    if (done) return SLIPWAY_OK;
    const auto& fault = done.error();
    const int32_t code = NumberOf(fault.code);
    Fill(error, code, fault.reason, fault.where, fault.message);
    return code;
  } catch (const std::bad_alloc&) {
    Fill(error, SLIPWAY_RESOURCE_EXHAUSTED, "memory", "", "there is no memory left for this call");
    return SLIPWAY_RESOURCE_EXHAUSTED;
  } catch (const std::exception& thrown) {
    Fill(error, SLIPWAY_INTERNAL, "internal", "", thrown.what());
    return SLIPWAY_INTERNAL;
  }
}

base::Result<void> CheckPointers(bool given, std::string_view function) {
  if (given) return {};
  return base::Fail(base::Code::kInvalidArgument, "usage", std::string(function) + " was called with a null pointer");
}

/// Options of a caller that may know fewer of them than this library.
base::Result<slipway_score_options> Whole(const slipway_score_options* options) {
  slipway_score_options whole{};
  whole.size = sizeof(whole);
  if (options == nullptr) return whole;
  if (options->size < sizeof(size_t) || options->size > sizeof(whole)) {
    return base::Fail(base::Code::kInvalidArgument, "usage",
                      "the size of the options is none that this library knows: set `size` to their sizeof, and use a "
                      "library that is not older than the header");
  }
  std::memcpy(&whole, options, options->size);
  const bool names = whole.known_count == 0 || (whole.known_count > 0 && whole.known != nullptr);
  if (!names || whole.threads < 0 || whole.threads > 1024) {
    return base::Fail(base::Code::kInvalidArgument, "usage", "known_count or threads is out of bounds");
  }
  return whole;
}

ScoreOptions OptionsOf(const slipway_score_options& options) {
  ScoreOptions made;
  for (int64_t i = 0; i < options.known_count; ++i) {
    if (options.known[i] != nullptr) made.columns.known.emplace_back(options.known[i]);
  }
  made.columns.ignore_unknown = options.ignore_unknown != 0;
  made.threads = options.threads;
  return made;
}

}  // namespace
}  // namespace slipway::embed

using slipway::base::Result;
using namespace slipway::embed;  // NOLINT(google-build-using-namespace): the functions of C stand in none

void slipway_error_clear(slipway_error* error) {
  if (error == nullptr) return;
  std::free(error->memory);
  *error = SLIPWAY_NO_ERROR;
}

uint32_t slipway_abi() {
  return SLIPWAY_ABI;
}

const char* slipway_version() {
  return SLIPWAY_VERSION;
}

int32_t slipway_open(const char* path, const void* options, slipway_scorer** out, slipway_error* error) {
  return Guard(error, [&]() -> Result<void> {
    SLIPWAY_TRY(CheckPointers(path != nullptr && out != nullptr && options == nullptr, "slipway_open"));
    auto opened = std::make_unique<slipway_scorer>();
    SLIPWAY_ASSIGN(opened->scorer, EmbeddedScorer::Open(path));
    *out = opened.release();
    return {};
  });
}

void slipway_close(slipway_scorer* scorer) {
  delete scorer;
}

const char* slipway_describe(const slipway_scorer* scorer) {
  return scorer == nullptr ? "{}" : scorer->scorer->description().c_str();
}

// NOLINTNEXTLINE(readability-function-size): as many as C asks for
int32_t slipway_score(const slipway_scorer* scorer, ArrowSchema* schema, ArrowArray* batch,
                      const slipway_score_options* options, ArrowSchema* out_schema, ArrowArray* out,
                      slipway_error* error) {
  const Owned<ArrowSchema> taken_schema(schema);
  const Owned<ArrowArray> taken(batch);
  return Guard(error, [&]() -> Result<void> {
    const bool given =
        scorer != nullptr && schema != nullptr && batch != nullptr && out_schema != nullptr && out != nullptr;
    SLIPWAY_TRY(CheckPointers(given, "slipway_score"));
    SLIPWAY_ASSIGN(const auto whole, Whole(options));
    SLIPWAY_ASSIGN(auto answers, scorer->scorer->Score(*taken_schema, *taken, OptionsOf(whole)));
    Owned<ArrowSchema> answer_schema;
    AnswerColumns::ExportSchema(scorer->scorer->scorer(), answer_schema.get());
    answers.Export(out);
    answer_schema.MoveTo(out_schema);
    return {};
  });
}

int32_t slipway_score_stream(const slipway_scorer* scorer, ArrowArrayStream* batches,
                             const slipway_score_options* options, ArrowArrayStream* out, slipway_error* error) {
  Owned<ArrowArrayStream> taken(batches);
  return Guard(error, [&]() -> Result<void> {
    SLIPWAY_TRY(CheckPointers(scorer != nullptr && batches != nullptr && out != nullptr, "slipway_score_stream"));
    SLIPWAY_ASSIGN(const auto whole, Whole(options));
    SLIPWAY_ASSIGN(auto stream,
                   AnswerStream::Create(scorer->scorer, std::move(taken), OptionsOf(whole), whole.eager != 0));
    AnswerStream::Export(std::move(stream), out);
    return {};
  });
}

// NOLINTNEXTLINE(readability-function-size)
int32_t slipway_score_json(const slipway_scorer* scorer, const char* lines, size_t size,
                           const slipway_score_options* options, char** out, size_t* out_size, slipway_error* error) {
  return Guard(error, [&]() -> Result<void> {
    const bool given = scorer != nullptr && (lines != nullptr || size == 0) && out != nullptr && out_size != nullptr;
    SLIPWAY_TRY(CheckPointers(given, "slipway_score_json"));
    SLIPWAY_ASSIGN(const auto whole, Whole(options));
    SLIPWAY_ASSIGN(const auto answers, scorer->scorer->ScoreLines({lines, size}, whole.ignore_unknown != 0));
    auto* text = static_cast<char*>(std::malloc(answers.size() + 1));
    if (text == nullptr) throw std::bad_alloc();
    std::memcpy(text, answers.c_str(), answers.size() + 1);
    *out = text;
    *out_size = answers.size();
    return {};
  });
}

void slipway_free(char* text) {
  std::free(text);
}

int32_t slipway_output_schema(const slipway_scorer* scorer, ArrowSchema* out, slipway_error* error) {
  return Guard(error, [&]() -> Result<void> {
    SLIPWAY_TRY(CheckPointers(scorer != nullptr && out != nullptr, "slipway_output_schema"));
    AnswerColumns::ExportSchema(scorer->scorer->scorer(), out);
    return {};
  });
}

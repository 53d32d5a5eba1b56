#include "serving/rest/predict_stream.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "net/late_answer.h"
#include "serving/http_status.h"
#include "serving/prediction_call.h"
#include "serving/rest/problem.h"
#include "serving/rest/row_answer.h"
#include "serving/rest/row_pipe.h"

namespace slipway::serving::rest {
namespace {

constexpr int kLastPriority = 7;
constexpr size_t kPadding = 64;  ///< that RowPipe may read past a piece

base::Error CutShort() {
  return {base::Code::kCancelled, "http.cut_short", "the request ended before its answer did", ""};
}

/// The version on a thread of the pool: the one that this thread keeps, if it is the newest of its name still.
base::Result<std::shared_ptr<ServedModel>> AcquireOnPool(Predictor& predictor, int thread,
                                                         const std::shared_ptr<const live::LoadedModel>& model) {
  auto kept = predictor.Pin(thread, model->reference());
  if (kept && (*kept)->model().index == model->index) return kept;
  return predictor.AcquireModel(thread, model);
}

}  // namespace

/// What becomes of the rows, piece by piece.
struct PredictStream::Rows {
  Rows(const PredictOptions& options, ServedModel& served)
      : answer(served, options.answer), pipe(options.form, served, answer) {}

  /// `piece`: what has come; nullptr: nothing more will.
  void Work(ServedModel& served, const std::string_view* piece, const net::Request& request, net::Response& out) {
    answer.Use(served);
    pipe.Use(served);
    served.TakeUp(Door::kNative, state);
    done = piece != nullptr ? pipe.Feed(*piece, request, out) : pipe.Finish(request, out);
    if (piece == nullptr && done) whole = answer.Finish(request, out);
    state = served.PutAway();
  }

  RowAnswer answer;
  RowPipe pipe;
  ServedModel::CallState state;
  base::Result<void> done;
  bool whole = false;
  net::Response response;  ///< while it is lent
};

bool PredictStream::Start(const net::Request& request, net::Response& response) {
  auto pinned = predictor_.Pin(request.thread, request.Parameter("model"));
  predictor_.note(request.thread) = {};  // whose answer is next, is not known
  if (!pinned) {
    failure_ = pinned.error();
    WriteProblem(pinned.error(), request, response);
    return false;
  }
  served_ = *std::move(pinned);
  served_->Begin(Door::kNative);
  response.AddHeaderLines(served_->header_lines());
  response.content_type = options_.answer.media_type;
  rows_ = std::make_shared<Rows>(options_, *served_);
  state_ = rows_->state = served_->PutAway();
  return true;
}

bool PredictStream::IsHeavy() const {
  return predictor_.pool() != nullptr && served_->workload() != nullptr && served_->workload()->heavy();
}

bool PredictStream::OnBody(std::string_view piece, const net::Request& request, net::Response& response) {
  if (IsHeavy()) {
    Lend(std::string(piece), request, response);
    return true;
  }
  rows_->Work(*served_, &piece, request, response);
  return Settle(request, response);
}

bool PredictStream::OnEnd(const net::Request& request, net::Response& response) {
  if (IsHeavy()) {
    Lend(std::nullopt, request, response);
    return true;
  }
  rows_->Work(*served_, nullptr, request, response);
  return Settle(request, response);
}

/// Has a thread of the pool work on the next piece.
void PredictStream::Lend(std::optional<std::string> piece, const net::Request& request, net::Response& response) {
  rows_->response = response;
  response.body.clear();
  if (piece) piece->reserve(piece->size() + kPadding);
  const int priority = std::min(PriorityOf(request) + 1, kLastPriority);
  response.later = [&predictor = predictor_, rows = rows_, model = served_->shared_model(), priority,
                    piece = std::move(piece)](const net::LateAnswer& answer) {
    const auto job = [&predictor, rows, model, priority, piece, answer](int thread) {
      if (answer.abandoned().stop_requested()) return;
      try {
        net::Request asked = answer.request();
        asked.thread = thread;
        auto served = AcquireOnPool(predictor, thread, model);
        if (served) {
          (*served)->SetPriority(priority);
          const std::string_view text = piece ? std::string_view(*piece) : std::string_view();
          rows->Work(**served, piece ? &text : nullptr, asked, rows->response);
        } else {
          rows->done = std::unexpected(std::move(served).error());
        }
      } catch (const std::exception&) {
        answer.Finish([failure = std::current_exception()](const net::Request&, net::Response&) {
          std::rethrow_exception(failure);
        });
        return;
      }
      answer.Finish([](const net::Request&, net::Response&) {});
    };
    if (predictor.pool()->Submit(static_cast<uint64_t>(model->index), priority, job)) return;
    rows->done =
        base::Fail(base::Code::kUnavailable, "overload.full",
                   "this server can take no more work for this model now; send the rest again, or ask another");
    answer.Finish([](const net::Request&, net::Response&) {});
  };
}

bool PredictStream::OnWorked(const net::Request& request, net::Response& response) {
  const bool begun = response.begun;
  response = std::move(rows_->response);
  response.begun = begun;
  return Settle(request, response);
}

/// The end of a piece. False: the answer ends in an error.
bool PredictStream::Settle(const net::Request& request, net::Response& response) {
  state_ = rows_->state;
  held_ = rows_->pipe.HeldBytes();
  whole_ = rows_->whole;
  if (rows_->done) return true;
  failure_ = rows_->done.error();
  if (response.begun) {
    rows_->answer.Use(*served_);
    rows_->answer.AppendFailure(failure_->reason, failure_->Text(), response.body);
    response.status = HttpStatusOf(*failure_);
  } else {
    WriteProblem(*failure_, request, response);
  }
  return false;
}

void PredictStream::OnFault(const net::HttpFault& fault, const net::Request&, net::Response& response) {
  if (rows_ != nullptr) {
    rows_->answer.Use(*served_);
    rows_->answer.AppendFailure(fault.code, fault.detail, response.body);
  }
  failure_ = base::Error{base::Code::kCancelled, std::string(fault.code), std::string(fault.detail), ""};
}

void PredictStream::OnDone(const net::Request& request, const net::Response&) {
  RequestNote& note = predictor_.note(request.thread);
  if (served_ == nullptr) {
    note.code = failure_.value_or(CutShort()).reason;
    return;
  }
  served_->TakeUp(Door::kNative, state_);
  if (whole_) {
    served_->End(note);
  } else {
    served_->Fail(failure_.value_or(CutShort()), note);
  }
}

}  // namespace slipway::serving::rest

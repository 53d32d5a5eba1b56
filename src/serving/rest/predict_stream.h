#pragma once
// PredictStream: JSON lines or CSV whose rows are answered as they arrive.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/route_table.h"
#include "serving/predictor.h"
#include "serving/rest/predict_options.h"
#include "serving/served_model.h"

namespace slipway::serving::rest {

/// Between its turns others use the model's buffers. Pieces for a heavy model are worked on by the pool's threads, one
/// at a time: they queue there like calls, behind those of the same priority, and each has the time of a call.
///
/// Ownership: the predictor outlives it.
class PredictStream final : public net::StreamedAnswer {
 public:
  PredictStream(Predictor& predictor, const PredictOptions& options) : predictor_(predictor), options_(options) {}

  bool Start(const net::Request& request, net::Response& response) override;
  bool OnBody(std::string_view piece, const net::Request& request, net::Response& response) override;
  bool OnEnd(const net::Request& request, net::Response& response) override;
  bool OnWorked(const net::Request& request, net::Response& response) override;
  int64_t HeldBytes() const override { return held_; }
  void OnFault(const net::HttpFault& fault, const net::Request& request, net::Response& response) override;
  void OnDone(const net::Request& request, const net::Response& response) override;

 private:
  struct Rows;
  bool IsHeavy() const;
  void Lend(std::optional<std::string> piece, const net::Request& request, net::Response& response);
  bool Settle(const net::Request& request, net::Response& response);

  Predictor& predictor_;
  const PredictOptions options_;
  std::shared_ptr<ServedModel> served_;  ///< of the io thread
  std::shared_ptr<Rows> rows_;           ///< the pool's while it works on a piece
  // As the last piece left it.
  ServedModel::CallState state_;
  int64_t held_ = 0;
  std::optional<base::Error> failure_;
  bool whole_ = false;
};

}  // namespace slipway::serving::rest

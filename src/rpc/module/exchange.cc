#include "rpc/module/exchange.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <deque>
#include <stop_token>
#include <string>
#include <utility>

#include "rpc/module/message_bytes.h"
#include "rpc/module/worker.h"

namespace slipway::rpc {
namespace {

constexpr size_t kErrorBytes = 3 << 10;  ///< clients take 8 KiB of metadata, and escapes triple a text

/// "ipv4:127.0.0.1:51234" as "127.0.0.1:51234", "ipv6:%5B::1%5D:51234" as "[::1]:51234".
std::string PeerName(std::string name) {
  if (name.starts_with("ipv4:")) return name.substr(5);
  if (!name.starts_with("ipv6:")) return name.starts_with("unix") ? "unix" : name;
  name.erase(0, 5);
  for (const auto& [escape, bracket] : {std::pair("%5B", '['), std::pair("%5D", ']')}) {
    if (const size_t at = name.find(escape); at != std::string::npos) name.replace(at, 3, 1, bracket);
  }
  return name;
}

base::SteadyTime SteadyDeadline(std::chrono::system_clock::time_point deadline, base::SteadyTime now) {
  const auto left = deadline - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24 * 365)) return base::SteadyTime::max();
  return now + std::chrono::duration_cast<base::SteadyTime::duration>(left);
}

/// Within `most` bytes, at a UTF-8 boundary.
std::string Cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return text + "…";
}

/// The library ends the process over a value that HTTP/2 does not take.
std::string Printable(std::string value) {
  for (char& c : value) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return value;
}

class GenericExchange;

/// A call that waits for somebody else.
class WaitingCall final : public Later, public std::enable_shared_from_this<WaitingCall> {
 public:
  WaitingCall(std::shared_ptr<Mailbox> mailbox, GenericExchange& exchange)
      : exchange(&exchange), mailbox_(std::move(mailbox)) {}
  void Post(std::function<void(Reply&)> answer) override;
  std::stop_token abandoned() const override { return stop_.get_token(); }
  void Abandon() {
    exchange = nullptr;
    stop_.request_stop();
  }

  GenericExchange* exchange;  ///< looked at on the worker's thread only

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  std::stop_source stop_;
};

template <auto Do>
class Bound final : public Event {
 public:
  explicit Bound(GenericExchange& owner) : owner_(owner) {}
  void Run(bool ok) override { (owner_.*Do)(ok); }
  void* tag() { return static_cast<Event*>(this); }

 private:
  GenericExchange& owner_;
};

class GenericExchange final : public Exchange {
 public:
  explicit GenericExchange(Worker& worker) : worker_(worker), stream_(&context_) {
    context_.AsyncNotifyWhenDone(done_.tag());
    worker.generic().RequestCall(&context_, &stream_, &worker.queue(), &worker.queue(), arrived_.tag());
  }

  void Handle() override;
  void EndIfIdle() override;
  void Resume(const std::function<void(Reply&)>& answer);

 private:
  void OnArrived(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnDone(bool ok);

  Call MakeCall() const;
  void Read();
  void Send();
  void SendMetadata();
  void AddTrailers();
  void Finish(Status status, std::string error);
  void Await();
  void EndForShutdown();
  void GiveUp();
  void GoIfOver();

  Worker& worker_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  Bound<&GenericExchange::OnArrived> arrived_{*this};
  Bound<&GenericExchange::OnRead> read_{*this};
  Bound<&GenericExchange::OnWritten> written_{*this};
  Bound<&GenericExchange::OnFinished> finished_{*this};
  Bound<&GenericExchange::OnDone> done_{*this};

  const Method* method_ = nullptr;
  std::string peer_;
  std::vector<Metadata> metadata_;
  base::SteadyTime received_, deadline_;
  grpc::ByteBuffer incoming_;
  MessageBytes bytes_;
  Reply reply_;
  std::shared_ptr<WaitingCall> waiting_;
  std::deque<std::function<void(Reply&)>> posted_;  ///< while something is being written

  int pending_ = 0;  ///< events under way, a message set aside counted as one
  bool reading_ = false, writing_ = false, first_ = true, metadata_sent_ = false;
  bool ends_ = false;  ///< after what is being written
  bool over_ = false;  ///< nothing more is sent
  bool cancelled_ = false;
  bool incomplete_ = false;  ///< ended before its message
};

void WaitingCall::Post(std::function<void(Reply&)> answer) {
  mailbox_->Post([self = shared_from_this(), answer = std::move(answer)] {
    if (self->exchange != nullptr) return self->exchange->Resume(answer);
    Reply nobodys;
    answer(nobodys);
  });
}

void GenericExchange::OnArrived(bool ok) {
  if (!ok) {  // the server has been shut down
    delete this;
    return;
  }
  pending_ = 1;  // of done_
  worker_.Enter(*this);
  if (worker_.closed()) {
    over_ = true;
    return;  // until done_ comes
  }
  Exchange::Await(worker_);
  received_ = std::chrono::steady_clock::now();
  deadline_ = SteadyDeadline(context_.deadline(), received_);
  peer_ = PeerName(context_.peer());
  for (const auto& [name, value] : context_.client_metadata()) {
    metadata_.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  }
  method_ = worker_.service().Find(context_.method());
  if (method_ != nullptr) return Read();
  worker_.service().OnUnknown(MakeCall(), reply_);
  Finish(Status::kUnimplemented, reply_.error);
}

Call GenericExchange::MakeCall() const {
  return {.path = context_.method(),
          .metadata = metadata_,
          .peer = peer_,
          .message = bytes_.view(),
          .received = received_,
          .deadline = deadline_,
          .thread = worker_.index(),
          .first = first_};
}

void GenericExchange::Read() {
  if (worker_.closed()) return GiveUp();
  if (worker_.draining() && method_->streams) return EndForShutdown();
  ++pending_;
  reading_ = true;
  stream_.Read(&incoming_, read_.tag());
}

void GenericExchange::OnRead(bool ok) {
  reading_ = false;
  if (ok && !over_) {
    worker_.Ready(*this);  // still pending
    return;
  }
  --pending_;
  if (over_) return GoIfOver();
  // The client is done, or its call was broken off: then what is finished here goes nowhere.
  if (method_->streams) return Finish(Status::kOk, {});
  incomplete_ = true;
  Finish(Status::kInternal, "the call ended before its message");
}

void GenericExchange::Handle() {
  --pending_;
  if (over_ || cancelled_) {
    over_ = true;
    return GoIfOver();
  }
  if (!first_) received_ = std::chrono::steady_clock::now();
  std::string error;
  if (!bytes_.Take(incoming_, worker_.service(), error)) {
    worker_.service().OnLoss(Loss::kTooLarge, context_.method(), peer_);
    return Finish(Status::kResourceExhausted, std::move(error));
  }
  reply_.Clear();
  if (deadline_ <= received_) {
    return Finish(Status::kDeadlineExceeded, "the deadline passed before the call was begun");
  }
  worker_.service().Handle(*method_, MakeCall(), reply_);
  first_ = false;
  bytes_.Release();
  if (reply_.later) {
    Await();
  } else {
    Send();
  }
}

void GenericExchange::Await() {
  if (waiting_ == nullptr) waiting_ = std::make_shared<WaitingCall>(worker_.mailbox(), *this);
  const auto later = std::move(reply_.later);
  reply_.later = nullptr;
  later(waiting_);
}

void GenericExchange::Resume(const std::function<void(Reply&)>& answer) {
  if (over_) {
    Reply nobodys;
    return answer(nobodys);
  }
  if (writing_) {
    posted_.push_back(answer);
    return;
  }
  reply_.Clear();
  answer(reply_);
  if (reply_.later) {
    Await();
  } else {
    Send();
  }
}

void GenericExchange::SendMetadata() {
  if (std::exchange(metadata_sent_, true)) return;
  for (auto& [name, value] : reply_.metadata) context_.AddInitialMetadata(name, Printable(std::move(value)));
}

void GenericExchange::AddTrailers() {
  for (auto& [name, value] : reply_.trailers) context_.AddTrailingMetadata(name, Printable(std::move(value)));
}

/// What would be begun now cannot be.
void GenericExchange::GiveUp() {
  over_ = true;
  GoIfOver();
}

void GenericExchange::Send() {
  if (worker_.closed()) return GiveUp();
  SendMetadata();
  if (reply_.status != Status::kOk) return Finish(reply_.status, std::move(reply_.error));
  if (!method_->streams) {
    over_ = true;
    ++pending_;
    AddTrailers();
    stream_.WriteAndFinish(MakeBuffer(reply_.message), grpc::WriteOptions(), grpc::Status::OK, finished_.tag());
    return;
  }
  ends_ = reply_.end;
  if (reply_.has_message) {
    writing_ = true;
    ++pending_;
    stream_.Write(MakeBuffer(reply_.message), written_.tag());
  } else if (ends_) {
    Finish(Status::kOk, {});
  } else if (!method_->pushes) {
    Read();
  }
}

void GenericExchange::OnWritten(bool ok) {
  --pending_;
  writing_ = false;
  if (!ok) over_ = true;  // the client has gone
  if (over_) return GoIfOver();
  if (ends_) return Finish(Status::kOk, {});
  if (!posted_.empty()) {
    const auto next = std::move(posted_.front());
    posted_.pop_front();
    Resume(next);
  } else if (method_->pushes) {
    if (worker_.draining()) EndForShutdown();
  } else {
    Read();
  }
}

/// May be called while a message is being read.
void GenericExchange::Finish(Status status, std::string error) {
  if (worker_.closed()) return GiveUp();
  over_ = true;
  ++pending_;
  SendMetadata();
  stream_.Finish(grpc::Status(static_cast<grpc::StatusCode>(status), Cut(std::move(error), kErrorBytes)),
                 finished_.tag());
}

void GenericExchange::OnFinished(bool) {
  --pending_;
  GoIfOver();
}

void GenericExchange::OnDone(bool) {
  --pending_;
  cancelled_ = context_.IsCancelled();
  if (waiting_ != nullptr) waiting_->Abandon();
  if (!cancelled_) {
    if (incomplete_) worker_.service().OnLoss(Loss::kIncomplete, context_.method(), peer_);
  } else if (std::chrono::steady_clock::now() < deadline_) {
    worker_.service().OnLoss(Loss::kReset, context_.method(), peer_);
  }
  over_ = true;
  GoIfOver();
}

void GenericExchange::EndIfIdle() {
  if (!over_ && !writing_ && method_->streams && (reading_ || method_->pushes)) EndForShutdown();
}

void GenericExchange::EndForShutdown() {
  Finish(Status::kUnavailable, "the server is shutting down; call again, another one answers");
}

void GenericExchange::GoIfOver() {
  if (pending_ > 0) return;
  worker_.Leave(*this);
  delete this;
}

}  // namespace

void Exchange::Await(Worker& worker) {
  new GenericExchange(worker);  // NOLINT(cppcoreguidelines-owning-memory): goes with its last event
}

}  // namespace slipway::rpc

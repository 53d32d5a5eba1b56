#include "rpc/module/worker.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "rpc/module/exchange.h"

namespace slipway::rpc {
namespace {

constexpr int kAwaited = 64;         ///< calls that may arrive before the thread comes round again
constexpr size_t kReadyAtMost = 64;  ///< messages set aside before they are handled

}  // namespace

Mailbox::Mailbox(grpc::ServerCompletionQueue& queue) : queue_(&queue), alarm_(std::make_unique<grpc::Alarm>()) {}
Mailbox::~Mailbox() = default;

void Mailbox::Post(Task task) {
  const std::lock_guard lock(mutex_);
  if (queue_ == nullptr) return;
  tasks_.push_back(std::move(task));
  if (std::exchange(armed_, true)) return;
  alarm_->Set(queue_, gpr_now(GPR_CLOCK_MONOTONIC), static_cast<void*>(static_cast<Event*>(this)));
}

void Mailbox::Close() {
  const std::lock_guard lock(mutex_);
  queue_ = nullptr;
  tasks_.clear();
}

void Mailbox::Run(bool) {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    armed_ = false;
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
}

Worker::Worker(int index, const TransportOptions& options, Service& service, grpc::AsyncGenericService& generic,
               std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : index_(index),
      options_(options),
      service_(service),
      generic_(generic),
      queue_(std::move(queue)),
      mailbox_(std::make_shared<Mailbox>(*queue_)) {}

Worker::~Worker() = default;

void Worker::Run() {
  for (int i = 0; i < kAwaited; ++i) Exchange::Await(*this);
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    static_cast<Event*>(tag)->Run(ok);
    while (!ready_.empty() && ready_.size() < kReadyAtMost &&
           queue_->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<Event*>(tag)->Run(ok);
    }
    // Handling one may make another ready.
    for (size_t i = 0; i < ready_.size(); ++i) ready_[i]->Handle();
    ready_.clear();
  }
}

void Worker::Empty() {
  mailbox_->Close();
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

/// On the worker's own thread, so that no event finds the queue shut down behind its back: the library ends the process
/// over what is begun then.
void Worker::Shutdown() {
  mailbox_->Post([this] {
    closed_ = true;
    mailbox_->Close();
    queue_->Shutdown();
  });
}

void Worker::BeginDrain() {
  mailbox_->Post([this] {
    draining_ = true;
    for (size_t i = exchanges_.size(); i-- > 0;) exchanges_[i]->EndIfIdle();
  });
}

void Worker::Enter(Exchange& exchange) {
  exchange.place = exchanges_.size();
  exchanges_.push_back(&exchange);
}

void Worker::Leave(Exchange& exchange) {
  exchanges_.back()->place = exchange.place;
  exchanges_[exchange.place] = exchanges_.back();
  exchanges_.pop_back();
}

}  // namespace slipway::rpc

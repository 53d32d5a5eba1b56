#pragma once
// Worker: one thread of the transport with its own completion queue, so that all events of a call run on one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "rpc/transport.h"

namespace grpc {
class Alarm;
class AsyncGenericService;
class ServerCompletionQueue;
}  // namespace grpc

namespace slipway::rpc {

class Exchange;

/// What the queue hands back when something has been done.
class Event {
 public:
  virtual void Run(bool ok) = 0;

 protected:
  ~Event() = default;
};

/// Tasks for a worker from other threads. Thread-safety: all methods from any thread; may outlive the worker.
class Mailbox final : public Event {
 public:
  explicit Mailbox(grpc::ServerCompletionQueue& queue);
  ~Mailbox();
  using Task = std::function<void()>;
  /// Not run after Close().
  void Post(Task task);
  void Close();
  void Run(bool ok) override;  ///< on the worker's thread

 private:
  std::mutex mutex_;  ///< guards what follows
  grpc::ServerCompletionQueue* queue_;
  std::unique_ptr<grpc::Alarm> alarm_;
  std::vector<Task> tasks_;
  bool armed_ = false;
};

class Worker {
 public:
  Worker(int index, const TransportOptions& options, Service& service, grpc::AsyncGenericService& generic,
         std::unique_ptr<grpc::ServerCompletionQueue> queue);
  ~Worker();

  /// Runs events until the queue is shut down and empty.
  void Run();
  /// Instead of Run() and Shutdown(), for a server that did not start.
  void Empty();
  /// Ends Run(). From any thread, when the server has been shut down.
  void Shutdown();
  /// Ends what waits for its client, from now on as soon as it comes to wait. From any thread.
  void BeginDrain();

  // On the worker's thread.
  void Enter(Exchange& exchange);
  void Leave(Exchange& exchange);
  /// A message has come. It is handled once the queue has been emptied, so that a call which its client has taken back
  /// meanwhile costs nothing.
  void Ready(Exchange& exchange) { ready_.push_back(&exchange); }
  bool draining() const { return draining_; }
  /// Nothing may be begun any more: the queue takes nothing.
  bool closed() const { return closed_; }

  int index() const { return index_; }
  const TransportOptions& options() const { return options_; }
  Service& service() { return service_; }
  grpc::AsyncGenericService& generic() { return generic_; }
  grpc::ServerCompletionQueue& queue() { return *queue_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 private:
  const int index_;
  const TransportOptions& options_;
  Service& service_;
  grpc::AsyncGenericService& generic_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const std::shared_ptr<Mailbox> mailbox_;
  std::vector<Exchange*> exchanges_;  ///< those that have begun
  std::vector<Exchange*> ready_;
  bool draining_ = false, closed_ = false;
};

}  // namespace slipway::rpc

#include "engine/isolated/host.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <list>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/file_descriptor.h"
#include "engine/child/engine_child.h"
#include "engine/child/parcel.h"
#include "engine/isolated/lane_memory.h"
#include "engine/isolated/lane_socket.h"
#include "engine/isolated/model_hello.h"
#include "engine/isolated/supervisor.h"
#include "engine/isolated/wire.h"

namespace slipway::engine {
namespace isolated {
namespace {

/// The server would not write such a thing; and without it there is nothing to do here.
[[noreturn]] void EndBroken() {
  ::_exit(kChildBroken);
}

bool IsWhole(const Tensor& tensor) {
  const auto count = static_cast<size_t>(tensor.elements());
  return tensor.type == ElementType::kString ? tensor.strings.size() == count
                                             : tensor.data.size() == count * ElementSize(tensor.type);
}

/// The child's end of a lane.
class HostLane {
 public:
  HostLane(base::FileDescriptor socket, const HostedModel& model)
      : socket_(std::move(socket)), outputs_(model.info.outputs.size()), session_(model.new_session()) {}

  /// Until the server closes the lane.
  void Serve() {
    while (true) {
      Signal signal;
      Received received = ReceiveMessage(socket_.get(), &signal, sizeof(signal), true);
      if (received.what != Received::What::kMessage) return;
      if (received.bytes != sizeof(signal)) EndBroken();
      if (signal.kind == Signal::kMemory) {
        TakeMemory(std::move(received.descriptor));
      } else {
        RunOnce(signal);
      }
      // An answer that does not fit waits for memory, or is dropped by the next run.
      if (unanswered_) TryAnswer(signal.sequence);
    }
  }

 private:
  void TakeMemory(base::FileDescriptor file) {
    auto memory = LaneMemory::Open(std::move(file));
    if (!memory) EndBroken();
    memory_ = *std::move(memory);
  }

  void RunOnce(const Signal& signal) {
    if (!ReadRequest(memory_.bytes(), signal, request_)) EndBroken();
    ran_ = Run();
    unanswered_ = true;
  }

  base::Result<void> Run() {
    if (!session_) return std::unexpected(session_.error());
    try {
      auto ran = (*session_)->Run(request_.inputs, outputs_, {.at = request_.deadline});
      if (ran && !std::ranges::all_of(outputs_, IsWhole)) {
        return base::Fail(base::Code::kInternal, "engine.run",
                          "the engine gave an output of another size than its shape");
      }
      if (ran || ran.error().reason.starts_with("engine.")) return ran;
      ran.error().reason = "engine.run";
      return ran;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& thrown) {
      return base::Fail(base::Code::kInternal, "engine.run", std::string("the engine threw: ") + thrown.what());
    }
  }

  void TryAnswer(uint64_t sequence) {
    Packing packing;
    PackAnswer(ran_, outputs_, scratch_, packing);
    Signal signal{.kind = Signal::kAnswer, .sequence = sequence};
    if (packing.bytes() <= memory_.bytes().size()) {
      packing.Write(memory_.bytes(), signal);
      unanswered_ = false;
    } else {
      signal.kind = Signal::kTooSmall;
      signal.at = packing.bytes();
    }
    SendMessage(socket_.get(), &signal, sizeof(signal));
  }

  const base::FileDescriptor socket_;
  LaneMemory memory_;
  Request request_;
  AnswerScratch scratch_;
  std::vector<Tensor> outputs_;
  base::Result<void> ran_;
  bool unanswered_ = false;
  base::Result<std::unique_ptr<Session>> session_;
};

/// A lane with its thread.
struct Served {
  std::atomic<bool> done{false};
  std::jthread thread;
};

void ServeLanes(const HostedModel& model) {
  std::list<Served> lanes;
  while (true) {
    char byte = 0;
    Received received = ReceiveMessage(kChildControl, &byte, sizeof(byte), true);
    if (received.what != Received::What::kMessage || !received.descriptor.ok()) return;
    lanes.remove_if([](const Served& lane) { return lane.done.load(); });
    Served& lane = lanes.emplace_back();
    lane.thread = std::jthread([&lane, &model, socket = std::move(received.descriptor)]() mutable {
      HostLane(std::move(socket), model).Serve();
      lane.done = true;
    });
  }
}

base::Result<HostedModel> Load(std::span<char* const> words, const HostedLoad& load) {
  SLIPWAY_TRY(BeginChild(words));
  SLIPWAY_ASSIGN(const Parcel parcel, Parcel::Open(base::kChildInput));
  SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::OfFiles(parcel.files()));
  return load(bundle, parcel.options());
}

}  // namespace
}  // namespace isolated

int HostEngine(std::span<char* const> words, const HostedLoad& load) {
  using namespace isolated;  // NOLINT(google-build-using-namespace)
  const auto model = Load(words, load);
  if (!model) {
    base::WriteAll(base::kChildReport, WriteHello(std::unexpected(model.error())));
    return kChildRefused;
  }
  base::WriteAll(base::kChildReport, WriteHello(model->info));
  ::close(base::kChildReport);
  ::close(base::kChildInput);
  ServeLanes(*model);
  ::_exit(kChildFine);  // runs may still be going on
}

}  // namespace slipway::engine

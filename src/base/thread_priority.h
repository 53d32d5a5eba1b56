#pragma once
// How much of a busy processor the calling thread gets beside the process's other threads.

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace slipway::base {

/// Makes way for others: 1 (a little) to 19 (runs when nobody else wants to). Cannot be taken back without privileges.
/// A failure is passed over: the thread then competes.
inline void LowerThreadPriority(int nice) {
  // On Linux the priority is the thread's own, although POSIX means the process's.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), nice);
}

}  // namespace slipway::base

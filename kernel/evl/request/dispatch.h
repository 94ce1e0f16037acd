// SPDX-License-Identifier: GPL-2.0
// Where requests enter the core: read, write and ioctl on the oob files of the caller, from both
// probes of Dovetail (kapi/upcall.h), and what happens on the way out.
#ifndef EVL_REQUEST_DISPATCH_H
#define EVL_REQUEST_DISPATCH_H

#include <evl/syscall-abi.h>

#include "base/result.h"
#include "kapi/upcall.h"
#include "sched/stage.h"

namespace evl {

// First probe, oob.
//   oob caller, oob call       runs it; then leave_request()
//   oob caller, Linux call     in-band (SYSDEMOTE), passed down; kapi serves clock_gettime()
//   in-band caller             passed down
[[nodiscard]] kapi_verdict probe_oob(kapi_request& request, bool caller_oob) noexcept;

// Second probe, in-band.
//   oob call, attached         switch_oob(), runs it; then leave_request()
//   oob call, not attached     EPERM; unknown number: ENOSYS
//   Linux call                 cancellation and delayed parameters first, then passed down
[[nodiscard]] kapi_verdict probe_inband(kapi_request& request) noexcept;

/// The call itself. Errors: EBADF unknown descriptor or wrong access mode; EINVAL, ENOTTY no
/// handler; ENOSYS number; those of the handler. Values fit an int.
[[nodiscard]] long run_request(const OobStage& oob, Thread& self,
                               const kapi_request& request) noexcept;

// The way out, oob: a pending signal or KICKED demotes (SIGDEMOTE), and a pending signal turns
// EINTR into ERESTARTSYS, but under NORST; a weak thread without mutex goes in-band silently; the
// user window is refreshed, the request counted.
void leave_request(Thread& self, kapi_request& request) noexcept;

// Gives the file of the present request back before its handler is done, which does not use it
// after that: it can be closed while the handler sleeps. The thread itself, any stage.
void drop_request_file(Thread& self) noexcept;

}  // namespace evl

#endif  // EVL_REQUEST_DISPATCH_H

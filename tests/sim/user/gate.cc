// SPDX-License-Identifier: MIT
//
// Gates and events: the fast paths, and the requests behind them.

#include <cerrno>

#include "user/user.h"

namespace sim {
namespace {

// Shared words: each access is a preemption point, and what follows up to the next one is atomic.
std::uint32_t load(const std::uint32_t& word, const char* what) {
  lx().user_point(what, &word, Access::read);
  return word;
}
void store(std::uint32_t& word, std::uint32_t value, const char* what) {
  lx().user_point(what, &word);
  word = value;
  lx().machine().changed();
}
bool compare_and_swap(std::uint32_t& word, std::uint32_t& expected, std::uint32_t desired,
                      const char* what) {
  lx().user_point(what, &word);
  if (word != expected) {
    expected = word;
    return false;
  }
  word = desired;
  lx().machine().changed();
  return true;
}

__evl_timespec date_of(Until until) {
  return {.tv_sec = static_cast<__s64>(until.date_ns / 1'000'000'000),
          .tv_nsec = static_cast<__s64>(until.date_ns % 1'000'000'000)};
}

constexpr std::uint32_t kSlowStates = EVL_T_INBAND | EVL_T_WEAK | EVL_T_WOLI;

}  // namespace

bool UserThread::owns(const UserGate& gate) const noexcept {
  return attached() && evl_get_index(gate.state->u.gate.owner) == handle_;
}

UserThread::Attempt UserThread::fast_lock(UserGate& gate) {
  auto announced_elsewhere = [&] {
    if (!gate.protects) return false;
    if (load(window_->pp_pending, "reads pp_pending") != EVL_NO_HANDLE) return true;
    store(window_->pp_pending, gate.handle, "sets pp_pending");
    return false;
  };
  if ((load(window_->state, "reads window") & kSlowStates) != 0 || announced_elsewhere())
    return owns(gate) ? Attempt::mine : Attempt::ask_the_core;
  std::uint32_t found = EVL_NO_HANDLE;
  if (compare_and_swap(gate.state->u.gate.owner, found, handle_, "fast lock")) {
    gate.state->u.gate.nesting = 1;
    gate.state->flags &= ~static_cast<std::uint32_t>(EVL_MONITOR_SIGNALED);
    return Attempt::taken;
  }
  if (gate.protects) store(window_->pp_pending, EVL_NO_HANDLE, "clears pp_pending");
  return evl_get_index(found) == handle_ ? Attempt::mine : Attempt::ask_the_core;
}

int UserThread::nest(UserGate& gate) {
  if (gate.state->u.gate.recursive == 0) return -EDEADLK;
  gate.state->u.gate.nesting = (gate.state->u.gate.nesting + 1) & 0x7fffffffU;
  return 0;
}

int UserThread::enter(UserGate& gate, unsigned request, Until until) {
  __evl_timespec date = date_of(until);
  long status = 0;
  do {
    status = oob_ioctl(gate.fd, request, request == EVL_MONIOC_ENTER ? &date : nullptr);
  } while (status == -EINTR);
  if (status >= 0) gate.state->u.gate.nesting = 1;
  return static_cast<int>(status);
}

int UserThread::lock(UserGate& gate, Until until) {
  switch (fast_lock(gate)) {
    case Attempt::taken:
      return 0;
    case Attempt::mine:
      return nest(gate);
    case Attempt::ask_the_core:
      break;
  }
  return enter(gate, EVL_MONIOC_ENTER, until);
}

int UserThread::try_lock(UserGate& gate) {
  switch (fast_lock(gate)) {
    case Attempt::taken:
      return 0;
    case Attempt::mine:
      return nest(gate);
    case Attempt::ask_the_core:
      break;
  }
  return enter(gate, EVL_MONIOC_TRYENTER, {});
}

int UserThread::unlock(UserGate& gate) {
  if (!owns(gate)) return -EPERM;
  if (gate.state->u.gate.nesting > 1) {
    gate.state->u.gate.nesting = (gate.state->u.gate.nesting - 1) & 0x7fffffffU;
    return 0;
  }
  const bool signalled = (load(gate.state->flags, "reads flags") & EVL_MONITOR_SIGNALED) != 0;
  if (!signalled && (load(window_->state, "reads window") & (EVL_T_WEAK | EVL_T_WOLI)) == 0) {
    std::uint32_t mine = handle_;
    if (compare_and_swap(gate.state->u.gate.owner, mine, EVL_NO_HANDLE, "fast unlock")) {
      if (gate.protects && load(window_->pp_pending, "reads pp_pending") == gate.handle)
        store(window_->pp_pending, EVL_NO_HANDLE, "clears pp_pending");
      return 0;
    }
  }
  long status = 0;
  do {
    status = oob_ioctl(gate.fd, EVL_MONIOC_EXIT, nullptr);
  } while (status == -EINTR);
  if (gate.protects && load(window_->pp_pending, "reads pp_pending") == gate.handle)
    store(window_->pp_pending, EVL_NO_HANDLE, "clears pp_pending");
  return static_cast<int>(status);
}

// After a signal the condition may have become true while nobody waited: the caller has to look, so
// the wait does not begin anew. See "What MONIOC_WAIT reports".
int UserThread::wait(UserEvent& event, UserGate& gate, Until until) {
  constexpr int kNotBegun = -EINVAL;
  const std::uint32_t nesting = gate.state->u.gate.nesting;
  __evl_timespec date = date_of(until);
  auto back = [&](int status) {
    gate.state->u.gate.nesting = nesting & 0x7fffffffU;
    return status;
  };
  for (;;) {
    evl_monitor_waitreq request{};
    request.timeout_ptr = reinterpret_cast<std::uintptr_t>(&date);
    request.gatefd = gate.fd;
    request.status = kNotBegun;
    const long result = oob_ioctl(event.fd, EVL_MONIOC_WAIT, &request);
    if (result >= 0) return back(request.status);
    if (result == -EIDRM) return request.status;
    if (result != -EINTR) return static_cast<int>(result);
    if (request.status == kNotBegun) continue;  // Interrupted before: the gate is ours still.
    evl_monitor_unwaitreq reentry{.gatefd = gate.fd};
    long entered = 0;
    do {
      entered = oob_ioctl(event.fd, EVL_MONIOC_UNWAIT, &reentry);
    } while (entered == -EINTR);
    if (entered < 0) return static_cast<int>(entered);
    return back(request.status == -EAGAIN ? 0 : request.status);
  }
}

int UserThread::raise(UserEvent& event, std::uint32_t kinds) {
  const std::uint32_t offset = load(event.state->u.event.gate_offset, "reads gate_offset");
  if (offset == EVL_MONITOR_NOGATE) return 0;
  auto* gate = reinterpret_cast<evl_monitor_state*>(process_.shared() + offset);
  lx().user_point("raises flags", &event.state->flags);
  event.state->flags |= kinds;
  lx().user_point("raises flags", &gate->flags);
  gate->flags |= EVL_MONITOR_SIGNALED;
  return 0;
}

int UserThread::signal(UserEvent& event) {
  return raise(event, EVL_MONITOR_SIGNALED);
}
int UserThread::broadcast(UserEvent& event) {
  return raise(event, EVL_MONITOR_SIGNALED | EVL_MONITOR_BROADCAST);
}

int UserThread::signal_thread(UserEvent& event, int thread_fd) {
  const std::uint32_t offset = load(event.state->u.event.gate_offset, "reads gate_offset");
  if (offset == EVL_MONITOR_NOGATE) return 0;
  auto* gate = reinterpret_cast<evl_monitor_state*>(process_.shared() + offset);
  lx().user_point("raises flags", &gate->flags);
  gate->flags |= EVL_MONITOR_SIGNALED;
  auto event_fd = static_cast<__u32>(event.fd);
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_SIGNAL, &event_fd));
}

}  // namespace sim

// SPDX-License-Identifier: MIT
//
// User mode: what the library does between an application and the core, with a preemption point at
// each access to a shared word. The protocol is that of Documentation/library/abi.md; the library's
// own code is tested beside it.
//
// Everything here runs on the flow of the calling task. Results are 0 or above, or -errno.

#pragma once

#include <evl/clock-abi.h>
#include <evl/control-abi.h>
#include <evl/monitor-abi.h>
#include <evl/proxy-abi.h>
#include <evl/sched-abi.h>
#include <evl/thread-abi.h>
#include <evl/xbuf-abi.h>

#include <cstdint>
#include <string>

#include "linux/linux.h"

namespace sim {

struct UserGate {
  int fd{-1};
  fundle_t handle{0};
  evl_monitor_state* state{nullptr};
  bool protects{false};
};

struct UserEvent {
  int fd{-1};
  evl_monitor_state* state{nullptr};
};

// What EVL_CLKIOC_NEW_TIMER makes, on the monotonic clock.
struct UserTimer {
  int fd{-1};
};

// Two descriptors of one cross-buffer: that of the threads, and a nonblocking one.
struct UserXbuf {
  int fd{-1};
  int helper_fd{-1};
};

// A proxy, and the file that it writes to, or reads from.
struct UserProxy {
  int fd{-1};
  int target_fd{-1};
};

// ns since boot; 0: no limit.
struct Until {
  std::uint64_t date_ns{0};
};

// What the threads of one process share.
class UserProcess final {
 public:
  /// Opens control and maps the shared heap: evl_init().
  int open();
  void close();

  int make_gate(UserGate& gate, unsigned ceiling, bool recursive, const char* name = nullptr);
  int make_event(UserEvent& event, const char* name = nullptr);
  int make_timer(UserTimer& timer, bool nonblock);
  /// Bytes of the two rings, as in evl_xbuf_attrs; `name` is public.
  int make_xbuf(UserXbuf& xbuf, unsigned inbound, unsigned outbound, bool nonblock,
                const char* name);
  /// For input if the target has any, else for output.
  int make_proxy(UserProxy& proxy, unsigned bytes, unsigned granularity, bool nonblock,
                 const std::string& input);

  char* shared() const noexcept { return shared_; }
  std::uint64_t shared_bytes() const noexcept { return shared_bytes_; }
  int clock_fd() const noexcept { return clock_; }
  int wall_clock_fd() const noexcept { return wall_clock_; }
  int control_fd() const noexcept { return control_; }

 private:
  int control_{-1};
  int clock_{-1};
  int wall_clock_{-1};
  char* shared_{nullptr};
  std::uint64_t shared_bytes_{0};
};

// The calling thread, attached to the core.
class UserThread final {
 public:
  explicit UserThread(UserProcess& process) noexcept : process_{process} {}

  int attach(const char* name, std::uint32_t clone_flags = 0);
  int detach();
  bool attached() const noexcept { return fd_ >= 0; }
  int fd() const noexcept { return fd_; }
  fundle_t handle() const noexcept { return handle_; }

  int set_params(int thread_fd, int policy, int priority, std::uint64_t quantum_ns = 0);
  int get_state(int thread_fd, evl_thread_state& state);
  int set_mode(unsigned bits);
  int clear_mode(unsigned bits);
  int switch_oob();
  int switch_inband();
  int yield();
  int unblock(int thread_fd);
  int demote(int thread_fd);
  int join(int thread_fd);
  int get_params(int thread_fd, evl_sched_attrs& attributes);
  int sleep_until(std::uint64_t date_ns);
  /// By the wall clock.
  int sleep_until_wall(std::uint64_t date_ns);
  /// First shot at `first_ns`, 0: stops the timer. What it was comes back in `old`, as far as
  /// known.
  int set_timer(const UserTimer& timer, std::uint64_t first_ns, std::uint64_t interval_ns,
                __evl_itimerspec& old);
  int get_timer(const UserTimer& timer, __evl_itimerspec& setting);
  /// Ticks since the last reading.
  long read_timer(const UserTimer& timer, std::uint64_t& ticks);

  int lock(UserGate& gate, Until until = {});
  int try_lock(UserGate& gate);
  int unlock(UserGate& gate);
  bool owns(const UserGate& gate) const noexcept;

  /// Waits for a signal of the event; gives `gate` up meanwhile. The gate is held afterwards,
  /// except after -EIDRM.
  int wait(UserEvent& event, UserGate& gate, Until until = {});
  int signal(UserEvent& event);
  int broadcast(UserEvent& event);
  /// Wakes the waiter that is the thread behind `thread_fd`.
  int signal_thread(UserEvent& event, int thread_fd);

 private:
  enum class Attempt { taken, mine, ask_the_core };
  Attempt fast_lock(UserGate& gate);
  int enter(UserGate& gate, unsigned request, Until until);
  int nest(UserGate& gate);
  int raise(UserEvent& event, std::uint32_t kinds);

  UserProcess& process_;
  int fd_{-1};
  fundle_t handle_{0};
  evl_user_window* window_{nullptr};
};

/// A request of the core's, by the out-of-band carrier.
long oob_ioctl(int fd, unsigned request, void* argument);
/// oob_read(), oob_write().
long oob_read(int fd, void* buffer, std::size_t bytes);
long oob_write(int fd, const void* buffer, std::size_t bytes);
/// ioctl(2), read(2), write(2): in-band.
long inband_ioctl(int fd, unsigned request, void* argument);
long inband_read(int fd, void* buffer, std::size_t bytes);
long inband_write(int fd, const void* buffer, std::size_t bytes);
int open_file(const std::string& path, unsigned flags = 2);
int close_file(int fd);

}  // namespace sim

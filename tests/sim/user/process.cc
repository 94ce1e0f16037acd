// SPDX-License-Identifier: MIT
//
// Processes, and the requests of a thread that need no shared word.

#include <evl/syscall-abi.h>

#include <cerrno>

#include "user/user.h"

namespace sim {
namespace {

constexpr long kRead = 0;
constexpr long kWrite = 1;
constexpr long kIoctl = 16;
constexpr long kOpen = 2;
constexpr long kClose = 3;
constexpr long kMmap = 9;
constexpr long kFcntl = 72;
constexpr unsigned kReadWrite = 02;
constexpr unsigned kNonblock = 04000;

__evl_timespec timespec_of(std::uint64_t ns) {
  return {.tv_sec = static_cast<__s64>(ns / 1'000'000'000),
          .tv_nsec = static_cast<__s64>(ns % 1'000'000'000)};
}

// Clones an element; its files, and what it shares.
int clone(const char* device, const char* name, void* attributes, std::uint32_t flags,
          evl_element_ids& ids) {
  const int clone_fd = open_file(device);
  if (clone_fd < 0) return clone_fd;
  evl_clone_req request{};
  request.name_ptr = reinterpret_cast<std::uintptr_t>(name);
  request.attrs_ptr = reinterpret_cast<std::uintptr_t>(attributes);
  request.clone_flags = flags;
  const long status = inband_ioctl(clone_fd, EVL_IOC_CLONE, &request);
  close_file(clone_fd);
  if (status < 0) return static_cast<int>(status);
  ids = request.eids;
  return static_cast<int>(request.efd);
}

}  // namespace

long oob_ioctl(int fd, unsigned request, void* argument) {
  kapi_request call{};
  call.is_oob_call = true;
  call.nr = sys_evl_ioctl;
  call.args[0] = static_cast<unsigned long>(fd);
  call.args[1] = request;
  call.args[2] = reinterpret_cast<unsigned long>(argument);
  return lx().request(call);
}

static long oob_transfer(unsigned nr, int fd, const void* buffer, std::size_t bytes) {
  kapi_request call{};
  call.is_oob_call = true;
  call.nr = nr;
  call.args[0] = static_cast<unsigned long>(fd);
  call.args[1] = reinterpret_cast<unsigned long>(buffer);
  call.args[2] = bytes;
  return lx().request(call);
}

long oob_read(int fd, void* buffer, std::size_t bytes) {
  return oob_transfer(sys_evl_read, fd, buffer, bytes);
}

long oob_write(int fd, const void* buffer, std::size_t bytes) {
  return oob_transfer(sys_evl_write, fd, buffer, bytes);
}

long inband_ioctl(int fd, unsigned request, void* argument) {
  return lx().call(kIoctl, [=] { return lx().ioctl(fd, request, argument); });
}

long inband_read(int fd, void* buffer, std::size_t bytes) {
  return lx().call(kRead, [=] { return lx().read(fd, buffer, bytes); });
}

long inband_write(int fd, const void* buffer, std::size_t bytes) {
  return lx().call(kWrite, [=] { return lx().write(fd, buffer, bytes); });
}

int open_file(const std::string& path, unsigned flags) {
  return static_cast<int>(lx().call(kOpen, [&path, flags] { return lx().open(path, flags); }));
}

int close_file(int fd) {
  return static_cast<int>(lx().call(kClose, [fd] { return lx().close(fd); }));
}

int UserProcess::open() {
  control_ = open_file("/dev/evl/control");
  if (control_ < 0) return control_;
  evl_core_info info{};
  const long status = inband_ioctl(control_, EVL_CTLIOC_GET_COREINFO, &info);
  if (status < 0) return static_cast<int>(status);
  if (info.abi_current != EVL_ABI_LEVEL) return -ENOEXEC;
  shared_bytes_ = info.shm_size;
  void* mapped = nullptr;
  const long error = lx().call(kMmap, [&] { return lx().mmap(control_, shared_bytes_, &mapped); });
  if (error < 0) return static_cast<int>(error);
  shared_ = static_cast<char*>(mapped);
  clock_ = open_file("/dev/evl/clock/monotonic");
  if (clock_ < 0) return clock_;
  wall_clock_ = open_file("/dev/evl/clock/realtime");
  return wall_clock_ < 0 ? wall_clock_ : 0;
}

void UserProcess::close() {
  for (const int fd : {wall_clock_, clock_, control_})
    if (fd >= 0) close_file(fd);
  wall_clock_ = clock_ = control_ = -1;
}

int UserProcess::make_gate(UserGate& gate, unsigned ceiling, bool recursive, const char* name) {
  evl_monitor_attrs attributes{};
  attributes.clockfd = static_cast<__u32>(EVL_CLOCK_MONOTONIC);
  attributes.type = EVL_MONITOR_GATE;
  attributes.protocol = ceiling == 0 ? EVL_GATE_PI : EVL_GATE_PP;
  attributes.initval = ceiling;
  evl_element_ids ids{};
  const int fd = clone("/dev/evl/monitor/clone", name, &attributes, EVL_CLONE_PRIVATE, ids);
  if (fd < 0) return fd;
  gate.fd = fd;
  gate.handle = ids.fundle;
  gate.state = reinterpret_cast<evl_monitor_state*>(shared_ + ids.state_offset);
  gate.state->u.gate.recursive = recursive;
  gate.protects = ceiling != 0;
  return 0;
}

int UserProcess::make_event(UserEvent& event, const char* name) {
  evl_monitor_attrs attributes{};
  attributes.clockfd = static_cast<__u32>(EVL_CLOCK_MONOTONIC);
  attributes.type = EVL_MONITOR_EVENT;
  attributes.protocol = EVL_EVENT_GATED;
  evl_element_ids ids{};
  const int fd = clone("/dev/evl/monitor/clone", name, &attributes, EVL_CLONE_PRIVATE, ids);
  if (fd < 0) return fd;
  event.fd = fd;
  event.state = reinterpret_cast<evl_monitor_state*>(shared_ + ids.state_offset);
  return 0;
}

int UserProcess::make_timer(UserTimer& timer, bool nonblock) {
  int fd = -1;
  const long status = inband_ioctl(clock_, EVL_CLKIOC_NEW_TIMER, &fd);
  if (status < 0) return static_cast<int>(status);
  timer.fd = fd;
  if (!nonblock) return 0;
  return static_cast<int>(lx().call(kFcntl, [fd] {
    lx().file_at(fd)->flags |= kNonblock;
    return 0L;
  }));
}

// The node goes with its last user, which is the file that made it until it is open.
int UserProcess::make_xbuf(UserXbuf& xbuf, unsigned inbound, unsigned outbound, bool nonblock,
                           const char* name) {
  const int clone_fd = open_file("/dev/evl/xbuf/clone");
  if (clone_fd < 0) return clone_fd;
  evl_xbuf_attrs attributes{.i_bufsz = inbound, .o_bufsz = outbound};
  evl_clone_req request{};
  request.name_ptr = reinterpret_cast<std::uintptr_t>(name);
  request.attrs_ptr = reinterpret_cast<std::uintptr_t>(&attributes);
  request.clone_flags = EVL_CLONE_PUBLIC;
  const long status = inband_ioctl(clone_fd, EVL_IOC_CLONE, &request);
  if (status >= 0) {
    const std::string node = std::string{"/dev/evl/xbuf/"} + name;
    xbuf.fd = open_file(node, kReadWrite | (nonblock ? kNonblock : 0));
    xbuf.helper_fd = open_file(node, kReadWrite | kNonblock);
  }
  close_file(clone_fd);
  if (status < 0) return static_cast<int>(status);
  return xbuf.fd < 0 ? xbuf.fd : xbuf.helper_fd < 0 ? xbuf.helper_fd : 0;
}

int UserProcess::make_proxy(UserProxy& proxy, unsigned bytes, unsigned granularity, bool nonblock,
                            const std::string& input) {
  proxy.target_fd = lx().open_plain("target", input);
  evl_proxy_attrs attributes{
      .fd = static_cast<__u32>(proxy.target_fd), .bufsz = bytes, .granularity = granularity};
  const std::uint32_t direction = input.empty() ? EVL_CLONE_OUTPUT : EVL_CLONE_INPUT;
  const std::uint32_t flags = direction | (nonblock ? EVL_CLONE_NONBLOCK : 0U);
  evl_element_ids ids{};
  proxy.fd = clone("/dev/evl/proxy/clone", nullptr, &attributes, flags, ids);
  return proxy.fd < 0 ? proxy.fd : 0;
}

int UserThread::attach(const char* name, std::uint32_t clone_flags) {
  evl_element_ids ids{};
  const int fd = clone("/dev/evl/thread/clone", name, nullptr, clone_flags, ids);
  if (fd < 0) return fd;
  fd_ = fd;
  handle_ = ids.fundle;
  window_ = reinterpret_cast<evl_user_window*>(process_.shared() + ids.state_offset);
  return 0;
}

int UserThread::detach() {
  const int fd = fd_;
  window_ = nullptr;
  const long status = inband_ioctl(fd, EVL_THRIOC_DETACH_SELF, nullptr);
  fd_ = -1;
  close_file(fd);
  return static_cast<int>(status);
}

int UserThread::set_params(int thread_fd, int policy, int priority, std::uint64_t quantum_ns) {
  evl_sched_attrs attributes{};
  attributes.sched_policy = policy;
  attributes.sched_priority = priority;
  attributes.sched_rr_quantum = timespec_of(quantum_ns);
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_SET_SCHEDPARAM, &attributes));
}

int UserThread::get_state(int thread_fd, evl_thread_state& state) {
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_GET_STATE, &state));
}

int UserThread::set_mode(unsigned bits) {
  return static_cast<int>(oob_ioctl(fd_, EVL_THRIOC_SET_MODE, &bits));
}
int UserThread::clear_mode(unsigned bits) {
  return static_cast<int>(oob_ioctl(fd_, EVL_THRIOC_CLEAR_MODE, &bits));
}
int UserThread::switch_oob() {
  return static_cast<int>(oob_ioctl(fd_, EVL_THRIOC_SWITCH_OOB, nullptr));
}
int UserThread::switch_inband() {
  return static_cast<int>(oob_ioctl(fd_, EVL_THRIOC_SWITCH_INBAND, nullptr));
}
int UserThread::yield() {
  return static_cast<int>(oob_ioctl(fd_, EVL_THRIOC_YIELD, nullptr));
}
int UserThread::unblock(int thread_fd) {
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_UNBLOCK, nullptr));
}
int UserThread::demote(int thread_fd) {
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_DEMOTE, nullptr));
}
int UserThread::join(int thread_fd) {
  return static_cast<int>(inband_ioctl(thread_fd, EVL_THRIOC_JOIN, nullptr));
}

int UserThread::get_params(int thread_fd, evl_sched_attrs& attributes) {
  return static_cast<int>(oob_ioctl(thread_fd, EVL_THRIOC_GET_SCHEDPARAM, &attributes));
}

int UserThread::sleep_until(std::uint64_t date_ns) {
  __evl_timespec date = timespec_of(date_ns);
  return static_cast<int>(oob_ioctl(process_.clock_fd(), EVL_CLKIOC_SLEEP, &date));
}

int UserThread::sleep_until_wall(std::uint64_t date_ns) {
  __evl_timespec date = timespec_of(date_ns);
  return static_cast<int>(oob_ioctl(process_.wall_clock_fd(), EVL_CLKIOC_SLEEP, &date));
}

int UserThread::set_timer(const UserTimer& timer, std::uint64_t first_ns, std::uint64_t interval_ns,
                          __evl_itimerspec& old) {
  __evl_itimerspec value{.it_interval = timespec_of(interval_ns),
                         .it_value = timespec_of(first_ns)};
  evl_timerfd_setreq request{.value_ptr = reinterpret_cast<std::uintptr_t>(&value),
                             .ovalue_ptr = reinterpret_cast<std::uintptr_t>(&old)};
  return static_cast<int>(oob_ioctl(timer.fd, EVL_TFDIOC_SET, &request));
}

int UserThread::get_timer(const UserTimer& timer, __evl_itimerspec& setting) {
  return static_cast<int>(oob_ioctl(timer.fd, EVL_TFDIOC_GET, &setting));
}

long UserThread::read_timer(const UserTimer& timer, std::uint64_t& ticks) {
  return oob_read(timer.fd, &ticks, sizeof ticks);
}

}  // namespace sim

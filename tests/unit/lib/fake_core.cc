// SPDX-License-Identifier: MIT
// The fake core. See fake_core.h. One lock for everything: simple, and slow enough to be honest.

#include "fake_core.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

namespace fake {
namespace {

std::unique_ptr<Core> the_core = std::make_unique<Core>();

// The attached thread that runs: its handle and window.
thread_local fundle_t self_handle = EVL_NO_HANDLE;
thread_local evl_user_window* self_window = nullptr;

std::atomic_ref<__u32> word(__u32& value) {
  return std::atomic_ref{value};
}

constexpr __u32 kHeapSize = 65536;

}  // namespace

Core& core() {
  return *the_core;
}

void renew_core() {
  self_handle = EVL_NO_HANDLE;
  self_window = nullptr;
  the_core = std::make_unique<Core>();
}

Core::Core() {
  info = {EVL_ABI_BASE, EVL_ABI_LEVEL, 3, 0, kHeapSize};
  memset(heap_, 0, sizeof(heap_));
  for (int n = 0; n < 3; ++n) add({.kind = File::Kind::plain, .type = "stream"});
}

int Core::add(File file) {
  files_.push_back(std::move(file));
  return static_cast<int>(files_.size()) - 1;
}

int Core::open(const std::string& path) {
  Lock lock{mutex_};
  ++in_band_calls_;
  enter_stage(false);
  if (path == EVL_CONTROL_DEV) {
    return control_exists ? add({.kind = File::Kind::control, .type = "control"}) : -ENOENT;
  }
  const std::string root = "/dev/evl/";
  if (path.rfind(root, 0) != 0) return -ENOENT;
  const std::string rest = path.substr(root.size());
  const size_t slash = rest.find('/');
  if (slash == std::string::npos) return -ENOENT;
  const std::string type = rest.substr(0, slash);
  const std::string name = rest.substr(slash + 1);
  if (name == "clone") return add({.kind = File::Kind::clone, .type = type});
  if (type == "clock" && (name == "monotonic" || name == "realtime")) {
    return add({.kind = File::Kind::clock, .type = type, .name = name});
  }
  const auto found = public_.find(type + "/" + name);
  if (found == public_.end()) return -ENOENT;
  if (node_error != 0) return node_error;
  return add(files_[static_cast<size_t>(found->second)]);
}

int Core::close(int fd) {
  Lock lock{mutex_};
  ++in_band_calls_;
  if (fd < 0 || static_cast<size_t>(fd) >= files_.size()) return -EBADF;
  if (file(fd).kind == File::Kind::none) return -EBADF;
  file(fd).kind = File::Kind::none;
  for (Waiter* waiter : std::vector<Waiter*>{waiters_}) {
    if (waiter->event == fd) wake(*waiter, -EIDRM);
  }
  return 0;
}

void* Core::map(size_t bytes) {
  return bytes == kHeapSize ? heap_ : nullptr;
}

int Core::set_nonblocking(int fd) {
  file(fd).nonblocking = true;
  return 0;
}

// A request moves the caller; a weak one comes back at once, unless it holds a gate: not here.
void Core::enter_stage(bool oob) {
  if (self_window == nullptr) return;
  if (oob && (word(self_window->state).load() & EVL_T_WEAK) == 0) {
    word(self_window->state).fetch_and(~static_cast<__u32>(EVL_T_INBAND));
  } else {
    word(self_window->state).fetch_or(EVL_T_INBAND);
  }
}

void Core::answer(unsigned long request, Answer answer) {
  Lock lock{mutex_};
  answers_[request].push_back(answer);
}

int Core::requests(unsigned long request) {
  Lock lock{mutex_};
  return counts_[request];
}

int Core::out_of_band_requests() {
  Lock lock{mutex_};
  return oob_requests_;
}

int Core::in_band_calls() {
  Lock lock{mutex_};
  return in_band_calls_;
}

void Core::reset_counts() {
  Lock lock{mutex_};
  counts_.clear();
  oob_requests_ = in_band_calls_ = 0;
}

std::vector<std::string> Core::open_files() {
  Lock lock{mutex_};
  std::vector<std::string> names;
  for (const File& file : files_) {
    if (file.kind != File::Kind::none && file.kind != File::Kind::plain) {
      names.push_back(file.type + "/" + file.name);
    }
  }
  return names;
}

bool Core::scripted(unsigned long request, void* argument, int* result) {
  auto& queue = answers_[request];
  if (queue.empty()) return false;
  const Answer answer = queue.front();
  queue.pop_front();
  *result = answer.result;
  if (request == EVL_MONIOC_WAIT) {
    static_cast<evl_monitor_waitreq*>(argument)->status = answer.wait_status;
  }
  return true;
}

int Core::ioctl(int fd, unsigned long request, void* argument) {
  Lock lock{mutex_};
  ++in_band_calls_;
  ++counts_[request];
  enter_stage(false);
  int result = 0;
  if (scripted(request, argument, &result)) return result;
  return dispatch(lock, fd, request, argument);
}

int Core::oob_ioctl(int fd, unsigned long request, void* argument) {
  Lock lock{mutex_};
  ++oob_requests_;
  ++counts_[request];
  if (self_handle == EVL_NO_HANDLE) return -EPERM;
  enter_stage(true);
  int result = 0;
  if (scripted(request, argument, &result)) {
    if (result == -EINTR) enter_stage(false);  // A signal is handled in-band.
    return result;
  }
  return dispatch(lock, fd, request, argument);
}

long Core::write(int fd, const void* data, size_t bytes, bool oob) {
  Lock lock{mutex_};
  ++(oob ? oob_requests_ : in_band_calls_);
  enter_stage(oob);
  if (fd < 0 || static_cast<size_t>(fd) >= files_.size()) return -EBADF;
  file(fd).written.append(static_cast<const char*>(data), bytes);
  file(fd).written_oob = oob;
  return static_cast<long>(bytes);
}

int Core::dispatch(Lock& lock, int fd, unsigned long request, void* argument) {
  if (fd < 0 || static_cast<size_t>(fd) >= files_.size()) return -EBADF;
  File& target = file(fd);
  switch (target.kind) {
    case File::Kind::none:
      return -EBADF;
    case File::Kind::clone:
      if (request == EVL_IOC_CLONE) return clone(target, static_cast<evl_clone_req*>(argument));
      if (target.type != "thread" || request != EVL_THRIOC_DETACH_SELF) return -ENOTTY;
      self_handle = EVL_NO_HANDLE;
      self_window = nullptr;
      return 0;
    case File::Kind::control:
      if (request == EVL_CTLIOC_GET_COREINFO) {
        *static_cast<evl_core_info*>(argument) = info;
        return 0;
      }
      if (request == EVL_CTLIOC_GET_CPUSTATE) {
        const auto& query = *static_cast<evl_cpu_state*>(argument);
        if (query.cpu != 0) return -EINVAL;
        *reinterpret_cast<__u32*>(query.state_ptr) = EVL_CPU_OOB;
        return 0;
      }
      return -ENOTTY;
    case File::Kind::clock:
      if (request == EVL_CLKIOC_NEW_TIMER) {
        *static_cast<int*>(argument) = add({.kind = File::Kind::element, .type = "timer"});
        return 0;
      }
      if (request != EVL_CLKIOC_SLEEP) return -ENOTTY;
      last_date = *static_cast<__evl_timespec*>(argument);
      return 0;
    case File::Kind::element:
      if (target.type == "thread") return thread_request(target, request, argument);
      if (target.type == "monitor") return monitor_request(lock, fd, request, argument);
      return -ENOTTY;
    default:
      return -ENOTTY;
  }
}

int Core::clone(File& device, evl_clone_req* request) {
  File made{.kind = File::Kind::element, .type = device.type};
  last_clone_flags = request->clone_flags;
  if (request->name_ptr != 0) made.name = reinterpret_cast<const char*>(request->name_ptr);
  const std::string key = made.type + "/" + made.name;
  for (const File& file : files_) {
    const bool same = file.kind == File::Kind::element && file.type + "/" + file.name == key;
    if (same && !made.name.empty()) return -EEXIST;
  }
  made.ids = {next_handle_, next_handle_, EVL_NO_STATE_OFFSET};
  ++next_handle_;
  if (made.type == "thread") {
    made.ids.state_offset = heap_used_;
    heap_used_ += sizeof(evl_user_window);
    self_handle = made.ids.fundle;
    self_window = at<evl_user_window>(made.ids.state_offset);
    *self_window = {EVL_T_INBAND | EVL_T_WEAK | EVL_T_USER, 0, 0};
  } else if (made.type == "monitor") {
    made.monitor = *reinterpret_cast<const evl_monitor_attrs*>(request->attrs_ptr);
    made.ids.state_offset = heap_used_;
    heap_used_ += sizeof(evl_monitor_state);
    auto* const state = at<evl_monitor_state>(made.ids.state_offset);
    if (made.monitor.type == EVL_MONITOR_EVENT) state->u.event.gate_offset = EVL_MONITOR_NOGATE;
    if (made.monitor.type == EVL_MONITOR_GATE) state->u.gate.ceiling = made.monitor.initval;
  }
  request->eids = made.ids;
  const int fd = add(made);
  if ((request->clone_flags & EVL_CLONE_PUBLIC) != 0) {
    public_[key] = fd;
    request->efd = static_cast<__u32>(-1);
  } else {
    request->efd = static_cast<__u32>(fd);
  }
  return 0;
}

int Core::thread_request(File& file, unsigned long request, void* argument) {
  auto& state = at<evl_user_window>(file.ids.state_offset)->state;
  switch (request) {
    case EVL_THRIOC_SET_SCHEDPARAM:
      last_attributes = *static_cast<evl_sched_attrs*>(argument);
      if (last_attributes.sched_policy == SCHED_WEAK) {
        word(state).fetch_or(EVL_T_WEAK);
      } else {
        word(state).fetch_and(~static_cast<__u32>(EVL_T_WEAK));
      }
      return 0;
    case EVL_THRIOC_SET_MODE:
    case EVL_THRIOC_CLEAR_MODE: {
      auto& mask = *static_cast<__u32*>(argument);
      if ((mask & ~static_cast<__u32>(EVL_T_MODE_MASK)) != 0) return -EINVAL;
      const __u32 before = request == EVL_THRIOC_SET_MODE ? word(state).fetch_or(mask)
                                                          : word(state).fetch_and(~mask);
      mask = before & EVL_T_MODE_MASK;
      return 0;
    }
    case EVL_THRIOC_SIGNAL: {
      const auto event = static_cast<int>(*static_cast<__u32*>(argument));
      for (Waiter* waiter : waiters_) {
        if (waiter->event != event || waiter->thread != file.ids.fundle) continue;
        waiter->targeted = true;
        monitor(event).flags |= EVL_MONITOR_TARGETED;
      }
      return 0;
    }
    case EVL_THRIOC_DETACH_SELF:
      self_handle = EVL_NO_HANDLE;
      self_window = nullptr;
      return 0;
    case EVL_THRIOC_SWITCH_OOB:
    case EVL_THRIOC_SWITCH_INBAND:
    case EVL_THRIOC_YIELD:
      return 0;
    default:
      return -ENOTTY;
  }
}

int Core::monitor_request(Lock& lock, int fd, unsigned long request, void* argument) {
  const File& target = file(fd);
  const bool gate = target.monitor.type == EVL_MONITOR_GATE;
  switch (request) {
    case EVL_MONIOC_BIND: {
      auto& binding = *static_cast<evl_monitor_binding*>(argument);
      binding.type = target.monitor.type;
      binding.protocol = target.monitor.protocol;
      binding.eids = target.ids;
      return 0;
    }
    case EVL_MONIOC_ENTER:
      return gate ? enter_gate(lock, fd, static_cast<__evl_timespec*>(argument)) : -EINVAL;
    case EVL_MONIOC_TRYENTER: {
      const __u32 owner = word(monitor(fd).u.gate.owner).load();
      if (owner != EVL_NO_HANDLE) return evl_get_index(owner) == self_handle ? -EDEADLK : -EBUSY;
      return enter_gate(lock, fd, nullptr);
    }
    case EVL_MONIOC_EXIT:
      return gate ? exit_gate(fd) : -EINVAL;
    case EVL_MONIOC_WAIT:
      return gate ? -EINVAL : wait_event(lock, fd, static_cast<evl_monitor_waitreq*>(argument));
    case EVL_MONIOC_UNWAIT:
      return enter_gate(lock, static_cast<evl_monitor_unwaitreq*>(argument)->gatefd, nullptr);
    default:
      return -ENOTTY;
  }
}

int Core::enter_gate(Lock& lock, int fd, const __evl_timespec* date) {
  auto owner = word(monitor(fd).u.gate.owner);
  if (date != nullptr) last_date = *date;
  for (;;) {
    __u32 found = EVL_NO_HANDLE;
    if (owner.compare_exchange_strong(found, self_handle | EVL_MUTEX_FLCLAIM)) return 0;
    if (evl_get_index(found) == self_handle) return -EDEADLK;
    // From here on the owner cannot release by itself: it has to come here, and wait for the lock.
    if (!owner.compare_exchange_strong(found, found | EVL_MUTEX_FLCLAIM)) continue;
    if (date == nullptr || (date->tv_sec == 0 && date->tv_nsec == 0)) {
      changed_.wait(lock);
    } else if (changed_.wait_for(lock, std::chrono::milliseconds{20}) == std::cv_status::timeout) {
      return -ETIMEDOUT;
    }
  }
}

int Core::exit_gate(int fd) {
  auto& state = monitor(fd);
  if (evl_get_index(word(state.u.gate.owner).load()) != self_handle) return -EPERM;
  serve_events(fd);
  word(state.flags).fetch_and(~static_cast<__u32>(EVL_MONITOR_SIGNALED));
  word(state.u.gate.owner).store(EVL_NO_HANDLE);
  changed_.notify_all();
  return 0;
}

void Core::wake(Waiter& waiter, int status) {
  waiter.woken = true;
  waiter.status = status;
  waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
  const auto same = [&](const Waiter* other) { return other->event == waiter.event; };
  if (std::none_of(waiters_.begin(), waiters_.end(), same)) {
    word(monitor(waiter.event).u.event.gate_offset).store(EVL_MONITOR_NOGATE);
  }
  changed_.notify_all();
}

void Core::serve_events(int gate) {
  std::vector<int> served;
  for (Waiter* waiter : std::vector<Waiter*>{waiters_}) {
    if (waiter->gate != gate) continue;
    auto flags = word(monitor(waiter->event).flags);
    const __u32 kinds = flags.load();
    const bool first = std::find(served.begin(), served.end(), waiter->event) == served.end();
    if (first) served.push_back(waiter->event);
    const bool wanted = (kinds & EVL_MONITOR_BROADCAST) != 0  ? true
                        : (kinds & EVL_MONITOR_TARGETED) != 0 ? waiter->targeted
                                                              : first && kinds != 0;
    if (wanted) wake(*waiter, 0);
  }
  for (const int event : served) word(monitor(event).flags).store(0);
}

int Core::wait_event(Lock& lock, int fd, evl_monitor_waitreq* request) {
  const int gate = request->gatefd;
  if (gate < 0 || file(gate).monitor.type != EVL_MONITOR_GATE) return -EINVAL;
  Waiter self{.thread = self_handle, .event = fd, .gate = gate};
  if (evl_get_index(word(monitor(gate).u.gate.owner).load()) != self_handle) return -EPERM;
  waiters_.push_back(&self);
  word(monitor(fd).u.event.gate_offset).store(file(gate).ids.state_offset);
  (void)exit_gate(gate);

  const auto& date = *reinterpret_cast<const __evl_timespec*>(request->timeout_ptr);
  const auto woken = [&] { return self.woken; };
  if (date.tv_sec == 0 && date.tv_nsec == 0) {
    changed_.wait(lock, woken);
  } else if (!changed_.wait_for(lock, std::chrono::milliseconds{20}, woken)) {
    wake(self, -ETIMEDOUT);
  }
  request->status = self.status;
  if (self.status == -EIDRM) return -EIDRM;
  return enter_gate(lock, gate, nullptr);
}

}  // namespace fake

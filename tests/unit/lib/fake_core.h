// SPDX-License-Identifier: MIT
// A core in one process, behind the library's seam (lib/kernel.h): elements, a shared heap, gates
// and events which really block. No priorities, no stages but the bit in the window, no clock: what
// the library cannot see from outside is not here.
#ifndef TESTS_UNIT_LIB_FAKE_CORE_H
#define TESTS_UNIT_LIB_FAKE_CORE_H

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "evl/clock-abi.h"
#include "evl/control-abi.h"
#include "evl/factory-abi.h"
#include "evl/monitor-abi.h"
#include "evl/thread-abi.h"

namespace fake {

class Core {
 public:
  struct File {
    enum class Kind { none, control, clock, clone, element, plain } kind{Kind::none};
    std::string type{};  // Class of a clone device or of an element.
    std::string name{};
    evl_element_ids ids{};
    evl_monitor_attrs monitor{};
    std::string written{};  // What was written to a proxy, or to a plain file.
    bool written_oob{};
    bool nonblocking{};
  };

  // One answer of the core which a test wants: the next request with that code gets it.
  struct Answer {
    int result{};
    int wait_status{};  // MONIOC_WAIT only.
  };

  Core();

  [[nodiscard]] int open(const std::string& path);
  int close(int fd);
  [[nodiscard]] int ioctl(int fd, unsigned long request, void* argument);
  [[nodiscard]] int oob_ioctl(int fd, unsigned long request, void* argument);
  [[nodiscard]] long write(int fd, const void* data, size_t bytes, bool oob);
  [[nodiscard]] int set_nonblocking(int fd);
  [[nodiscard]] void* map(size_t bytes);

  void answer(unsigned long request, Answer answer);
  [[nodiscard]] int requests(unsigned long request);  // How often it was made, by either carrier.
  [[nodiscard]] int out_of_band_requests();           // All of them.
  [[nodiscard]] int in_band_calls();                  // All of them.
  void reset_counts();

  [[nodiscard]] File& file(int fd) { return files_.at(static_cast<size_t>(fd)); }
  [[nodiscard]] evl_monitor_state& monitor(int fd) {
    return *at<evl_monitor_state>(file(fd).ids.state_offset);
  }
  [[nodiscard]] evl_user_window& window(int fd) {
    return *at<evl_user_window>(file(fd).ids.state_offset);
  }
  [[nodiscard]] std::vector<std::string> open_files();

  // What a test may set before evl_init().
  evl_core_info info{};
  int lock_memory_result{};
  std::atomic<int> policy{};
  std::atomic<int> priority{};
  bool control_exists{true};
  int node_error{};  // Of opening the node of a public element.
  // The last argument of some requests.
  __evl_timespec last_date{};
  evl_sched_attrs last_attributes{};
  __u32 last_clone_flags{};
  int unmapped{};

 private:
  struct Waiter {
    fundle_t thread{};
    int event{};
    int gate{};
    bool targeted{};
    bool woken{};
    int status{};
  };
  using Lock = std::unique_lock<std::mutex>;

  template <typename T>
  [[nodiscard]] T* at(__u32 offset) {
    return reinterpret_cast<T*>(heap_ + offset);
  }

  int add(File file);
  void enter_stage(bool oob);
  [[nodiscard]] bool scripted(unsigned long request, void* argument, int* result);
  [[nodiscard]] int clone(File& device, evl_clone_req* request);
  [[nodiscard]] int thread_request(File& file, unsigned long request, void* argument);
  [[nodiscard]] int monitor_request(Lock& lock, int fd, unsigned long request, void* argument);
  [[nodiscard]] int dispatch(Lock& lock, int fd, unsigned long request, void* argument);
  [[nodiscard]] int enter_gate(Lock& lock, int fd, const __evl_timespec* date);
  [[nodiscard]] int exit_gate(int fd);
  [[nodiscard]] int wait_event(Lock& lock, int fd, evl_monitor_waitreq* request);
  void serve_events(int gate);
  void wake(Waiter& waiter, int status);

  std::mutex mutex_;
  std::condition_variable changed_;
  alignas(16) std::byte heap_[65536];
  __u32 heap_used_{};
  fundle_t next_handle_{1};
  std::deque<File> files_;
  std::map<std::string, int> public_;
  std::map<unsigned long, std::deque<Answer>> answers_;
  std::map<unsigned long, int> counts_;
  int oob_requests_{};
  int in_band_calls_{};
  std::vector<Waiter*> waiters_;
};

// The core behind the seam. A test makes a new one; the old one goes with what it mapped.
Core& core();
void renew_core();

}  // namespace fake

#endif  // TESTS_UNIT_LIB_FAKE_CORE_H

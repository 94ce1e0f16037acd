// SPDX-License-Identifier: MIT
// Makes a test that hangs say where: after its limit, what each thread of the process waits for
// goes to stderr, and the process aborts. A runner's own limit would only kill it, and a hang that
// comes once in a hundred runs is not seen again.
#ifndef TESTS_UNIT_UTILS_LATMUS_HANG_WATCH_H
#define TESTS_UNIT_UTILS_LATMUS_HANG_WATCH_H

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace utils::latmus {

class HangWatch final {
 public:
  explicit HangWatch(std::chrono::seconds limit);
  ~HangWatch() {
    {
      const std::lock_guard guard{lock_};
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  HangWatch(const HangWatch&) = delete;
  HangWatch& operator=(const HangWatch&) = delete;

 private:
  void watch(std::chrono::seconds limit);

  std::mutex lock_;
  std::condition_variable changed_;
  bool done_{false};
  std::thread thread_;
};

}  // namespace utils::latmus

#endif  // TESTS_UNIT_UTILS_LATMUS_HANG_WATCH_H

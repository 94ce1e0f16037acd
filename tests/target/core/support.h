// SPDX-License-Identifier: MIT
// What the guest's programs share: threads that attach, ways to wait for what the core does, and
// what sysfs says.
//
// No test here looks at how long something took: waiting is for a state, and a bound of a minute
// only turns a hang into a failure.
#ifndef TESTS_TARGET_CORE_SUPPORT_H
#define TESTS_TARGET_CORE_SUPPORT_H

#include <evl/evl.h>
#include <evl/timer.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace target {

struct How {
  int policy{SCHED_FIFO};  // Of Linux, when the thread attaches.
  int priority{10};
  int cpu{0};  // -1: wherever it is.
  int flags{EVL_CLONE_PRIVATE};
  std::string name{};  // Empty: one that nobody else has.
};

// A POSIX thread that attaches, runs a body and detaches. The constructor returns when it is
// attached.
class Thread final {
 public:
  Thread(const How& how, std::function<void()> body);
  ~Thread() { join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  void join();
  [[nodiscard]] int efd() const { return efd_; }
  [[nodiscard]] pid_t tid() const { return tid_; }
  [[nodiscard]] const std::string& name() const { return how_.name; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] evl_thread_state state() const;
  [[nodiscard]] int priority() const { return state().eattrs.sched_priority; }  // In force.

  // Until the thread has all these state bits, EVL_T_*; false after a minute, or if it ended.
  [[nodiscard]] bool reaches(unsigned bits) const;
  [[nodiscard]] bool waits() const { return reaches(EVL_T_PEND); }
  [[nodiscard]] bool sleeps() const { return reaches(EVL_T_DELAY); }

 private:
  static void* start(void* self);
  void run();

  How how_;
  std::function<void()> body_;
  pthread_t thread_{};
  bool joined_{};
  int efd_{-1};
  pid_t tid_{};
  std::atomic<int> attached_{};
  std::atomic<bool> ended_{};
};

// Runs a body in an attached thread, to its end.
void attached(const How& how, const std::function<void()>& body);
inline void attached(const std::function<void()>& body) {
  attached({}, body);
}

// Looks until it is true, resting in between; false after a minute. In-band, respectively in an
// attached thread.
[[nodiscard]] bool until(const std::function<bool()>& condition);
[[nodiscard]] bool oob_until(const std::function<bool()>& condition);

// Waits, out-of-band, for a flag that somebody sets: oob_until() without anything that may
// allocate.
void oob_await(const std::atomic<bool>& flag);

[[nodiscard]] std::string unique_name(const char* stem);
[[nodiscard]] int cpus();
[[nodiscard]] bool has_watchdog();

[[nodiscard]] evl_thread_state state_of(int efd);
[[nodiscard]] timespec now(int clock = EVL_CLOCK_MONOTONIC);
[[nodiscard]] timespec after_ms(long ms, int clock = EVL_CLOCK_MONOTONIC);
[[nodiscard]] bool earlier(const timespec& left, const timespec& right);
// Whether `date` is further away than the gravity of user threads, which is how much before a date
// the core may answer. (A timer that is looked at late counts a period of which so much is to go.)
[[nodiscard]] bool too_early(const timespec& date, int clock = EVL_CLOCK_MONOTONIC);
[[nodiscard]] bool too_early(const timespec& date, const timespec& at);
[[nodiscard]] timespec far_away();  // An hour from now.

// A file of sysfs or procfs, without its last newline; empty if it cannot be read.
[[nodiscard]] std::string contents(const std::string& path);
[[nodiscard]] std::vector<std::string> words(const std::string& text);
[[nodiscard]] int store(const std::string& path, const std::string& text);  // Zero or -errno.
[[nodiscard]] bool exists(const std::string& path);
[[nodiscard]] std::vector<std::string> entries(const std::string& folder);

// What happened, in order; written by threads out-of-band, so it never allocates.
class Log final {
 public:
  void add(char what) {
    const unsigned at = length_.fetch_add(1);
    if (at < text_.size()) text_[at] = what;
  }
  [[nodiscard]] std::string text() const {
    return {text_.data(), std::min<size_t>(length_, text_.size())};
  }

 private:
  std::array<char, 256> text_{};
  std::atomic<unsigned> length_{};
};

// The reports of the health monitor to the calling thread: installs the handler of SIGDEBUG while
// it lives.
class Reports final {
 public:
  Reports();
  ~Reports();
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  // Since the last call, by all threads; one bit per EVL_HMDIAG_*.
  [[nodiscard]] static unsigned take();
  [[nodiscard]] static unsigned seen();

 private:
  struct sigaction before_ {};
};

inline unsigned bit(int diagnosis) {
  return 1U << static_cast<unsigned>(diagnosis);
}

// Has the process initialized before the first test; nullptr is never returned. For programs whose
// subject that is not.
::testing::Environment* use_core();

// A request as the library sends it; zero or -errno. The caller is attached, or learns EPERM.
[[nodiscard]] int oob_request(int fd, unsigned long request, const void* argument);
[[nodiscard]] int inband_request(int fd, unsigned long request, const void* argument);

}  // namespace target

#endif  // TESTS_TARGET_CORE_SUPPORT_H

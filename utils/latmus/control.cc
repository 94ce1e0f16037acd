// SPDX-License-Identifier: MIT

#include "latmus/control.h"

#include <evl/evl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

namespace utils::latmus {
namespace {

constexpr int kHealthStatus = 99;
constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kStackBytes = 256 * 1024;

Control the_control;

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1}) sigaddset(&set, number);
  return set;
}

void interrupt(int) {}

// A report of the health monitor, on the thread which it is about.
void on_health_report(int, siginfo_t* info, void*) {
  if (!sigdebug_marked(info)) return;
  switch (sigdebug_cause(info)) {
    case EVL_HMDIAG_SIGDEMOTE:
    case EVL_HMDIAG_SYSDEMOTE:
    case EVL_HMDIAG_EXDEMOTE:
    case EVL_HMDIAG_LKDEPEND:
      // The end of a run interrupts the responder: that is no disturbance.
      if (the_control.stopping) return;
      ++the_control.inband_switches;
      if (!the_control.keep_going) request_end(Ending::inband_switch);
      return;
    default: {
      constexpr char kText[] = "latmus: the health monitor reports an error of the responder\n";
      (void)!write(STDERR_FILENO, kText, sizeof(kText) - 1);
      _exit(kHealthStatus);
    }
  }
}

timespec to_timespec(int64_t ns) {
  return {.tv_sec = static_cast<time_t>(ns / kSecond), .tv_nsec = static_cast<long>(ns % kSecond)};
}

void* thread_main(void* argument) {
  const std::unique_ptr<std::function<void()>> body{static_cast<std::function<void()>*>(argument)};
  (*body)();
  return nullptr;
}

int set_attributes(pthread_attr_t* attributes, const ThreadSettings& settings) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(settings.cpu), &cpus);
  sched_param parameters{};
  parameters.sched_priority = settings.fifo_priority;
  pthread_attr_setstacksize(attributes, kStackBytes);
  pthread_attr_setaffinity_np(attributes, sizeof(cpus), &cpus);
  pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(attributes, settings.fifo_priority > 0 ? SCHED_FIFO : SCHED_OTHER);
  return pthread_attr_setschedparam(attributes, &parameters);
}

}  // namespace

Control& control() {
  return the_control;
}

void set_up_signals() {
  const sigset_t set = end_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = interrupt;  // Without SA_RESTART: the call has to return.
  sigaction(SIGUSR2, &action, nullptr);
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = on_health_report;
  sigaction(SIGDEBUG, &action, nullptr);
}

void reset_control(bool keep_going) {
  // A request of the last run may still be pending, for example its timeout.
  const sigset_t set = end_signals();
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGUSR1);
  const timespec now{};
  while (sigtimedwait(&only, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  the_control.stopping = false;
  the_control.inband_switches = 0;
  the_control.ending = -1;
  the_control.keep_going = keep_going;
}

void request_end(Ending why) {
  int none = -1;
  if (the_control.ending.compare_exchange_strong(none, static_cast<int>(why))) {
    kill(getpid(), SIGUSR1);
  }
}

Ending wait_for_end(double seconds) {
  const sigset_t set = end_signals();
  const int64_t end = monotonic_ns() + static_cast<int64_t>(seconds * kSecond);
  int number = 0;
  do {
    if (seconds > 0) {
      const timespec rest = to_timespec(std::max<int64_t>(end - monotonic_ns(), 0));
      number = sigtimedwait(&set, nullptr, &rest);
    } else {
      number = sigwaitinfo(&set, nullptr);
    }
  } while (number < 0 && errno == EINTR);

  int none = -1;
  const Ending seen = number < 0 || number == SIGALRM ? Ending::timeout : Ending::interrupted;
  // USR1 says that the reason is there already.
  the_control.ending.compare_exchange_strong(none, static_cast<int>(seen));
  the_control.stopping = true;
  return static_cast<Ending>(the_control.ending.load());
}

int start_thread(pthread_t* thread, const ThreadSettings& settings, std::function<void()> body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int status = set_attributes(&attributes, settings);
  auto copy = std::make_unique<std::function<void()>>(std::move(body));
  if (status == 0) status = pthread_create(thread, &attributes, thread_main, copy.get());
  pthread_attr_destroy(&attributes);
  if (status != 0) return -status;
  copy.release();
  pthread_setname_np(*thread, settings.name);
  return 0;
}

void finish_thread(pthread_t thread) {
  the_control.stopping = true;
  // A signal that comes between the thread's look at the flag and its call is lost, and no mask can
  // be changed atomically with an out-of-band call: hence more than one.
  constexpr int64_t kStep = 20'000'000;
  for (;;) {
    pthread_kill(thread, SIGUSR2);
    // Not by the wall clock: while that is set back, nobody would send the next signal.
    const timespec until = to_timespec(monotonic_ns() + kStep);
    if (pthread_clockjoin_np(thread, nullptr, CLOCK_MONOTONIC, &until) != ETIMEDOUT) return;
  }
}

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace utils::latmus

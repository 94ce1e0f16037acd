// SPDX-License-Identifier: MIT
// The same measurement with what Linux itself offers: a SCHED_FIFO thread that sleeps until a date.
// It needs no core, and shows what the core is for.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "common/system.h"
#include "latmus/control.h"
#include "latmus/runs.h"

namespace utils::latmus {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class FifoRun final {
 public:
  explicit FifoRun(const Task& task) : task_{task} {}
  ~FifoRun() {
    for (const int fd : ends_) {
      if (fd >= 0) close(fd);
    }
  }
  FifoRun(const FifoRun&) = delete;
  FifoRun& operator=(const FifoRun&) = delete;

  int measure();

 private:
  void respond();

  const Task& task_;
  int ends_[2]{-1, -1};
  Record partial_{};
};

// No allocation and no output in the loop; one write to a pipe per second of samples.
void FifoRun::respond() {
  Run& run = task_.run;
  const int64_t now = monotonic_ns();
  ResponseMeter meter{run.period_ns, now - now % run.period_ns + 2 * run.period_ns, &run.histogram};
  const auto limit = task_.options.limit_ns;
  int64_t records = 0;
  while (!control().stopping && (task_.run.requested_s == 0 || records < task_.run.requested_s)) {
    const int64_t date = meter.ideal_ns();
    const timespec until{.tv_sec = static_cast<time_t>(date / kSecond),
                         .tv_nsec = static_cast<long>(date % kSecond)};
    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) continue;
    const bool counts = !meter.warming_up();
    const auto record = meter.sample(monotonic_ns());
    if (limit && counts && meter.last_latency_ns() > *limit) {
      task_.freezer.freeze();
      request_end(Ending::latency_limit);
    }
    records += record ? 1 : 0;
    // The reader ends the run after the last record it wants; then the pipe may be full.
    if (record && write(ends_[1], &*record, sizeof(*record)) < 0 && errno != EAGAIN) {
      request_end(Ending::failed);
    }
  }
  partial_ = meter.partial();
}

int FifoRun::measure() {
  if (pipe2(ends_, O_CLOEXEC) < 0 || fcntl(ends_[1], F_SETFL, O_NONBLOCK) < 0) {
    fprintf(stderr, "latmus: no pipe for the samples: %m\n");
    return kFailed;
  }
  if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
    fprintf(stderr, "latmus: memory cannot be locked: %m\n");
    return kFailed;
  }
  Run& run = task_.run;
  int status = task_.recorder.start(ends_[0]);
  pthread_t responder{};
  if (status == 0) {
    status =
        start_thread(&responder, {"lat-responder", run.cpu, run.priority}, [this] { respond(); });
  }
  if (status < 0) {
    fprintf(stderr, "latmus: a thread of priority %d does not start: %s\n", run.priority,
            strerror(-status));
    task_.recorder.stop();
    return kFailed;
  }
  run.ending = wait_for_end(longest_wait_s(task_.options.timeout_s));
  finish_thread(responder);
  task_.recorder.stop();
  task_.recorder.take_partial(partial_);
  return run.ending == Ending::failed ? kFailed : kDone;
}

}  // namespace

int measure_fifo(const Task& task) {
  return FifoRun{task}.measure();
}

}  // namespace utils::latmus

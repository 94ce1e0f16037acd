// SPDX-License-Identifier: MIT

#include "fake_driver.h"

#include <evl/evl.h>
#include <evl/syscall.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "latmus/control.h"

namespace utils::latmus {

FakeDriver* fake_driver = nullptr;

namespace {

constexpr uint32_t kPerRecord = 10;
constexpr auto kShortWhile = std::chrono::milliseconds{1};

bool sleep_interrupted() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 200'000};
  return nanosleep(&pause, nullptr) < 0;
}

template <typename T>
T* pointer_to(uint64_t address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

int FakeDriver::do_run(const latmus_result& result) {
  if (run_error != 0) {
    const std::lock_guard guard{lock};
    over = true;  // A signal would break the wait in PULSE; it does not break ours.
    changed.notify_all();
    return fail(run_error);
  }
  if (result.len == sizeof(int32_t)) {
    if (tune_error != 0) return fail(tune_error);
    *pointer_to<int32_t>(result.data_ptr) = tuned_ns;
    return 0;
  }
  const bool user = setup.type == EVL_LAT_USER;
  {
    const std::lock_guard guard{lock};
    running = true;
  }
  latmus_measurement record{
      .sum_lat = 0, .min_lat = latency_ns, .max_lat = latency_ns, .overruns = 0, .samples = 0};
  uint64_t counted = 0;
  int records = 0;
  while (!sleep_interrupted()) {
    const std::lock_guard guard{lock};
    if (user && answers < shots) continue;
    if (shots > 0 || !user) {
      ++counted;
      ++record.samples;
      record.sum_lat += latency_ns;
    }
    ++shots;
    changed.notify_all();
    if (record.samples < kPerRecord) continue;
    (void)!write(pipe_write, &record, sizeof(record));
    record.samples = 0;
    record.sum_lat = 0;
    if (++records == interrupt_after) kill(getpid(), SIGINT);
  }
  const auto* const out = pointer_to<latmus_measurement_result>(result.data_ptr);
  *pointer_to<latmus_measurement>(out->last_ptr) = record;
  const uint32_t cell = static_cast<uint32_t>(latency_ns) / setup.cell_ns;
  pointer_to<int32_t>(out->histogram_ptr)[cell] = static_cast<int32_t>(counted);
  const std::lock_guard guard{lock};
  over = true;
  changed.notify_all();
  return end_error == 0 ? 0 : fail(end_error);
}

int FakeDriver::do_pulse() {
  std::unique_lock guard{lock};
  const uint64_t seen = answers;
  // A call of the kernel ends by a signal; a condition variable does not. So this looks for the end
  // itself: if the thread that waits in RUN never started, nobody else would tell.
  while (!over && !control().stopping && shots <= seen) changed.wait_for(guard, kShortWhile);
  if (over) return fail(EIDRM);
  if (control().stopping) return fail(EINTR);
  if (static_cast<int>(seen) == pulse_error_at) return fail(ENXIO);
  answers = seen + 1;
  guard.unlock();
  if (static_cast<int>(seen) == inband_switch_at) {
    const union sigval value {
      .sival_int = static_cast<int>(sigdebug_marker | static_cast<unsigned int>(health_code))
    };
    pthread_sigqueue(pthread_self(), SIGDEBUG, value);
  }
  return 0;
}

}  // namespace utils::latmus

using utils::latmus::fake_driver;

extern "C" {

int evl_init() {
  return 0;
}

evl_version evl_get_version() {
  return {.api_level = __EVL__, .abi_level = EVL_ABI_PREREQ, .version_string = "fake"};
}

int evl_attach_thread(int, const char*, ...) {
  const std::lock_guard guard{fake_driver->lock};
  return 100 + fake_driver->attached++;
}

int evl_detach_self() {
  const std::lock_guard guard{fake_driver->lock};
  ++fake_driver->detached;
  return 0;
}

int evl_set_thread_mode(int, int, int*) {
  return 0;
}

int evl_read_clock(int, timespec* time) {
  return clock_gettime(CLOCK_MONOTONIC, time);
}

int evl_create_xbuf(size_t, size_t, int, const char*, ...) {
  int ends[2];
  if (pipe(ends) < 0) return -errno;
  fake_driver->pipe_write = ends[1];
  return ends[0];
}

int oob_ioctl(int, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const void* const argument = va_arg(arguments, const void*);
  va_end(arguments);
  if (request == EVL_LATIOC_PULSE) return fake_driver->do_pulse();
  return fake_driver->do_run(*static_cast<const latmus_result*>(argument));
}

// In place of the C library's, for the requests of the driver.
int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  switch (request) {
    case EVL_LATIOC_MEASURE:
    case EVL_LATIOC_TUNE:
      fake_driver->setup = *static_cast<const latmus_setup*>(argument);
      return 0;
    case EVL_LATIOC_RESET:
      fake_driver->reset = true;
      return 0;
    default:
      return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  }
}

}  // extern "C"

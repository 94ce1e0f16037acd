// SPDX-License-Identifier: MIT
// Measuring and tuning through the driver of the core, /dev/latmus.
//
// Threads: the sitter sleeps out-of-band in RUN for as long as the run lasts; the responder, for
// the context user, answers the timer; the recorder reads the driver's records from an xbuf.

#include <evl/devices/latmus.h>
#include <evl/evl.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "common/system.h"
#include "latmus/control.h"
#include "latmus/runs.h"

namespace utils::latmus {
namespace {

constexpr size_t kXbufBytes = 1024;
constexpr int kSitterPriority = 1;
constexpr int kGraceSteps = 100;
constexpr useconds_t kGraceStepUs = 10'000;

uint64_t address_of(void* object) {
  return reinterpret_cast<uintptr_t>(object);
}

uint32_t type_of(Context context) {
  switch (context) {
    case Context::irq:
      return EVL_LAT_IRQ;
    case Context::kernel:
      return EVL_LAT_KERN;
    case Context::sirq:
      return EVL_LAT_SIRQ;
    default:
      return EVL_LAT_USER;
  }
}

int complain(const char* what, int error) {
  fprintf(stderr, "latmus: %s: %s\n", what, strerror(error));
  if (error == EPERM)
    fputs("Real-time threads need root, or CAP_SYS_NICE and CAP_IPC_LOCK.\n", stderr);
  return kFailed;
}

class CoreRun final {
 public:
  explicit CoreRun(const Task& task) : task_{task}, cells_(task.options.cells) {}
  ~CoreRun() {
    if (xbuf_ >= 0) close(xbuf_);
    if (driver_ >= 0) close(driver_);
  }
  CoreRun(const CoreRun&) = delete;
  CoreRun& operator=(const CoreRun&) = delete;

  int measure();
  int tune(FILE* lines);

 private:
  int open_driver();
  int set_up(unsigned long request, const latmus_setup& setup);
  int start(void* data, uint32_t bytes);
  void sit();
  void respond();
  void finish();
  void fail(const char* what, int error);
  [[nodiscard]] bool has_samples() const;

  const Task& task_;
  int driver_{-1};
  int xbuf_{-1};
  std::vector<int32_t> cells_;
  Record last_{};
  latmus_result result_{};
  std::optional<pthread_t> sitter_;
  std::optional<pthread_t> responder_;
  int run_error_{0};  // errno of RUN; written by the sitter.
};

int CoreRun::open_driver() {
  driver_ = open(task_.driver, O_RDWR | O_CLOEXEC);
  if (driver_ < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    fprintf(stderr, "latmus: no kernel support: there is no %s. It comes with CONFIG_EVL_LATMUS.\n",
            task_.driver);
    return kNoSupport;
  }
  if (driver_ < 0) return complain(task_.driver, errno);
  const int status = evl_init();
  if (status == -ENOSYS || status == -ENOEXEC) return kNoSupport;
  if (status < 0) return complain("the core does not take this process", -status);
  if (task_.options.reset && ioctl(driver_, EVL_LATIOC_RESET) < 0) {
    return complain("the gravity cannot be reset", errno);
  }
  return kDone;
}

int CoreRun::set_up(unsigned long request, const latmus_setup& setup) {
  if (ioctl(driver_, request, &setup) == 0) return kDone;
  if (errno == EINVAL && task_.run.context == Context::sirq) {
    fputs("latmus: no kernel support: the driver refuses in-band interrupts\n", stderr);
    return kNoSupport;
  }
  return complain("the driver refuses these settings", errno);
}

void CoreRun::fail(const char* what, int error) {
  if (control().stopping) return;
  complain(what, error);
  request_end(Ending::failed);
}

bool CoreRun::has_samples() const {
  for (const int32_t count : cells_) {
    if (count != 0) return true;
  }
  return false;
}

// Out-of-band from RUN on.
void CoreRun::sit() {
  const int self = evl_attach_thread(EVL_CLONE_PRIVATE, "lat-sitter:%d", getpid());
  if (self < 0) return fail("the waiting thread is not attached", -self);
  // A signal before the call has begun is no end of the run: begin it again. One of them per 20 ms
  // comes when the run ends, so this goes around once or twice.
  do {
    run_error_ = oob_ioctl(driver_, EVL_LATIOC_RUN, &result_) < 0 ? errno : 0;
  } while (run_error_ == EINTR && !control().stopping);
  evl_detach_self();
  if (run_error_ != 0 && run_error_ != EINTR)
    return fail("the run ended with an error", run_error_);
  request_end(Ending::timeout);
}

// Out-of-band, but for the first lines and the last one. No system call in the loop that is not the
// core's: the clock is read through the vDSO.
void CoreRun::respond() {
  const int self = evl_attach_thread(EVL_CLONE_PUBLIC, "timer-responder:%d", getpid());
  if (self < 0) return fail("the responder is not attached", -self);
  int status = evl_set_thread_mode(self, EVL_T_WOSS | EVL_T_HMSIG, nullptr);
  uint64_t timestamp = 0;
  while (status == 0) {
    if (oob_ioctl(driver_, EVL_LATIOC_PULSE, &timestamp) < 0) {
      if (errno == EINTR && !control().stopping) {
        timestamp = 0;
        continue;
      }
      status = -errno;
      break;
    }
    timespec now{};
    status = evl_read_clock(EVL_CLOCK_MONOTONIC, &now);
    timestamp =
        static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  }
  evl_detach_self();
  // An error of PULSE says that the run is over, and then the sitter knows why. If nobody has ended
  // it by now, the responder is the one with the problem, and the run would last for ever.
  for (int wait = 0; wait < kGraceSteps && control().ending < 0; ++wait) usleep(kGraceStepUs);
  if (control().ending < 0) fail("the responder stopped", -status);
}

int CoreRun::start(void* data, uint32_t bytes) {
  result_ = {.data_ptr = address_of(data), .len = bytes, .__pad = 0};
  const Run& run = task_.run;
  pthread_t thread{};
  int status = 0;
  if (run.context == Context::user) {
    status = start_thread(&thread, {"lat-responder", run.cpu, run.priority}, [this] { respond(); });
    if (status == 0) responder_ = thread;
  }
  if (status == 0) {
    status = start_thread(&thread, {"lat-sitter", run.cpu, kSitterPriority}, [this] { sit(); });
    if (status == 0) sitter_ = thread;
  }
  return status == 0 ? kDone : complain("a real-time thread does not start", -status);
}

void CoreRun::finish() {
  control().stopping = true;
  if (sitter_) finish_thread(*sitter_);
  if (responder_) finish_thread(*responder_);
  task_.recorder.stop();
}

int CoreRun::measure() {
  if (const int status = open_driver(); status != kDone) return status;
  xbuf_ = evl_new_xbuf(kXbufBytes, "lat-data:%d", getpid());
  if (xbuf_ < 0) return complain("no buffer for the samples", -xbuf_);

  Run& run = task_.run;
  latmus_setup setup{};
  setup.type = type_of(run.context);
  setup.cell_ns = task_.options.cell_ns;
  setup.period = static_cast<uint64_t>(run.period_ns);
  setup.priority = run.priority;
  setup.cpu = static_cast<uint32_t>(run.cpu);
  setup.u.measure.xfd = static_cast<uint32_t>(xbuf_);
  setup.u.measure.hcells = task_.options.cells;
  if (const int status = set_up(EVL_LATIOC_MEASURE, setup); status != kDone) return status;

  latmus_measurement_result measured{};
  measured.last_ptr = address_of(&last_);
  measured.histogram_ptr = address_of(cells_.data());
  measured.len = static_cast<uint32_t>(cells_.size() * sizeof(cells_[0]));
  int status = task_.recorder.start(xbuf_);
  if (status < 0) return complain("the recorder does not start", -status);
  status = start(&measured, sizeof(measured));
  if (status != kDone) request_end(Ending::failed);

  run.ending = wait_for_end(longest_wait_s(task_.options.timeout_s));
  finish();
  if (run_error_ == 0 || has_samples()) {
    task_.recorder.take_partial(last_);
    run.histogram.assign(cells_);
  }
  return run.ending == Ending::failed ? kFailed : kDone;
}

int CoreRun::tune(FILE* lines) {
  if (const int status = open_driver(); status != kDone) return status;
  Run& run = task_.run;
  latmus_setup setup{};
  setup.type = type_of(run.context);
  setup.period = static_cast<uint64_t>(run.period_ns);
  setup.priority = run.priority;
  setup.cpu = static_cast<uint32_t>(run.cpu);
  setup.u.tune.verbosity = static_cast<uint32_t>(task_.options.verbosity);
  if (const int status = set_up(EVL_LATIOC_TUNE, setup); status != kDone) return status;

  int32_t gravity = 0;
  if (start(&gravity, sizeof(gravity)) != kDone) request_end(Ending::failed);
  run.ending = wait_for_end(0);
  finish();
  if (run.ending == Ending::interrupted || run_error_ == EINTR) {
    fputs("latmus: interrupted: the gravity is what it was\n", stderr);
    run.ending = Ending::interrupted;
    return kFailed;
  }
  if (run_error_ == EAGAIN) {
    fputs("latmus: a shot came early: the figures make no sense. Tune again on an idle machine.\n",
          stderr);
  }
  if (run.ending == Ending::failed || run_error_ != 0) return kFailed;
  fprintf(lines, "%s gravity...%d ns\n", name_of(run.context), gravity);
  fflush(lines);
  return kDone;
}

}  // namespace

int measure_with_core(const Task& task) {
  return CoreRun{task}.measure();
}

int tune_with_core(const Task& task, FILE* lines) {
  return CoreRun{task}.tune(lines);
}

}  // namespace utils::latmus

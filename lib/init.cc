// SPDX-License-Identifier: MIT
// evl_init(): makes a process a client of the core. In-band, once per process; a child of fork()
// starts from nothing, for the core knows only the parent.

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "current.h"
#include "evl/evl.h"
#include "evl/sys.h"
#include "init.h"
#include "monitor.h"
#include "process.h"
#include "vdso.h"

namespace evl {

constinit thread_local Current current = kNotAttached;
constinit Process process = kNoProcess;
constinit ReadClock read_posix_clock = kernel::get_time;

int Process::clock(int clockfd) const noexcept {
  switch (clockfd) {
    case EVL_CLOCK_MONOTONIC:
      return monotonic;
    case EVL_CLOCK_REALTIME:
      return realtime;
    default:
      return clockfd;
  }
}

namespace {

static_assert(EVL_CLOCK_MONOTONIC == -CLOCK_MONOTONIC);
static_assert(EVL_CLOCK_REALTIME == -CLOCK_REALTIME);

constexpr size_t kProxyBytes = 16384;

constinit pthread_once_t once = PTHREAD_ONCE_INIT;
constinit int init_status = -ENXIO;

// What evl_init() has opened until it is sure to succeed.
struct Opening {
  Process made{kNoProcess};
  bool committed{};

  ~Opening() {
    if (!committed) discard(made);
  }

  static void discard(const Process& process) noexcept {
    if (process.heap != nullptr) kernel::unmap(process.heap, process.heap_size);
    for (const int fd : {process.control, process.monotonic, process.realtime}) {
      if (fd >= 0) kernel::close(fd);
    }
  }
};

int check_core(const Process& made, evl_core_info* info) noexcept {
  const int status = kernel::ioctl(made.control, EVL_CTLIOC_GET_COREINFO, info);
  if (status < 0 && status != -ENOTTY) return status;
  // ENOTTY: the size of the structure is part of the request code, and it is another one there.
  const bool served =
      status >= 0 && info->abi_base <= EVL_ABI_PREREQ && info->abi_current >= EVL_ABI_PREREQ;
  if (served) return 0;
  if (status < 0) {
    fprintf(stderr, "evl: the core does not know ABI level %d\n", EVL_ABI_PREREQ);
  } else {
    fprintf(stderr, "evl: the library needs ABI level %d, the core serves %u to %u\n",
            EVL_ABI_PREREQ, info->abi_base, info->abi_current);
  }
  return -ENOEXEC;
}

int open_process(Process* made) noexcept {
  if (const int status = kernel::lock_memory(); status < 0) return status;

  made->control = kernel::open(EVL_CONTROL_DEV, O_RDWR);
  if (made->control == -ENOENT) {
    fprintf(stderr, "evl: no %s: the kernel has no real-time core, or it is disabled\n",
            EVL_CONTROL_DEV);
    return -ENOSYS;
  }
  if (made->control < 0) return made->control;

  evl_core_info info{};
  if (const int status = check_core(*made, &info); status < 0) return status;
  made->fpu_features = info.fpu_features;

  made->monotonic = kernel::open("/dev/evl/" EVL_CLOCK_DEV "/" EVL_CLOCK_MONOTONIC_DEV, O_RDWR);
  if (made->monotonic < 0) return made->monotonic;
  made->realtime = kernel::open("/dev/evl/" EVL_CLOCK_DEV "/" EVL_CLOCK_REALTIME_DEV, O_RDWR);
  if (made->realtime < 0) return made->realtime;

  // The vDSO may map its clocksource at the first read: have that happen in-band.
  timespec now{};
  if (const int status = read_posix_clock(CLOCK_MONOTONIC, &now); status < 0) return status;

  int error = 0;
  made->heap = static_cast<std::byte*>(kernel::map(made->control, info.shm_size, &error));
  made->heap_size = info.shm_size;
  return made->heap == nullptr ? -error : 0;
}

// Without them evl_printf() still works in-band; a daemon may have closed its streams.
void open_proxies() noexcept {
  const int output = evl_new_proxy(STDOUT_FILENO, kProxyBytes, "stdout:%d", getpid());
  const int errors = evl_new_proxy(STDERR_FILENO, kProxyBytes, "stderr:%d", getpid());
  if (output >= 0) process.output = output;
  if (errors >= 0) process.errors = errors;
}

void init_once() noexcept {
  if (const ReadClock found = find_vdso_clock(); found != nullptr) read_posix_clock = found;

  Opening opening;
  init_status = open_process(&opening.made);
  if (init_status < 0) return;

  // A child inherits the registration: it is done once, whatever the number of generations.
  static constinit bool registered = false;
  if (!registered) registered = pthread_atfork(nullptr, nullptr, forget_process) == 0;
  if (!registered) {
    init_status = -ENOMEM;
    return;
  }

  opening.committed = true;
  process = opening.made;
  open_proxies();
}

}  // namespace

void forget_process() noexcept {
  Opening::discard(process);
  for (const int fd : {process.output, process.errors}) {
    if (fd >= 0) kernel::close(fd);
  }
  // It keeps the parent's element, and its name, alive.
  if (current.efd >= 0) kernel::close(current.efd);
  process = kNoProcess;
  current = kNotAttached;
  init_status = -ENXIO;
  once = PTHREAD_ONCE_INIT;
  CompletionLock::renew();
}

}  // namespace evl

using namespace evl;

EVL_API int evl_init() {
  pthread_once(&once, init_once);
  return init_status;
}

EVL_API unsigned int evl_detect_fpu() {
  return evl_init() < 0 ? 0 : process.fpu_features;
}

EVL_API evl_version evl_get_version() {
  return {.api_level = __EVL__, .abi_level = EVL_ABI_PREREQ, .version_string = LIB_VERSION_STRING};
}

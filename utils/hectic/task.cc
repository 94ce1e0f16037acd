// SPDX-License-Identifier: MIT

#include "hectic/task.h"

#include <asm/evl/fptest.h>
#include <evl/devices/hectic.h>
#include <evl/evl.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "common/system.h"
#include "common/text.h"
#include "hectic/pattern.h"

namespace utils::hectic {

std::atomic<bool> failed{false};

namespace {

constexpr const char* kDriver = "/dev/hectic";
constexpr long kOobSyscall = 0x4f4f4243;  // PR_OOB_SYSCALL of <asm-generic/dovetail.h>.
constexpr int kPriority = 1;
constexpr size_t kStackBytes = 128 * 1024;
constexpr uint32_t kSecondSample = 2;

// A request to the driver, as one instruction: between filling the registers and looking at them,
// no compiled code may run, for it could use them. Zero, a count, or a negated errno.
inline __attribute__((__always_inline__)) long request(bool oob, int fd, unsigned long code,
                                                       const void* argument) {
  long result = oob ? SYS_prctl : SYS_ioctl;
  const long first = oob ? kOobSyscall : fd;
  const long second = oob ? long{sys_evl_ioctl} : static_cast<long>(code);
  const long third = oob ? long{fd} : reinterpret_cast<long>(argument);
  register long r10 asm("r10") = static_cast<long>(code);
  register long r8 asm("r8") = reinterpret_cast<long>(argument);
  asm volatile("syscall"
               : "+a"(result)
               : "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

// Where a task is going to wait.
hectic_task_index waits(uint32_t index, bool oob) {
  return {.index = index,
          .flags = static_cast<uint32_t>(oob ? HECTIC_OOB_WAIT : HECTIC_INBAND_WAIT)};
}

const char* register_kind(uint32_t number) {
  return number < EVL_FPTEST_NR_X87 ? "st" : "vector register ";
}

uint32_t register_number(uint32_t number) {
  return number < EVL_FPTEST_NR_X87 ? number : number - EVL_FPTEST_NR_X87;
}

}  // namespace

struct CpuTest::Task {
  CpuTest* owner;
  Spec spec;
  uint32_t index;
  std::string name;
  std::atomic<int> error{0};
};

CpuTest::CpuTest(int cpu, std::vector<Spec> specs, Settings settings)
    : cpu_{cpu}, specs_{std::move(specs)}, settings_{settings} {
  sem_init(&registered_, 0, 0);
  sem_init(&start_, 0, 0);
}

CpuTest::~CpuTest() {
  if (driver_ >= 0) close(driver_);
}

void CpuTest::fail(const char* what, long error) {
  if (failed.exchange(true)) return;
  fprintf(stderr, "hectic: CPU%d: %s: %s\n", cpu_, what, strerror(static_cast<int>(error)));
  kill(getpid(), SIGUSR1);
}

void CpuTest::report_corruption(uint32_t self, uint32_t found, uint32_t bad) {
  hectic_error error{};
  // In-band from here on, and that does not matter any more.
  const bool known = ioctl(driver_, EVL_HECIOC_GET_LAST_ERROR, &error) == 0;
  if (failed.exchange(true)) return;
  const std::string where = format("%s%u", register_kind(bad), register_number(bad));
  const uint32_t from = known ? error.last_switch.from : self;
  const uint32_t to = known ? error.last_switch.to : self;
  fprintf(stderr, "hectic: CPU%d: %s\n", cpu_,
          describe_corruption(names_, from, to, found, where.c_str()).c_str());
  kill(getpid(), SIGUSR1);
}

// Returns when somebody has switched back; false if the test is over.
bool CpuTest::switch_to(const Task& task, uint32_t to, bool oob, bool check_fpu, uint32_t value) {
  hectic_switch_req switching{.from = task.index, .to = to};
  hectic_task_index self = waits(task.index, oob);
  const uint32_t features = settings_.fpu_features;
  long status = 0;
  uint32_t found = value;
  uint32_t bad = 0;
  if (check_fpu) {
    evl_set_fpregs(features, value);
    status = request(oob, driver_, EVL_HECIOC_SWITCH_TO, &switching);
    // The switch has been made: what is left is to wait for the way back.
    while (status == -EINTR) status = request(oob, driver_, EVL_HECIOC_PEND, &self);
    found = evl_check_fpregs(features, value, bad);
  } else {
    status = request(oob, driver_, EVL_HECIOC_SWITCH_TO, &switching);
    while (status == -EINTR) status = request(oob, driver_, EVL_HECIOC_PEND, &self);
  }
  if (status < 0) {
    fail("a switch failed", -status);
  } else if (status > 0) {
    hectic_error error{};
    (void)!ioctl(driver_, EVL_HECIOC_GET_LAST_ERROR, &error);
    report_corruption(task.index, error.fp_val, 0);
  } else if (found != value) {
    report_corruption(task.index, found, bad);
  }
  return !failed;
}

// The sleeper and the switcher: they keep the others going.
void CpuTest::run_passer(Task* task) {
  Pattern pattern{task->index, static_cast<uint32_t>(specs_.size())};
  const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (;;) {
    if (task->spec.kind == Kind::sleeper) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
    const uint32_t value = fpu_value(task->index, pattern.iteration());
    if (!switch_to(*task, pattern.next_in_turn(), false, settings_.fpu, value)) return;
  }
}

void CpuTest::run_partner(Task* task) {
  const Spec& spec = task->spec;
  bool oob = spec.is_oob();
  hectic_task_index self = waits(task->index, oob);
  long status = 0;
  do {
    status = request(oob, driver_, EVL_HECIOC_PEND, &self);
  } while (status == -EINTR);
  if (status < 0) return fail("a thread cannot wait for its turn", -status);

  Pattern pattern{task->index, static_cast<uint32_t>(specs_.size())};
  for (;;) {
    const uint32_t value = fpu_value(task->index, pattern.iteration());
    const Turn turn = pattern.next();
    const bool check = oob ? spec.fpu_oob : spec.fpu_inband;
    if (!switch_to(*task, turn.to, oob, check, value)) return;
    if (spec.kind != Kind::rtuo || !turn.change_stage) continue;
    const int changed = oob ? evl_switch_inband() : evl_switch_oob();
    if (changed < 0 && changed != -EINTR) return fail("a thread cannot change its stage", -changed);
    if (changed == 0) oob = !oob;
  }
}

void CpuTest::run_task(Task* task) {
  if (task->spec.is_oob()) {
    const int self = evl_attach_thread(EVL_CLONE_PUBLIC, "%s:%d", task->name.c_str(), getpid());
    if (self < 0) task->error = -self;
  }
  // The driver numbers the tasks in the order in which they register: the main thread waits for
  // each.
  hectic_task_index self = waits(task->index, task->spec.is_oob());
  if (task->error == 0 && ioctl(driver_, EVL_HECIOC_REGISTER_UTASK, &self) < 0) task->error = errno;
  if (task->error == 0 && self.index != task->index) task->error = EPROTO;
  sem_post(&registered_);
  if (task->error != 0) return;
  if (task->spec.kind != Kind::sleeper && task->spec.kind != Kind::switcher) {
    run_partner(task);
    return;
  }
  while (sem_wait(&start_) < 0) continue;
  run_passer(task);
}

void* CpuTest::task_main(void* argument) {
  auto* const task = static_cast<Task*>(argument);
  task->owner->run_task(task);
  return nullptr;
}

// Dirties the registers whenever it gets the CPU.
void* CpuTest::burner_main(void*) {
  volatile double value = 1.0;
  while (!failed) {
    for (int round = 0; round < 100'000; ++round) value = value * 1.0000001 + 1e-9;
    if (value > 1e9) value = 1.0;
  }
  return nullptr;
}

int CpuTest::start_thread(Task* task, int fifo_priority, void* (*body)(void*)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(cpu_), &cpus);
  sched_param parameters{};
  parameters.sched_priority = fifo_priority;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, fifo_priority > 0 ? SCHED_FIFO : SCHED_OTHER);
  pthread_attr_setschedparam(&attributes, &parameters);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  const int status = pthread_create(&thread, &attributes, body, task);
  pthread_attr_destroy(&attributes);
  return status;
}

int CpuTest::add_user_task(const Spec& spec, uint32_t index) {
  auto task = std::make_unique<Task>();
  task->owner = this;
  task->spec = spec;
  task->index = index;
  task->name = names_[index];
  int error = start_thread(task.get(), spec.is_oob() ? kPriority : 0, task_main);
  if (error == 0) {
    while (sem_wait(&registered_) < 0) continue;
    error = task->error;
    tasks_.push_back(std::move(task));
  }
  return error;
}

int CpuTest::add_kernel_task(const Spec&) {
  hectic_task_index task = waits(0, true);
  return ioctl(driver_, EVL_HECIOC_CREATE_KTASK, &task) < 0 ? errno : 0;
}

int CpuTest::prepare() {
  driver_ = open(kDriver, O_RDWR | O_CLOEXEC);
  if (driver_ < 0) {
    const bool none = errno == ENOENT || errno == ENODEV || errno == ENXIO;
    fprintf(stderr, "hectic: %s: %m\n", kDriver);
    if (none)
      fputs("hectic: no kernel support: the driver comes with CONFIG_EVL_HECTIC.\n", stderr);
    return none ? kNoSupport : kFailed;
  }
  const auto set = [&](unsigned long code, uint32_t value) {
    return ioctl(driver_, code, static_cast<unsigned long>(value)) == 0;
  };
  const Kind passer = settings_.pause_us > 0 ? Kind::switcher : Kind::sleeper;
  specs_.push_back({.kind = passer, .fpu_oob = false, .fpu_inband = false, .cpu = cpu_});
  if (!set(EVL_HECIOC_SET_TASKS_COUNT, static_cast<uint32_t>(specs_.size())) ||
      !set(EVL_HECIOC_SET_CPU, static_cast<uint32_t>(cpu_)) ||
      (settings_.pause_us > 0 && !set(EVL_HECIOC_SET_PAUSE, settings_.pause_us))) {
    fprintf(stderr, "hectic: CPU%d is refused by the driver: %m\n", cpu_);
    return kFailed;
  }
  // All of them: the threads read the names as soon as they run.
  for (uint32_t index = 0; index < specs_.size(); ++index) {
    names_.push_back(format("%s%u@%d", specs_[index].name().c_str(), index, cpu_));
  }
  for (uint32_t index = 0; index < specs_.size(); ++index) {
    const Spec& spec = specs_[index];
    const int error = spec.kind == Kind::rtk ? add_kernel_task(spec) : add_user_task(spec, index);
    if (error == 0) continue;
    fprintf(stderr, "hectic: %s does not start: %s\n", names_[index].c_str(), strerror(error));
    return kFailed;
  }
  return kDone;
}

int CpuTest::go() {
  sem_post(&start_);
  if (settings_.pause_us == 0 || !settings_.fpu) return kDone;
  const int error = start_thread(nullptr, 0, burner_main);
  if (error != 0) fprintf(stderr, "hectic: no background thread: %s\n", strerror(error));
  return error == 0 ? kDone : kFailed;
}

uint32_t CpuTest::switches() {
  uint32_t count = 0;
  if (ioctl(driver_, EVL_HECIOC_GET_SWITCHES_COUNT, &count) == 0) last_count_ = count;
  return last_count_;
}

bool test_fpu_routines(uint32_t features, bool print) {
  uint32_t bad = 0;
  if (print) puts("== Testing FPU check routines...");
  evl_set_fpregs(features, 1);
  const uint32_t same = evl_check_fpregs(features, 1, bad);
  evl_set_fpregs(features, kSecondSample);
  const uint32_t other = evl_check_fpregs(features, kSecondSample + 1, bad);
  if (print) {
    printf("registers filled with 1, found %u\n", same);
    printf("registers filled with %u, taken for %u: found %u\n", kSecondSample, kSecondSample + 1,
           other);
  }
  const bool good = same == 1 && other == kSecondSample;
  if (!good)
    fprintf(stderr, "hectic: the check of %s%u is wrong\n", register_kind(bad),
            register_number(bad));
  if (print) printf("== FPU check routines: %s\n", good ? "OK." : "BROKEN.");
  return good;
}

}  // namespace utils::hectic

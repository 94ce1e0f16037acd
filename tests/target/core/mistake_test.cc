// SPDX-License-Identifier: MIT
// What an application can do wrong with requests: bad pointers, wrong descriptors, callers that are
// not attached, what is closed, spoiled shared memory. Each gives the documented error, and
// everything works afterwards.
#include <errno.h>
#include <evl/sys.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr long kOobSyscall = 0x4f4f4243;  // PR_OOB_SYSCALL of <asm-generic/dovetail.h>.

struct Request {
  const char* name;
  unsigned long code;
};

// No page of a process is here: the first, one behind the last, one of the kernel.
const std::array<void*, 4> kBadPointers{nullptr, reinterpret_cast<void*>(0x1000),
                                        reinterpret_cast<void*>(0x00007ffffffff000),
                                        reinterpret_cast<void*>(0xffff888000000000)};

class Mistake : public ::testing::Test {
 protected:
  Mistake() {
    EXPECT_GE(evl_new_mutex(&mutex_, nullptr), 0);
    EXPECT_GE(evl_new_event(&event_, nullptr), 0);
    timer_ = evl_new_timer(EVL_CLOCK_MONOTONIC);
    clock_ = open("/dev/evl/clock/monotonic", O_RDWR | O_CLOEXEC);
    control_ = open(EVL_CONTROL_DEV, O_RDWR | O_CLOEXEC);
    EXPECT_GE(timer_, 0);
    EXPECT_GE(clock_, 0);
    EXPECT_GE(control_, 0);
  }
  ~Mistake() override {
    EXPECT_EQ(evl_close_event(&event_), 0);
    EXPECT_EQ(evl_close_mutex(&mutex_), 0);
    for (const int fd : {timer_, clock_, control_}) EXPECT_EQ(close(fd), 0);
  }

  [[nodiscard]] int gate() const { return mutex_.u.active.efd; }
  [[nodiscard]] int event() const { return event_.u.active.efd; }

  evl_mutex mutex_{};
  evl_event event_{};
  int timer_{-1};
  int clock_{-1};
  int control_{-1};
};

long raw_request(unsigned long nr, long fd, long second, long third) {
  return syscall(SYS_prctl, kOobSyscall, nr, fd, second, third) < 0 ? -errno : 0;
}

}  // namespace

TEST_F(Mistake, BadPointersOnBothStages) {
  attached([&] {
    const int self = evl_get_self();
    const auto try_all = [&](int fd, const Request& request, bool inband, bool oob) {
      for (void* pointer : kBadPointers) {
        if (inband) {
          EXPECT_EQ(inband_request(fd, request.code, pointer), -EFAULT) << request.name << pointer;
        }
        if (oob) {
          EXPECT_EQ(oob_request(fd, request.code, pointer), -EFAULT) << request.name << pointer;
        }
      }
    };
    for (const Request& request :
         {Request{"GET_STATE", EVL_THRIOC_GET_STATE},
          Request{"GET_SCHEDPARAM", EVL_THRIOC_GET_SCHEDPARAM},
          Request{"SET_SCHEDPARAM", EVL_THRIOC_SET_SCHEDPARAM},
          Request{"SET_MODE", EVL_THRIOC_SET_MODE}, Request{"CLEAR_MODE", EVL_THRIOC_CLEAR_MODE}})
      try_all(self, request, true, true);
    try_all(self, {"SIGNAL", EVL_THRIOC_SIGNAL}, false, true);
    for (const Request& request :
         {Request{"GET_RES", EVL_CLKIOC_GET_RES}, Request{"GET_TIME", EVL_CLKIOC_GET_TIME},
          Request{"SET_TIME", EVL_CLKIOC_SET_TIME}})
      try_all(clock_, request, true, true);
    try_all(clock_, {"SLEEP", EVL_CLKIOC_SLEEP}, false, true);
    try_all(clock_, {"NEW_TIMER", EVL_CLKIOC_NEW_TIMER}, true, false);
    try_all(timer_, {"TIMER SET", EVL_TFDIOC_SET}, true, true);
    try_all(timer_, {"TIMER GET", EVL_TFDIOC_GET}, true, true);
    try_all(gate(), {"ENTER", EVL_MONIOC_ENTER}, false, true);
    try_all(gate(), {"BIND", EVL_MONIOC_BIND}, true, false);
    try_all(event(), {"WAIT", EVL_MONIOC_WAIT}, false, true);
    try_all(event(), {"UNWAIT", EVL_MONIOC_UNWAIT}, false, true);
    try_all(control_, {"COREINFO", EVL_CTLIOC_GET_COREINFO}, true, false);
    try_all(control_, {"CPUSTATE", EVL_CTLIOC_GET_CPUSTATE}, true, true);
    try_all(control_, {"SCHEDCTL", EVL_CTLIOC_SCHEDCTL}, true, true);
  });
}

TEST_F(Mistake, BadPointersInsideOfRequests) {
  attached([&] {
    for (void* pointer : kBadPointers) {
      if (pointer == nullptr) continue;
      evl_timerfd_setreq setting{};
      setting.value_ptr = reinterpret_cast<__u64>(pointer);
      EXPECT_EQ(oob_request(timer_, EVL_TFDIOC_SET, &setting), -EFAULT);
      EXPECT_EQ(inband_request(timer_, EVL_TFDIOC_SET, &setting), -EFAULT);
      evl_cpu_state state{};
      state.state_ptr = reinterpret_cast<__u64>(pointer);
      EXPECT_EQ(oob_request(control_, EVL_CTLIOC_GET_CPUSTATE, &state), -EFAULT);
      evl_monitor_waitreq wait{};
      wait.timeout_ptr = reinterpret_cast<__u64>(pointer);
      wait.gatefd = gate();
      EXPECT_EQ(oob_request(event(), EVL_MONIOC_WAIT, &wait), -EFAULT);
    }
  });
}

TEST_F(Mistake, ResultsIntoReadOnlyMemory) {
  void* const page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  attached([&] {
    EXPECT_EQ(oob_request(evl_get_self(), EVL_THRIOC_GET_STATE, page), -EFAULT);
    EXPECT_EQ(oob_request(clock_, EVL_CLKIOC_GET_TIME, page), -EFAULT);
    const itimerspec setting{.it_interval = {}, .it_value = after_ms(1)};
    EXPECT_EQ(evl_set_timer(timer_, &setting, nullptr), 0);
    EXPECT_EQ(oob_read(timer_, page, sizeof(__u64)), -1);
    EXPECT_EQ(errno, EFAULT);
  });
  EXPECT_EQ(munmap(page, 4096), 0);
}

TEST_F(Mistake, WrongKindOfDescriptor) {
  attached([&] {
    const int self = evl_get_self();
    __evl_timespec time{};
    evl_thread_state state{};
    for (const int fd : {gate(), event(), timer_, clock_, control_})
      EXPECT_EQ(evl_get_state(fd, &state), -ENOTTY) << fd;
    for (const int fd : {gate(), event(), timer_, self, control_})
      EXPECT_EQ(oob_request(fd, EVL_CLKIOC_SLEEP, &time), -ENOTTY) << fd;
    for (const int fd : {clock_, timer_, self, control_})
      EXPECT_EQ(oob_request(fd, EVL_MONIOC_ENTER, &time), -ENOTTY) << fd;
    EXPECT_EQ(oob_request(event(), EVL_MONIOC_ENTER, &time), -EINVAL);
    EXPECT_EQ(oob_request(event(), EVL_MONIOC_EXIT, nullptr), -EINVAL);
    evl_monitor_waitreq wait{};
    EXPECT_EQ(oob_request(gate(), EVL_MONIOC_WAIT, &wait), -EINVAL);
    wait.gatefd = event();
    EXPECT_EQ(oob_request(event(), EVL_MONIOC_WAIT, &wait), -EINVAL);
    wait.gatefd = self;
    EXPECT_EQ(oob_request(event(), EVL_MONIOC_WAIT, &wait), -EINVAL);
    wait.gatefd = STDOUT_FILENO;
    EXPECT_EQ(oob_request(event(), EVL_MONIOC_WAIT, &wait), -EBADF);
    wait.gatefd = -1;
    EXPECT_LT(oob_request(event(), EVL_MONIOC_WAIT, &wait), 0);
    // A file of Linux is none of the core's.
    EXPECT_EQ(evl_get_state(STDOUT_FILENO, &state), -EBADF);
    char byte = 0;
    for (const int fd : {gate(), self, clock_, control_}) {
      EXPECT_EQ(oob_read(fd, &byte, 1), -1);
      EXPECT_EQ(errno, EINVAL) << fd;
      EXPECT_EQ(oob_write(fd, &byte, 1), -1);
      EXPECT_EQ(errno, EINVAL) << fd;
    }
  });
  evl_thread_state state{};
  EXPECT_EQ(evl_get_state(gate(), &state), -ENOTTY);
  EXPECT_EQ(evl_get_state(STDOUT_FILENO, &state), -ENOTTY);
}

TEST_F(Mistake, OnlyTheThreadItself) {
  std::atomic<bool> end{false};
  Thread other{{}, [&] { oob_await(end); }};
  attached([&] {
    for (const unsigned long request :
         {EVL_THRIOC_SWITCH_OOB, EVL_THRIOC_SWITCH_INBAND, EVL_THRIOC_YIELD})
      EXPECT_EQ(oob_request(other.efd(), request, nullptr), -EPERM) << std::hex << request;
    EXPECT_EQ(inband_request(other.efd(), EVL_THRIOC_DETACH_SELF, nullptr), -EPERM);
  });
  end = true;
}

TEST_F(Mistake, CallerThatIsNotAttached) {
  __evl_timespec time{};
  EXPECT_EQ(oob_request(clock_, EVL_CLKIOC_SLEEP, &time), -EPERM);
  EXPECT_EQ(oob_request(gate(), EVL_MONIOC_ENTER, &time), -EPERM);
  EXPECT_EQ(oob_request(-1, 0, nullptr), -EPERM);
  char byte = 0;
  EXPECT_EQ(oob_read(timer_, &byte, 1), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(raw_request(99, 0, 0, 0), -EPERM);
  EXPECT_EQ(evl_lock_mutex(&mutex_), -EPERM);
  EXPECT_EQ(evl_trylock_mutex(&mutex_), -EPERM);
  EXPECT_EQ(evl_unlock_mutex(&mutex_), -EPERM);
  EXPECT_EQ(evl_wait_event(&event_, &mutex_), -EPERM);
  EXPECT_EQ(evl_signal_event(&event_), -EPERM);
}

TEST_F(Mistake, UnknownRequests) {
  attached([&] {
    EXPECT_FALSE(evl_is_inband());
    for (const unsigned long nr : {3UL, 99UL, 0x7fffffffUL})
      EXPECT_EQ(raw_request(nr, clock_, 0, 0), -ENOSYS) << nr;
    (void)getppid();  // In-band now.
    EXPECT_EQ(raw_request(99, clock_, 0, 0), -ENOSYS);
    for (const int fd : {gate(), event(), timer_, clock_, control_, evl_get_self()}) {
      EXPECT_EQ(oob_request(fd, 0xdeadbeef, nullptr), -ENOTTY) << fd;
      EXPECT_EQ(inband_request(fd, 0xdeadbeef, nullptr), -ENOTTY) << fd;
    }
    EXPECT_EQ(oob_request(gate(), EVL_MONIOC_BIND, nullptr), -ENOTTY);
    EXPECT_EQ(inband_request(gate(), EVL_MONIOC_EXIT, nullptr), -ENOTTY);
    EXPECT_EQ(syscall(999, 0), -1);
    EXPECT_EQ(errno, ENOSYS);
  });
}

TEST_F(Mistake, ClosedDescriptors) {
  attached([&] {
    evl_mutex mutex{};
    ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
    const int fd = mutex.u.active.efd;
    EXPECT_EQ(evl_close_mutex(&mutex), 0);
    EXPECT_EQ(evl_close_mutex(&mutex), -EINVAL);
    const __evl_timespec forever{};
    EXPECT_EQ(oob_request(fd, EVL_MONIOC_ENTER, &forever), -EBADF);
    EXPECT_EQ(oob_request(-1, EVL_MONIOC_ENTER, &forever), -EBADF);
    EXPECT_EQ(oob_request(1 << 20, EVL_MONIOC_ENTER, &forever), -EBADF);
    EXPECT_EQ(evl_lock_mutex(&mutex), -EINVAL);
    EXPECT_EQ(evl_unlock_mutex(&mutex), -EINVAL);
  });
}

// The thread stays attached; its detachment is that of its end.
TEST_F(Mistake, OwnDescriptorClosed) {
  std::thread thread{[] {
    const std::string name = unique_name("closed");
    const int self = evl_attach_self("%s", name.c_str());
    ASSERT_GE(self, 0);
    ASSERT_EQ(close(self), 0);
    EXPECT_EQ(evl_usleep(100), 0);
    evl_thread_state state{};
    EXPECT_EQ(evl_get_state(self, &state), -EBADF);
    EXPECT_TRUE(exists("/sys/devices/virtual/thread/" + name));
  }};
  thread.join();
}

TEST_F(Mistake, BadClones) {
  const int clone = evl_open_raw("monitor/clone");
  ASSERT_GE(clone, 0);
  evl_monitor_attrs attributes{};
  attributes.clockfd = static_cast<__u32>(EVL_CLOCK_MONOTONIC);
  attributes.type = EVL_MONITOR_GATE;
  const std::string name = unique_name("clone");
  evl_clone_req request{};
  request.name_ptr = reinterpret_cast<__u64>(name.c_str());
  const auto fails = [&](int expected, const char* what) {
    EXPECT_EQ(inband_request(clone, EVL_IOC_CLONE, &request), expected) << what;
  };
  EXPECT_EQ(inband_request(clone, EVL_IOC_CLONE + 1, &request), -ENOTTY);
  for (void* pointer : kBadPointers)
    EXPECT_EQ(inband_request(clone, EVL_IOC_CLONE, pointer), -EFAULT);
  fails(-EINVAL, "no attributes");
  request.attrs_ptr = 0x1000;
  fails(-EFAULT, "attributes nowhere");
  request.attrs_ptr = reinterpret_cast<__u64>(&attributes);
  request.name_ptr = 0x1000;
  fails(-EFAULT, "name nowhere");
  request.name_ptr = 0;
  request.clone_flags = EVL_CLONE_PUBLIC;
  fails(-EINVAL, "public without a name");
  request.name_ptr = reinterpret_cast<__u64>(name.c_str());
  request.clone_flags = EVL_CLONE_INPUT;
  fails(-EINVAL, "flags of another class");
  request.clone_flags = 0;
  attributes.type = 2;
  fails(-EINVAL, "type");
  attributes.type = EVL_MONITOR_GATE;
  attributes.protocol = 7;
  fails(-EINVAL, "protocol");
  attributes.protocol = EVL_GATE_PP;
  fails(-EINVAL, "ceiling 0");
  attributes.initval = 100;
  fails(-EINVAL, "ceiling 100");
  attributes.protocol = EVL_GATE_PI;
  fails(-EINVAL, "inheritance with a ceiling");
  attributes.initval = 0;
  attributes.clockfd = 4000;
  fails(-EBADF, "no file as a clock");
  attributes.clockfd = static_cast<__u32>(gate());
  fails(-EINVAL, "a gate as a clock");
  attributes.clockfd = static_cast<__u32>(EVL_CLOCK_MONOTONIC);
  const std::string longest(5000, 'x');
  request.name_ptr = reinterpret_cast<__u64>(longest.c_str());
  EXPECT_LT(inband_request(clone, EVL_IOC_CLONE, &request), 0);
  request.name_ptr = reinterpret_cast<__u64>(name.c_str());
  fails(0, "everything right");
  EXPECT_EQ(close(static_cast<int>(request.efd)), 0);
  fails(-EBUSY, "the file has cloned");
  EXPECT_EQ(close(clone), 0);
}

TEST_F(Mistake, SharedHeapHasOneSize) {
  evl_core_info info{};
  ASSERT_EQ(inband_request(control_, EVL_CTLIOC_GET_COREINFO, &info), 0);
  EXPECT_EQ(info.abi_current, unsigned{EVL_ABI_LEVEL});
  EXPECT_EQ(info.__pad, 0U);
  EXPECT_EQ(mmap(nullptr, info.shm_size + 4096, PROT_READ, MAP_SHARED, control_, 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, control_, 4096), MAP_FAILED);
  void* const heap = mmap(nullptr, info.shm_size, PROT_READ | PROT_WRITE, MAP_SHARED, control_, 0);
  ASSERT_NE(heap, MAP_FAILED);
  EXPECT_EQ(munmap(heap, info.shm_size), 0);
}

// The words of a gate and of an event can be written by anybody who is attached: the core believes
// none of them.
TEST_F(Mistake, SpoiledGate) {
  evl_monitor_state& state = *mutex_.u.active.state;
  const evl_monitor_state sound = state;
  attached([&] {
    const timespec soon = after_ms(1);
    for (const __u32 word :
         {0x1U, 0x3fffffffU, 0x80000000U, 0x40000000U, 0xffffffffU, 0x80000001U, 0xc0000000U}) {
      state.u.gate.owner = word;
      (void)evl_timedlock_mutex(&mutex_, &soon);
      (void)evl_trylock_mutex(&mutex_);
      (void)oob_request(gate(), EVL_MONIOC_EXIT, nullptr);
      state = sound;
      // Whatever was believed: the next one to come gets it, or hears that the owner is gone.
      const int status = evl_lock_mutex(&mutex_);
      ASSERT_TRUE(status == 0 || status == -EOWNERDEAD)
          << std::hex << word << ": " << std::dec << status;
      if (status == 0) {
        ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
      }
      state = sound;
    }
    state.flags = 0xffffffff;
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
    state.flags = 0xffffffff;
    state.u.gate.nesting = 0x7fffffff;
    state.u.gate.ceiling = 0xffffffff;
    ASSERT_EQ(oob_request(gate(), EVL_MONIOC_EXIT, nullptr), 0);
    state = sound;
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
  });
}

TEST_F(Mistake, SpoiledEvent) {
  evl_monitor_state& state = *event_.u.active.state;
  Thread waiter{{.priority = 20}, [&] {
                  EXPECT_EQ(evl_lock_mutex(&mutex_), 0);
                  EXPECT_EQ(evl_wait_event(&event_, &mutex_), 0);
                  EXPECT_EQ(evl_unlock_mutex(&mutex_), 0);
                }};
  ASSERT_TRUE(waiter.waits());
  const __u32 offset = state.u.event.gate_offset;
  attached({.priority = 30}, [&] {
    ASSERT_EQ(evl_lock_mutex(&mutex_), 0);
    for (const __u32 wrong : {0xfffffff0U, 0x00ffffffU, 0x3U, EVL_MONITOR_NOGATE}) {
      state.u.event.gate_offset = wrong;
      EXPECT_EQ(evl_signal_event(&event_), 0) << std::hex << wrong;
    }
    state.u.event.gate_offset = offset;
    state.u.event.value = 0xffffffff;
    state.u.event.pollrefs = 0xffffffff;
    EXPECT_EQ(evl_signal_event(&event_), 0);
    ASSERT_EQ(evl_unlock_mutex(&mutex_), 0);
  });
  waiter.join();
}

TEST_F(Mistake, SpoiledCeiling) {
  evl_mutex ceiling{};
  ASSERT_GE(evl_create_mutex(&ceiling, EVL_CLOCK_MONOTONIC, 40, EVL_MUTEX_NORMAL, nullptr), 0);
  attached([&] {
    for (__u32 n = 0; n < 20; ++n) {
      ASSERT_EQ(evl_lock_mutex(&ceiling), 0);
      ceiling.u.active.state->u.gate.ceiling = n * 0x10000001U;
      ASSERT_EQ(evl_usleep(50), 0);
      const int priority = state_of(evl_get_self()).eattrs.sched_priority;
      EXPECT_TRUE(priority >= 1 && priority <= 99) << priority;
      ASSERT_EQ(evl_unlock_mutex(&ceiling), 0);
    }
  });
  EXPECT_EQ(evl_close_mutex(&ceiling), 0);
}

TEST_F(Mistake, MoreElementsThanThereIsRoomFor) {
  std::vector<std::unique_ptr<evl_mutex>> mutexes;
  int status = 0;
  for (int n = 0; n < 20'000 && status >= 0; ++n) {
    mutexes.push_back(std::make_unique<evl_mutex>());
    status = evl_new_mutex(mutexes.back().get(), nullptr);
  }
  EXPECT_TRUE(status == -EAGAIN || status == -EMFILE) << status;
  mutexes.pop_back();
  EXPECT_GE(mutexes.size(), 100U);
  for (const auto& mutex : mutexes) EXPECT_EQ(evl_close_mutex(mutex.get()), 0);
  evl_mutex again{};
  EXPECT_GE(evl_new_mutex(&again, nullptr), 0);
  EXPECT_EQ(evl_close_mutex(&again), 0);
}

// SPDX-License-Identifier: MIT
//
// Goal: what the core shows and lets change outside of its fast paths: attributes, the trace
// device, its own stop and start, requests that only read. Method: a process on simulated CPUs.

#include <evl/control-abi.h>
#include <evl/factory-abi.h>
#include <evl/syscall-abi.h>
#include <evl/thread-abi.h>
#include <evl/trace.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "core_test/bench.h"

namespace sim {
namespace {

bool begins(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

void sleep_inband(std::uint64_t ns) {
  lx().call(35, [ns] {
    lx().sleep_inband(ns);
    return 0L;
  });
}

TEST(Control, ShowsWhatItIs) {
  EXPECT_EQ("", CoreBench::run(1, [](UserProcess&) {
              const std::string control = "/dev/evl/control";
              expect(attribute(control, "abi") == std::to_string(EVL_ABI_LEVEL) + "\n", "abi");
              expect(begins(attribute(control, "cpus"), "0"), "cpus");
              expect(attribute(control, "state") == "running\n", "state");
              expect(set_attribute(control, "state", "dance\n") == -EINVAL, "an unknown state");
            }));
}

TEST(Control, AnswersAboutCpusOnBothStages) {
  EXPECT_EQ("", CoreBench::run_all(20, [](UserProcess& process) {
              const int fd = open_file("/dev/evl/control");
              std::uint32_t state = 99;
              evl_cpu_state request{};
              request.cpu = 1;
              request.state_ptr = reinterpret_cast<std::uintptr_t>(&state);
              expect(inband_ioctl(fd, EVL_CTLIOC_GET_CPUSTATE, &request) == 0, "in-band");
              expect(state == EVL_CPU_OOB, "an oob CPU", state);
              request.cpu = 77;
              expect(inband_ioctl(fd, EVL_CTLIOC_GET_CPUSTATE, &request) == -EINVAL, "no CPU");
              Task& thread = start_thread(process, "T", 1, 10, [fd](UserThread&) {
                std::uint32_t seen = 99;
                evl_cpu_state asked{};
                asked.state_ptr = reinterpret_cast<std::uintptr_t>(&seen);
                const long status = oob_ioctl(fd, EVL_CTLIOC_GET_CPUSTATE, &asked);
                expect(status == 0 && seen == EVL_CPU_OOB, "oob", status);
                evl_sched_ctlreq control{};
                control.policy = SCHED_FIFO;
                expect(oob_ioctl(fd, EVL_CTLIOC_SCHEDCTL, &control) == -EINVAL, "no control");
                control.policy = 44;
                expect(oob_ioctl(fd, EVL_CTLIOC_SCHEDCTL, &control) == -EOPNOTSUPP, "not built");
                expect(oob_ioctl(fd, 0, nullptr) == -ENOTTY, "no such request");
              });
              join(thread);
            }));
}

// Threads that sleep, wait for a gate, and compute, while the core is stopped under them.
TEST(Control, StopEndsItsThreadsAndStartWorksAgain) {
  EXPECT_EQ("", CoreBench::run_all(60, [](UserProcess& process) {
              UserGate gate;
              expect(process.make_gate(gate, 0, false) == 0, "a gate");
              unsigned attached = 0;
              Task& owner = start_thread(process, "owner", 0, 10, [&](UserThread& self) {
                self.lock(gate);
                ++attached;
                for (;;) self.sleep_until(lx().machine().now_ns() + 4'000);
              });
              // Or else the waiter may be first, has the gate, and asks for it for ever.
              while (attached < 1) sleep_inband(5'000);
              Task& waiter = start_thread(process, "waiter", 1, 20, [&](UserThread& self) {
                ++attached;
                for (;;) self.lock(gate);
              });
              while (attached < 2) sleep_inband(5'000);
              sleep_inband(20'000);
              // SIGTERM ends a process: the one who stops the core is another one.
              Task& stopper = lx().fork("stopper", 0, [] {
                const std::string control = "/dev/evl/control";
                const long stopped = set_attribute(control, "state", "stop\n");
                expect(stopped == 5, "stop", stopped);
                expect(attribute(control, "state") == "stopped\n", "stopped");
                const int clone_fd = open_file("/dev/evl/thread/clone");
                evl_clone_req request{};
                expect(inband_ioctl(clone_fd, EVL_IOC_CLONE, &request) == -ENXIO, "no new threads");
                const long started = set_attribute(control, "state", "start");
                expect(started == 5, "start", started);
                expect(attribute(control, "state") == "running\n", "running");
              });
              join(owner);
              join(waiter);
              join(stopper);
            }));
}

TEST(Thread, ShowsItselfInItsAttributes) {
  EXPECT_EQ(
      "", CoreBench::run_all(20, [](UserProcess& process) {
        bool looked = false;
        Task& thread = start_thread(process, "T", 1, 42, [&looked](UserThread& self) {
          self.detach();
          expect(self.attach("shown") == 0, "attaching by name");
          expect(self.set_params(self.fd(), SCHED_FIFO, 42) == 0, "the priority");
          while (!looked) self.sleep_until(lx().machine().now_ns() + 200'000);
        });
        const std::string device = "/dev/evl/thread/shown";
        while (begins(attribute(device, "timeout"), "-") || attribute(device, "timeout") == "0\n")
          sleep_inband(5'000);
        expect(begins(attribute(device, "sched"), "1 42 42 fifo"),
               attribute(device, "sched").c_str());
        expect(attribute(device, "pid") == std::to_string(thread.pid) + "\n", "pid");
        expect(begins(attribute(device, "state"), "0x"), "state");
        expect(!attribute(device, "stats").empty(), "stats");
        expect(attribute(device, "wchan") == "-\n", "waits for nothing");
        (void)attribute(device, "observable");
        looked = true;
        join(thread);
      }));
}

TEST(Clock, GravityIsReadAndWritten) {
  EXPECT_EQ("", CoreBench::run(1, [](UserProcess&) {
              const std::string clock = "/dev/evl/clock/monotonic";
              expect(attribute(clock, "gravity") == "0i 50k 100u\n", "as booted");
              expect(set_attribute(clock, "gravity", "10i, 20k 30u\n") > 0, "all three");
              expect(attribute(clock, "gravity") == "10i 20k 30u\n", "as set");
              expect(set_attribute(clock, "gravity", "70") > 0, "of user threads");
              expect(attribute(clock, "gravity") == "10i 20k 70u\n", "the last one");
              for (const char* wrong : {"x", "5z", "9999999999i", "-1"})
                expect(set_attribute(clock, "gravity", wrong) == -EINVAL, wrong);
            }));
}

TEST(Clock, TimeIsReadAndNotSet) {
  EXPECT_EQ(
      "", CoreBench::run_all(10, [](UserProcess& process) {
        const int realtime = open_file("/dev/evl/clock/realtime");
        __evl_timespec time{};
        expect(inband_ioctl(realtime, EVL_CLKIOC_GET_TIME, &time) == 0, "in-band");
        expect(time.tv_sec >= 1'600'000'000, "the date");
        expect(inband_ioctl(realtime, EVL_CLKIOC_SET_TIME, &time) == -EOPNOTSUPP, "set");
        expect(inband_ioctl(realtime, 0xffff, &time) == -ENOTTY, "no such request");
        Task& thread = start_thread(process, "T", 0, 10, [&process](UserThread& self) {
          __evl_timespec found{};
          expect(
              oob_ioctl(process.clock_fd(), EVL_CLKIOC_GET_RES, &found) == 0 && found.tv_nsec == 1,
              "resolution");
          expect(oob_ioctl(process.clock_fd(), EVL_CLKIOC_GET_TIME, &found) == 0, "oob");
          evl_sched_attrs params{};
          expect(oob_ioctl(self.fd(), EVL_THRIOC_GET_SCHEDPARAM, &params) == 0 &&
                     params.sched_priority == 10,
                 "the priority");
          found.tv_nsec = -1;
          expect(oob_ioctl(process.clock_fd(), EVL_CLKIOC_SLEEP, &found) == -EINVAL, "no date");
        });
        join(thread);
      }));
}

TEST(Trace, TakesTextAndSnapshotsOnBothStages) {
  EXPECT_EQ("", CoreBench::run_all(10, [](UserProcess& process) {
              const int fd = open_file("/dev/evl/trace");
              const auto write = [fd](const char* text, std::size_t n) {
                return lx().call(1, [=] { return lx().write(fd, text, n); });
              };
              char longer[300] = {};
              expect(write("text", 4) == 4 && write(longer, sizeof longer) == 300, "in-band");
              expect(inband_ioctl(fd, EVL_TRCIOC_SNAPSHOT, nullptr) == -ENOSYS, "no ftrace here");
              expect(inband_ioctl(fd, 0, nullptr) == -ENOTTY, "no such request");
              Task& thread = start_thread(process, "T", 1, 10, [fd](UserThread&) {
                kapi_request call{};
                call.is_oob_call = true;
                call.nr = sys_evl_write;
                const char* text = "oob";
                call.args[0] = static_cast<unsigned long>(fd);
                call.args[1] = reinterpret_cast<unsigned long>(text);
                call.args[2] = 3;
                expect(lx().request(call) == 3, "oob");
                expect(oob_ioctl(fd, EVL_TRCIOC_SNAPSHOT, nullptr) == -ENOSYS, "taken in-band");
                expect(oob_ioctl(fd, 0, nullptr) == -ENOTTY, "no such request");
              });
              join(thread);
            }));
}

TEST(Thread, JoinWaitsForTheEnd) {
  EXPECT_EQ("", CoreBench::run_all(40, [](UserProcess& process) {
              int fd = -1;
              bool ended = false;
              Task& thread = start_thread(process, "T", 1, 10, [&](UserThread& self) {
                fd = self.fd();
                self.sleep_until(lx().machine().now_ns() + 30'000);
                ended = true;
              });
              while (fd < 0) sleep_inband(1'000);
              const long joined = inband_ioctl(fd, EVL_THRIOC_JOIN, nullptr);
              expect(joined == 0 && ended, "joined", joined);
              join(thread);
            }));
}

}  // namespace
}  // namespace sim

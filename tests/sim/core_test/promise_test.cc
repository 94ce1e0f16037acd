// SPDX-License-Identifier: MIT
//
// Goal: promises about what a thread is told, and about what others may do while it sleeps, that
// programs made of random steps do not meet. Method: a process on simulated CPUs, random schedules.

#include <evl/control-abi.h>
#include <evl/factory-abi.h>
#include <evl/proxy-abi.h>
#include <evl/signal.h>
#include <evl/thread-abi.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core_test/bench.h"

namespace sim {
namespace {

constexpr unsigned kSeeds = 100;
constexpr unsigned kNonblock = 04000;

void sleep_inband(std::uint64_t ns) {
  lx().call(35, [ns] {
    lx().sleep_inband(ns);
    return 0L;
  });
}

int make_input_proxy(int target, std::uint32_t bytes, std::uint32_t granularity) {
  evl_proxy_attrs attributes{
      .fd = static_cast<std::uint32_t>(target), .bufsz = bytes, .granularity = granularity};
  const int clone_fd = open_file("/dev/evl/proxy/clone");
  evl_clone_req request{};
  request.attrs_ptr = reinterpret_cast<std::uintptr_t>(&attributes);
  request.clone_flags = EVL_CLONE_INPUT;
  const long status = inband_ioctl(clone_fd, EVL_IOC_CLONE, &request);
  expect(status == 0, "making a proxy", status);
  close_file(clone_fd);
  return static_cast<int>(request.efd);
}

TEST(HealthMonitor, TellsOnceThatAnOwnerGoesInband) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              UserGate first;
              UserGate second;
              expect(process.make_gate(first, 0, false) == 0, "a gate");
              expect(process.make_gate(second, 0, false) == 0, "a gate");
              Task& thread = start_thread(process, "T", 1, 10, [&](UserThread& self) {
                const auto told = [] { return lx().current().debug_reasons[EVL_HMDIAG_LKDEPEND]; };
                expect(self.set_mode(EVL_T_WOLI | EVL_T_HMSIG) >= 0, "the mode");
                for (unsigned round = 1; round <= 2; ++round) {
                  expect(self.lock(first) == 0, "a lock");
                  expect(self.lock(second) == 0, "another lock");
                  for (int i = 0; i < 3; ++i) sleep_inband(1'000);
                  expect(told() == round, "reports while it owns both", told());
                  // One is left: it is the owner still, and was told so.
                  expect(self.unlock(second) == 0, "an unlock");
                  sleep_inband(1'000);
                  expect(told() == round, "reports while it owns one", told());
                  expect(self.unlock(first) == 0, "the last unlock");
                  sleep_inband(1'000);
                  expect(told() == round, "reports while it owns nothing", told());
                }
              });
              join(thread);
            }));
}

// The clock of the machine may jump to the end of the sleep at any time, since interrupts may be
// late; but it does not do so in most runs.
TEST(Clock, CanBeClosedWhileSomebodySleepsByIt) {
  static unsigned early;  // Outlives the runs.
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              const int clock = open_file("/dev/evl/clock/monotonic");
              expect(clock >= 0, "the clock", clock);
              int fd = -1;
              bool slept = false;
              Task& thread = start_thread(process, "T", 1, 10, [&](UserThread& self) {
                const std::uint64_t date = lx().machine().now_ns() + 50'000'000;
                __evl_timespec until{.tv_sec = static_cast<std::int64_t>(date / 1'000'000'000),
                                     .tv_nsec = static_cast<std::int64_t>(date % 1'000'000'000)};
                fd = self.fd();
                const long status = oob_ioctl(clock, EVL_CLKIOC_SLEEP, &until);
                slept = true;
                expect(status == 0 && lx().machine().now_ns() >= date, "the sleep", status);
              });
              evl_thread_state seen{};
              while (!slept && (seen.state & EVL_T_DELAY) == 0) {
                sleep_inband(3'000);
                if (fd >= 0) (void)inband_ioctl(fd, EVL_THRIOC_GET_STATE, &seen);
              }
              expect(close_file(clock) == 0, "closing");
              if (!slept) ++early;
              join(thread);
            }));
  EXPECT_GT(early, kSeeds / 2);
}

TEST(Proxy, ReaderWaitsForAllItAskedFor) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              const int target = lx().open_plain("target", "abcdefghijklmnopqrstuvwxyz");
              const int fd = make_input_proxy(target, 16, 4);
              Task& reader = start_thread(process, "reader", 1, 20, [fd](UserThread&) {
                char some[16];
                expect(oob_read(fd, some, 12) == 12, "the first twelve");
                expect(std::memcmp(some, "abcdefghijkl", 12) == 0, "and which");
                expect(oob_read(fd, some, 8) == 8, "eight more");
                expect(std::memcmp(some, "mnopqrst", 8) == 0, "and which");
                // Six are left: what there is at the end of a target is not held back.
                expect(oob_read(fd, some, 16) == 6, "the rest");
                expect(std::memcmp(some, "uvwxyz", 6) == 0, "and which");
                expect(oob_read(fd, some, 4) == 0, "the end");
              });
              join(reader);
            }));
}

TEST(Proxy, EmptyOneThatMayNotBlockGivesNothing) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess&) {
              const int target = lx().open_plain("target", "abcdefgh");
              const int fd = make_input_proxy(target, 16, 8);
              lx().call(72, [fd] {
                lx().file_at(fd)->flags |= kNonblock;
                return 0L;
              });
              char some[16];
              const auto read = [&] {
                return lx().call(0, [&] { return lx().read(fd, some, 16); });
              };
              long got = read();
              // The worker brings one unit after the other: never less than one.
              for (int i = 0; i < 100 && got == 0; ++i) {
                sleep_inband(2'000);
                got = read();
              }
              expect(got == 8 && std::memcmp(some, "abcdefgh", 8) == 0, "a unit", got);
            }));
}

}  // namespace
}  // namespace sim

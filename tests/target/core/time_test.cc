// SPDX-License-Identifier: MIT
// Clocks, sleeping, timers. Nothing may be early; how late it is, the suite latmus looks at.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr long kNsPerS = 1'000'000'000;

long long ns_of(const timespec& date) {
  return date.tv_sec * 1LL * kNsPerS + date.tv_nsec;
}

timespec plus_ns(const timespec& date, long long ns) {
  const long long sum = ns_of(date) + ns;
  return {.tv_sec = sum / kNsPerS, .tv_nsec = static_cast<long>(sum % kNsPerS)};
}

std::atomic<int> handled{0};

void count(int) {
  ++handled;
}

void install(int flags) {
  struct sigaction action {};
  action.sa_handler = count;
  action.sa_flags = flags;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  handled = 0;
}

void kill_thread(pid_t tid, int number) {
  ASSERT_EQ(tgkill(getpid(), tid, number), 0);
}

int clock_file(const char* name) {
  return open((std::string{"/dev/evl/clock/"} + name).c_str(), O_RDWR | O_CLOEXEC);
}

class EachClock : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Both, EachClock,
                         ::testing::Values(EVL_CLOCK_MONOTONIC, EVL_CLOCK_REALTIME));

}  // namespace

TEST_P(EachClock, AgreesWithLinux) {
  const auto look = [] {
    for (int n = 0; n < 100; ++n) {
      const timespec before = now(GetParam());
      timespec found{};
      ASSERT_EQ(evl_read_clock(GetParam(), &found), 0);
      const timespec after = now(GetParam());
      ASSERT_FALSE(earlier(found, before));
      ASSERT_FALSE(earlier(after, found));
    }
  };
  look();
  attached([&] {
    const unsigned switches = state_of(evl_get_self()).isw;
    look();
    EXPECT_FALSE(evl_is_inband());
    EXPECT_EQ(state_of(evl_get_self()).isw, switches);
  });
}

TEST_P(EachClock, NobodyWakesUpEarly) {
  attached([] {
    for (int n = 0; n < 50; ++n) {
      const timespec date = after_ms(n % 3, GetParam());
      ASSERT_EQ(evl_sleep_until(GetParam(), &date), 0);
      ASSERT_FALSE(too_early(date, GetParam()));
      ASSERT_FALSE(evl_is_inband());
    }
  });
}

TEST_P(EachClock, PastDateDoesNotSleep) {
  attached([] {
    const unsigned switches = state_of(evl_get_self()).csw;
    const timespec date{.tv_sec = 0, .tv_nsec = 1};
    EXPECT_EQ(evl_sleep_until(GetParam(), &date), 0);
    EXPECT_EQ(state_of(evl_get_self()).csw, switches);
  });
}

TEST_P(EachClock, BadDates) {
  attached([] {
    for (const timespec& date : {timespec{1, kNsPerS}, timespec{1, -1}, timespec{-1, 0}})
      EXPECT_EQ(evl_sleep_until(GetParam(), &date), -EINVAL) << date.tv_sec << ' ' << date.tv_nsec;
  });
  const timespec date = after_ms(0);
  EXPECT_EQ(evl_sleep_until(GetParam(), &date), -EPERM);
}

TEST_P(EachClock, ResolutionIsANanosecond) {
  timespec resolution{};
  EXPECT_EQ(evl_get_clock_resolution(GetParam(), &resolution), 0);
  EXPECT_EQ(ns_of(resolution), 1);
}

TEST_P(EachClock, OneShot) {
  const int timer = evl_new_timer(GetParam());
  ASSERT_GE(timer, 0);
  attached([&] {
    for (int n = 0; n < 20; ++n) {
      const itimerspec setting{.it_interval = {}, .it_value = after_ms(n % 3, GetParam())};
      itimerspec before{};
      ASSERT_EQ(evl_set_timer(timer, &setting, &before), 0);
      ASSERT_EQ(ns_of(before.it_value), 0);
      __u64 ticks = 0;
      ASSERT_EQ(oob_read(timer, &ticks, sizeof(ticks)), static_cast<ssize_t>(sizeof(ticks)));
      ASSERT_EQ(ticks, 1U);
      ASSERT_FALSE(too_early(setting.it_value, GetParam()));
      ASSERT_FALSE(evl_is_inband());
    }
  });
  EXPECT_EQ(close(timer), 0);
}

// Whatever was missed is counted: the shots lie on the grid of the first one.
TEST_P(EachClock, PeriodsDoNotDrift) {
  constexpr long kPeriodNs = 1'000'000;
  const int timer = evl_new_timer(GetParam());
  ASSERT_GE(timer, 0);
  attached([&] {
    const timespec first = after_ms(5, GetParam());
    const itimerspec setting{.it_interval = {0, kPeriodNs}, .it_value = first};
    ASSERT_EQ(evl_set_timer(timer, &setting, nullptr), 0);
    __u64 total = 0;
    for (int n = 0; n < 50; ++n) {
      __u64 ticks = 0;
      ASSERT_EQ(oob_read(timer, &ticks, sizeof(ticks)), static_cast<ssize_t>(sizeof(ticks)));
      ASSERT_GE(ticks, 1U);
      total += ticks;
      const timespec shot = plus_ns(first, static_cast<long long>(total - 1) * kPeriodNs);
      ASSERT_FALSE(too_early(shot, GetParam())) << n;
    }
    itimerspec found{};
    ASSERT_EQ(evl_get_timer(timer, &found), 0);
    EXPECT_EQ(ns_of(found.it_interval), kPeriodNs);
  });
  EXPECT_EQ(close(timer), 0);
}

TEST(Clock, OthersThanLinuxCannotSetThem) {
  const timespec date{.tv_sec = 1'000'000, .tv_nsec = 0};
  EXPECT_EQ(evl_set_clock(EVL_CLOCK_MONOTONIC, &date), -EINVAL);
  for (const char* name : {"monotonic", "realtime"}) {
    const int fd = clock_file(name);
    ASSERT_GE(fd, 0) << name;
    __evl_timespec time{.tv_sec = 1, .tv_nsec = 0};
    EXPECT_EQ(inband_request(fd, EVL_CLKIOC_SET_TIME, &time), -EOPNOTSUPP) << name;
    EXPECT_EQ(inband_request(fd, EVL_CLKIOC_GET_RES, &time), 0) << name;
    EXPECT_EQ(time.tv_sec * kNsPerS + time.tv_nsec, 1) << name;
    EXPECT_EQ(inband_request(fd, EVL_CLKIOC_GET_TIME, &time), 0) << name;
    EXPECT_GT(time.tv_sec, 0) << name;
    EXPECT_EQ(close(fd), 0);
  }
}

// Real time jumps: who waits for a date on it is woken when the date has come, and no earlier.
TEST(Clock, SleepersOfRealTimeFollowAJump) {
  int status = -1;
  timespec woken{};
  const timespec start = now(EVL_CLOCK_REALTIME);
  const timespec date = plus_ns(start, 3600LL * kNsPerS);
  Thread sleeper{{}, [&] {
                   status = evl_sleep_until(EVL_CLOCK_REALTIME, &date);
                   woken = now(EVL_CLOCK_REALTIME);
                 }};
  ASSERT_TRUE(sleeper.sleeps());
  timespec jump = plus_ns(start, 1800LL * kNsPerS);
  ASSERT_EQ(evl_set_clock(EVL_CLOCK_REALTIME, &jump), 0);
  usleep(5000);
  EXPECT_TRUE(sleeper.sleeps());
  jump = plus_ns(start, 7200LL * kNsPerS);
  ASSERT_EQ(evl_set_clock(EVL_CLOCK_REALTIME, &jump), 0);
  sleeper.join();
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(too_early(date, woken));
  EXPECT_EQ(evl_set_clock(EVL_CLOCK_REALTIME, &start), 0);
}

TEST(Clock, SleepersOfTheMonotonicClockDoNot) {
  const timespec start = now(EVL_CLOCK_REALTIME);
  Thread sleeper{{}, [] {
                   const timespec date = far_away();
                   EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), -EINTR);
                 }};
  ASSERT_TRUE(sleeper.sleeps());
  const timespec jump = plus_ns(start, 7200LL * kNsPerS);
  ASSERT_EQ(evl_set_clock(EVL_CLOCK_REALTIME, &jump), 0);
  usleep(5000);
  EXPECT_TRUE(sleeper.sleeps());
  EXPECT_EQ(evl_set_clock(EVL_CLOCK_REALTIME, &start), 0);
  EXPECT_EQ(evl_unblock_thread(sleeper.efd()), 0);
}

TEST(Sleep, InMicroseconds) {
  attached([] {
    EXPECT_EQ(evl_usleep(0), 0);
    EXPECT_EQ(evl_usleep(1'000'001), -EINVAL);
    const timespec before = now();
    EXPECT_EQ(evl_usleep(1500), 0);
    EXPECT_GE(ns_of(now()) - ns_of(before), 1'500'000);
  });
  EXPECT_EQ(evl_usleep(1), -EPERM);
}

TEST(Sleep, SignalEndsIt) {
  install(0);
  Thread sleeper{{}, [] {
                   const timespec date = far_away();
                   EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), -EINTR);
                   EXPECT_EQ(handled, 1);
                 }};
  ASSERT_TRUE(sleeper.sleeps());
  kill_thread(sleeper.tid(), SIGUSR1);
  sleeper.join();
}

TEST(Sleep, SignalWithRestartDoesNot) {
  install(SA_RESTART);
  Thread sleeper{{}, [] {
                   const timespec date = far_away();
                   EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date),
                             -EINTR);  // Only by being unblocked.
                   EXPECT_EQ(handled, 5);
                 }};
  for (int n = 1; n <= 5; ++n) {
    ASSERT_TRUE(sleeper.sleeps());
    kill_thread(sleeper.tid(), SIGUSR1);
    ASSERT_TRUE(until([=] { return handled == n; }));
  }
  ASSERT_TRUE(sleeper.sleeps());
  EXPECT_EQ(evl_unblock_thread(sleeper.efd()), 0);
  sleeper.join();
}

TEST(Timer, Errors) {
  EXPECT_EQ(evl_new_timer(4000), -EBADF);
  EXPECT_EQ(evl_new_timer(STDOUT_FILENO), -ENOTTY);
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  EXPECT_EQ(fcntl(timer, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  itimerspec setting{.it_interval = {}, .it_value = {1, kNsPerS}};
  EXPECT_EQ(evl_set_timer(timer, &setting, nullptr), -EINVAL);
  setting = {.it_interval = {0, -1}, .it_value = far_away()};
  EXPECT_EQ(evl_set_timer(timer, &setting, nullptr), -EINVAL);
  __u64 ticks = 0;
  EXPECT_EQ(read(timer, &ticks, sizeof(ticks)), -1);  // In-band.
  EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), -1);
  EXPECT_EQ(errno, EPERM);
  attached([&] {
    EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks) - 1), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(oob_write(timer, &ticks, sizeof(ticks)), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(fcntl(timer, F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
  EXPECT_EQ(close(timer), 0);
}

TEST(Timer, CanBeLookedAtAndDisarmed) {
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  const itimerspec setting{.it_interval = {2, 0}, .it_value = far_away()};
  ASSERT_EQ(evl_set_timer(timer, &setting, nullptr), 0);
  itimerspec found{};
  ASSERT_EQ(evl_get_timer(timer, &found), 0);
  EXPECT_EQ(found.it_interval.tv_sec, 2);
  EXPECT_GT(ns_of(found.it_value), 0);
  EXPECT_LE(ns_of(found.it_value), 3600LL * kNsPerS);  // What remains.
  const itimerspec off{};
  ASSERT_EQ(evl_set_timer(timer, &off, &found), 0);
  EXPECT_EQ(found.it_interval.tv_sec, 2);
  ASSERT_EQ(evl_get_timer(timer, &found), 0);
  EXPECT_EQ(ns_of(found.it_value), 0);
  EXPECT_EQ(close(timer), 0);
}

TEST(Timer, StartInThePastCountsWhatWasMissed) {
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  attached([&] {
    const timespec start = now();
    const itimerspec setting{.it_interval = {0, 1'000'000},
                             .it_value = plus_ns(start, -100'000'000)};
    ASSERT_EQ(evl_set_timer(timer, &setting, nullptr), 0);
    __u64 ticks = 0;
    ASSERT_EQ(oob_read(timer, &ticks, sizeof(ticks)), static_cast<ssize_t>(sizeof(ticks)));
    EXPECT_GE(ticks, 100U);
  });
  EXPECT_EQ(close(timer), 0);
}

TEST(Timer, ReaderIsToldThatItWasClosed) {
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  Thread reader{{}, [&] {
                  __u64 ticks = 0;
                  EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), -1);
                  EXPECT_EQ(errno, EIDRM);
                  EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), -1);
                  EXPECT_EQ(errno, EBADF);
                }};
  ASSERT_TRUE(reader.waits());
  EXPECT_EQ(close(timer), 0);
  reader.join();
}

TEST(Timer, SeveralReadersShareTheShots) {
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  std::atomic<__u64> total{0};
  const auto body = [&] {
    __u64 ticks = 0;
    EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), static_cast<ssize_t>(sizeof(ticks)));
    total += ticks;
  };
  Thread first{{.priority = 20}, body};
  Thread second{{.priority = 10, .cpu = cpus() - 1}, body};
  ASSERT_TRUE(first.waits());
  ASSERT_TRUE(second.waits());
  const itimerspec setting{.it_interval = {0, 5'000'000}, .it_value = after_ms(5)};
  const timespec start = setting.it_value;
  ASSERT_EQ(evl_set_timer(timer, &setting, nullptr), 0);
  first.join();
  second.join();
  EXPECT_GE(total, 2U);
  EXPECT_FALSE(too_early(plus_ns(start, static_cast<long long>(total - 1) * 5'000'000)));
  EXPECT_EQ(close(timer), 0);
}

// SPDX-License-Identifier: MIT
// The health monitor: each mistake is reported, by its code, to the thread that made it; the
// watchdog.
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

// Runs a mistake in a thread with these modes; what was reported until it ended.
unsigned reported(int modes, const std::function<void()>& mistake, const How& how = {}) {
  const Reports reports;
  attached(how, [&] {
    const int self = evl_get_self();
    EXPECT_EQ(evl_clear_thread_mode(self, EVL_T_WOSS | EVL_T_WOLI | EVL_T_WOSX, nullptr), 0);
    EXPECT_EQ(evl_set_thread_mode(self, modes, nullptr), 0);
    mistake();
    EXPECT_EQ(evl_clear_thread_mode(self, modes, nullptr), 0);
  });
  return Reports::take();
}

// A report comes by a signal that leaves in-band: a thread that stays out-of-band gets it in a
// moment.
void await_report() {
  EXPECT_TRUE(oob_until([] { return Reports::seen() != 0; }));
}

void nothing(int) {}

}  // namespace

TEST(StageSwitch, SystemCall) {
  EXPECT_EQ(reported(EVL_T_WOSS, [] { (void)getppid(); }), bit(EVL_HMDIAG_SYSDEMOTE));
  EXPECT_EQ(reported(EVL_T_WOSS, [] { EXPECT_EQ(evl_switch_inband(), 0); }),
            bit(EVL_HMDIAG_SYSDEMOTE));
}

TEST(StageSwitch, Signal) {
  struct sigaction action {};
  action.sa_handler = nothing;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  const Reports reports;
  Thread thread{{}, [] {
                  EXPECT_EQ(evl_set_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr), 0);
                  const timespec date = far_away();
                  EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), -EINTR);
                  EXPECT_EQ(evl_clear_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr), 0);
                }};
  ASSERT_TRUE(thread.sleeps());
  ASSERT_EQ(tgkill(getpid(), thread.tid(), SIGUSR1), 0);
  thread.join();
  EXPECT_EQ(Reports::take(), bit(EVL_HMDIAG_SIGDEMOTE));
}

TEST(StageSwitch, Fault) {
  // Neither mlock() nor the core can have a page there before it is allowed.
  static void* page = nullptr;
  page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  struct sigaction action {};
  action.sa_handler = [](int) { mprotect(page, 4096, PROT_READ | PROT_WRITE); };
  ASSERT_EQ(sigaction(SIGSEGV, &action, nullptr), 0);
  EXPECT_EQ(reported(EVL_T_WOSS, [] { *static_cast<volatile char*>(page) = 1; }),
            bit(EVL_HMDIAG_EXDEMOTE));
  ASSERT_NE(signal(SIGSEGV, SIG_DFL), SIG_ERR);
  EXPECT_EQ(munmap(page, 4096), 0);
}

TEST(StageSwitch, NothingIsReportedOfWhoStays) {
  EXPECT_EQ(reported(EVL_T_WOSS,
                     [] {
                       for (int n = 0; n < 20; ++n) {
                         EXPECT_EQ(evl_usleep(200), 0);
                         (void)now();
                         EXPECT_EQ(evl_printf("%s", ""), 0);
                       }
                       EXPECT_FALSE(evl_is_inband());
                     }),
            0U);
}

TEST(StageSwitch, IsNotReportedToWhoDidNotAsk) {
  EXPECT_EQ(reported(EVL_T_WOSX, [] { (void)getppid(); }), 0U);
}

// The report is a signal, and ends the wait.
TEST(Locking, WaitWithAMutex) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  ASSERT_GE(timer, 0);
  const unsigned reports = reported(EVL_T_WOLI, [&] {
    const itimerspec setting{.it_interval = {}, .it_value = after_ms(60'000)};
    __u64 ticks = 0;
    EXPECT_EQ(evl_set_timer(timer, &setting, nullptr), 0);
    EXPECT_EQ(evl_lock_mutex(&mutex), 0);
    EXPECT_EQ(oob_read(timer, &ticks, sizeof(ticks)), -1);
    EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
  });
  // It is handled in-band, with the mutex held.
  EXPECT_EQ(reports & ~bit(EVL_HMDIAG_LKDEPEND), bit(EVL_HMDIAG_LKSLEEP));
  EXPECT_EQ(close(timer), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Locking, InbandWithAMutex) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  EXPECT_EQ(reported(EVL_T_WOLI,
                     [&] {
                       EXPECT_EQ(evl_lock_mutex(&mutex), 0);
                       (void)getppid();
                       EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
                     }),
            bit(EVL_HMDIAG_LKDEPEND));
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

// The library knows the owner and does not ask the core; who does gets a report besides the error.
TEST(Locking, UnlockOfWhatIsNotOwned) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  EXPECT_EQ(reported(EVL_T_WOLI,
                     [&] {
                       EXPECT_EQ(oob_request(mutex.u.active.efd, EVL_MONIOC_EXIT, nullptr), -EPERM);
                       await_report();
                     }),
            bit(EVL_HMDIAG_LKIMBALANCE));
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Locking, NothingIsReportedOfWhoDoesItRight) {
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  EXPECT_EQ(reported(EVL_T_WOLI,
                     [&] {
                       for (int n = 0; n < 20; ++n) {
                         EXPECT_EQ(evl_lock_mutex(&mutex), 0);
                         EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
                         EXPECT_EQ(evl_usleep(100), 0);
                       }
                     }),
            0U);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

TEST(Report, IsMarkedAsTheCores) {
  static std::atomic<int> code{0};
  static std::atomic<bool> marked{false};
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    code = info->si_code;
    marked = sigdebug_marked(info);
  };
  ASSERT_EQ(sigaction(SIGDEBUG, &action, nullptr), 0);
  attached([] {
    EXPECT_EQ(evl_set_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr), 0);
    (void)getppid();
    EXPECT_EQ(evl_clear_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr), 0);
  });
  EXPECT_EQ(code, SI_QUEUE);
  EXPECT_TRUE(marked);
}

TEST(Watchdog, StopsAThreadThatKeepsItsCpu) {
  if (!has_watchdog()) GTEST_SKIP() << "CONFIG_EVL_WATCHDOG is off";
  const std::string parameter = "/sys/module/evl/parameters/watchdog_timeout";
  const std::string before = contents(parameter);
  EXPECT_NE(store(parameter, "0"), 0);
  EXPECT_NE(store(parameter, "61"), 0);
  ASSERT_EQ(store(parameter, "1"), 0);
  const Reports reports;
  attached([] {
    EXPECT_EQ(evl_set_thread_mode(evl_get_self(), EVL_T_HMSIG, nullptr), 0);
    const timespec end = after_ms(50'000);
    while (Reports::seen() == 0 && earlier(now(), end)) {
    }
    EXPECT_TRUE(evl_is_inband());
    EXPECT_EQ(evl_usleep(100), 0);  // Unharmed otherwise.
  });
  EXPECT_EQ(Reports::take(), bit(EVL_HMDIAG_WATCHDOG));
  EXPECT_EQ(store(parameter, before), 0);
}

TEST(Watchdog, LeavesWhoSleepsAlone) {
  if (!has_watchdog()) GTEST_SKIP() << "CONFIG_EVL_WATCHDOG is off";
  const std::string parameter = "/sys/module/evl/parameters/watchdog_timeout";
  const std::string before = contents(parameter);
  ASSERT_EQ(store(parameter, "1"), 0);
  const Reports reports;
  attached([] {
    EXPECT_EQ(evl_set_thread_mode(evl_get_self(), EVL_T_HMSIG, nullptr), 0);
    const timespec date = after_ms(1500);
    EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), 0);
    EXPECT_FALSE(evl_is_inband());
  });
  EXPECT_EQ(Reports::take(), 0U);
  EXPECT_EQ(store(parameter, before), 0);
}

// SPDX-License-Identifier: MIT
// Does a run of latmus end as it should, whoever ends it, and with all its samples? Real threads
// and signals on a fake driver.

#include <evl/thread-abi.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "common/system.h"
#include "fake_driver.h"
#include "hang_watch.h"
#include "latmus/control.h"
#include "latmus/runs.h"

namespace utils::latmus {
namespace {

constexpr std::chrono::seconds kLimit{60};  // The longest of these tests takes two seconds.

using OneRun = Run;  // Inside of a test, Run is a function of GoogleTest.

bool real_time_allowed() {
  pthread_t thread{};
  if (start_thread(&thread, {"probe", 0, 1}, [] {}) != 0) return false;
  pthread_join(thread, nullptr);
  return true;
}

class CoreRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!real_time_allowed()) GTEST_SKIP() << "needs the right to SCHED_FIFO, and CPU 0";
    fake_driver = &driver_;
    set_up_signals();
    options_.verbosity = 0;
    options_.cells = 100;
    options_.timeout_s = 3;
    run_.priority = 10;
    run_.period_ns = 1'000'000;
    run_.requested_s = 3;
    run_.histogram = Histogram{100, 1000};
  }
  void TearDown() override {
    if (driver_.pipe_write >= 0) close(driver_.pipe_write);
    fake_driver = nullptr;
  }

  int measure() {
    return with_task([](const Task& task) { return measure_with_core(task); });
  }
  int tune() {
    return with_task([](const Task& task) { return tune_with_core(task, stdout); });
  }

  template <typename Call>
  int with_task(Call call) {
    reset_control(options_.keep_going);
    TraceFreezer freezer{System{}};
    Recorder recorder{options_, stdout, &freezer, &run_};
    return call(Task{.options = options_,
                     .run = run_,
                     .recorder = recorder,
                     .freezer = freezer,
                     .driver = "/dev/null"});
  }

  // Each sample is in one record and in the histogram.
  void expect_complete() {
    EXPECT_EQ(run_.histogram.total(), static_cast<uint64_t>(run_.summary.samples()));
    EXPECT_GE(run_.summary.samples(), 10);
    EXPECT_EQ(driver_.attached, driver_.detached);
  }

  FakeDriver driver_;
  Options options_;
  OneRun run_;

 private:
  HangWatch watch_{kLimit};
};

TEST_F(CoreRuns, EndAfterTheRecordsThatWereAskedFor) {
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::timeout);
  EXPECT_GE(run_.seconds.size(), 3U);
  EXPECT_EQ(run_.summary.max_ns(), 1500);
  EXPECT_EQ(run_.histogram.count(1), run_.histogram.total());
  expect_complete();
  EXPECT_EQ(driver_.setup.type, static_cast<uint32_t>(EVL_LAT_USER));
  EXPECT_EQ(driver_.setup.period, 1'000'000U);
  EXPECT_EQ(driver_.setup.cell_ns, 1000U);
  EXPECT_EQ(driver_.setup.u.measure.hcells, 100U);
  EXPECT_EQ(driver_.attached, 2);
}

TEST_F(CoreRuns, HandlersNeedNoResponder) {
  run_.context = Context::irq;
  options_.reset = true;
  ASSERT_EQ(measure(), kDone);
  expect_complete();
  EXPECT_EQ(driver_.attached, 1);
  EXPECT_TRUE(driver_.reset);
}

TEST_F(CoreRuns, EintrWithResultsIsTheEndToo) {
  driver_.end_error = EINTR;
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::timeout);
  expect_complete();
}

TEST_F(CoreRuns, AreInterruptedWithASummary) {
  options_.timeout_s = 0;
  driver_.interrupt_after = 2;
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::interrupted);
  expect_complete();
}

TEST_F(CoreRuns, StopAtAnInbandSwitch) {
  options_.timeout_s = 1000;
  driver_.inband_switch_at = 15;
  driver_.health_code = EVL_HMDIAG_SYSDEMOTE;
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::inband_switch);
  EXPECT_EQ(run_.inband_switches, 1U);
}

TEST_F(CoreRuns, KeepGoingCountsTheSwitch) {
  options_.keep_going = true;
  driver_.inband_switch_at = 15;
  driver_.health_code = EVL_HMDIAG_EXDEMOTE;
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::timeout);
  EXPECT_EQ(run_.inband_switches, 1U);
  expect_complete();
}

TEST_F(CoreRuns, StopAboveTheLimit) {
  options_.limit_ns = 1499;
  options_.timeout_s = 1000;
  ASSERT_EQ(measure(), kDone);
  EXPECT_EQ(run_.ending, Ending::latency_limit);
  expect_complete();
}

TEST_F(CoreRuns, FailIfTheDriverDoes) {
  options_.timeout_s = 0;
  driver_.run_error = ENOMEM;
  EXPECT_EQ(measure(), kFailed);
  EXPECT_EQ(run_.ending, Ending::failed);
}

TEST_F(CoreRuns, FailIfTheResponderDoesAndDoNotLastForEver) {
  options_.timeout_s = 0;
  driver_.pulse_error_at = 12;
  EXPECT_EQ(measure(), kFailed);
  EXPECT_EQ(run_.ending, Ending::failed);
}

TEST_F(CoreRuns, TuningEndsByItself) {
  options_.timeout_s = 0;
  run_.context = Context::kernel;
  driver_.tuned_ns = 1200;
  testing::internal::CaptureStdout();
  EXPECT_EQ(tune(), kDone);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "kernel gravity...1200 ns\n");
  EXPECT_EQ(driver_.setup.type, static_cast<uint32_t>(EVL_LAT_KERN));
}

TEST_F(CoreRuns, AnEarlyShotFailsTheTuning) {
  options_.timeout_s = 0;
  driver_.tune_error = EAGAIN;
  run_.context = Context::irq;
  EXPECT_EQ(tune(), kFailed);
}

TEST_F(CoreRuns, OtherReportsOfTheHealthMonitorAreFatal) {
  driver_.inband_switch_at = 5;
  driver_.health_code = EVL_HMDIAG_WATCHDOG;
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT((void)measure(), testing::ExitedWithCode(99), "health monitor");
}

}  // namespace
}  // namespace utils::latmus

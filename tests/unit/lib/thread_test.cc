// SPDX-License-Identifier: MIT
#include "evl/thread.h"

#include "evl/sys.h"
#include "evl/timer.h"
#include "fixture.h"

namespace {

using ThreadTest = LibTest;

struct Inherited {
  int policy;
  int priority;
  int evl_policy;  // -EINVAL: refused.
};

class InheritTest : public LibTest, public ::testing::WithParamInterface<Inherited> {};

TEST_P(InheritTest, InbandParametersAreTranslated) {
  const Inherited& row = GetParam();
  core().policy = row.policy;
  core().priority = row.priority;
  const int efd = evl_attach_self("thread");
  if (row.evl_policy < 0) {
    EXPECT_EQ(efd, row.evl_policy);
    return;
  }
  ASSERT_GE(efd, 0);
  EXPECT_EQ(core().last_attributes.sched_policy, row.evl_policy);
  EXPECT_EQ(core().last_attributes.sched_priority, row.priority);
  EXPECT_EQ(evl_is_inband(), row.evl_policy == SCHED_WEAK);
}

INSTANTIATE_TEST_SUITE_P(
    Policies, InheritTest,
    ::testing::Values(Inherited{SCHED_OTHER, 0, SCHED_WEAK}, Inherited{SCHED_BATCH, 0, SCHED_WEAK},
                      Inherited{SCHED_IDLE, 0, SCHED_WEAK}, Inherited{SCHED_FIFO, 1, SCHED_FIFO},
                      Inherited{SCHED_FIFO, 99, SCHED_FIFO}, Inherited{SCHED_RR, 50, SCHED_FIFO},
                      Inherited{6 /* SCHED_DEADLINE */, 0, -EINVAL}));

TEST_F(ThreadTest, WhoIsNotAttachedRunsInbandAndIsRefused) {
  EXPECT_EQ(evl_get_self(), -1);
  EXPECT_TRUE(evl_is_inband());
  EXPECT_EQ(evl_get_current_mode(), EVL_T_INBAND);
  EXPECT_EQ(evl_switch_oob(), -EPERM);
  EXPECT_EQ(evl_switch_inband(), -EPERM);
  EXPECT_EQ(evl_yield(), -EPERM);
  EXPECT_EQ(evl_usleep(1), -EPERM);
  EXPECT_EQ(evl_detach_self(), -EPERM);
  EXPECT_EQ(core().in_band_calls() + core().out_of_band_requests(), 0);
}

TEST_F(ThreadTest, AttachingTwiceIsRefusedAndDetachingAllowsItAgain) {
  const int efd = attach("one");
  EXPECT_EQ(evl_get_self(), efd);
  EXPECT_EQ(evl_attach_self("two"), -EBUSY);
  EXPECT_EQ(evl_detach_thread(1), -EINVAL);
  EXPECT_EQ(evl_detach_thread(0), 0);
  EXPECT_EQ(evl_get_self(), -1);
  EXPECT_TRUE(evl_is_inband());
  attach("one");
}

TEST_F(ThreadTest, ADetachDoesNotReportItself) {
  const int efd = attach("one");
  ASSERT_EQ(evl_set_thread_mode(efd, EVL_T_WOSS, nullptr), 0);
  core().reset_counts();
  ASSERT_EQ(evl_detach_self(), 0);
  EXPECT_EQ(core().requests(EVL_THRIOC_CLEAR_MODE), 1);
  EXPECT_EQ(core().requests(EVL_THRIOC_DETACH_SELF), 1);
}

TEST_F(ThreadTest, AFailedDetachLeavesTheThreadAttached) {
  const int efd = attach("one");
  core().answer(EVL_THRIOC_DETACH_SELF, {.result = -EPERM});
  EXPECT_EQ(evl_detach_self(), -EPERM);
  EXPECT_EQ(evl_get_self(), efd);
  EXPECT_EQ(evl_detach_self(), 0);
}

TEST_F(ThreadTest, FlagsThatAThreadCannotHaveAreRefused) {
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_UNICAST, "t"), -EINVAL);
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_INPUT, "t"), -EINVAL);
  EXPECT_EQ(evl_attach_thread(1, "t"), -EINVAL);
  EXPECT_EQ(evl_attach_thread(EVL_CLONE_PUBLIC, nullptr), -EINVAL);
  EXPECT_GE(evl_attach_thread(EVL_CLONE_OBSERVABLE | EVL_CLONE_UNICAST, "/t"), 0);
}

TEST_F(ThreadTest, APolicyThatTheCoreRefusesUndoesTheAttachment) {
  core().answer(EVL_THRIOC_SET_SCHEDPARAM, {.result = -EINVAL});
  EXPECT_EQ(evl_attach_self("one"), -EINVAL);
  EXPECT_EQ(evl_get_self(), -1);
  EXPECT_EQ(core().requests(EVL_THRIOC_DETACH_SELF), 1);
  EXPECT_GE(evl_attach_self("one"), 0) << "the name is free again";
}

TEST_F(ThreadTest, AThreadWhoseNodeCannotBeOpenedIsNotAttached) {
  ASSERT_EQ(evl_init(), 0);
  core().node_error = -EMFILE;
  EXPECT_EQ(evl_attach_self("/one"), -EMFILE);
  EXPECT_EQ(evl_get_self(), -1);
  EXPECT_EQ(core().requests(EVL_THRIOC_DETACH_SELF), 1) << "or the core has a thread without name";
  core().node_error = 0;
  EXPECT_GE(evl_attach_self("two"), 0);
}

TEST_F(ThreadTest, ASignalDuringTheFirstSwitchDoesNotLeaveTheThreadInband) {
  core().policy = SCHED_FIFO;
  core().priority = 5;
  ASSERT_EQ(evl_init(), 0);
  core().answer(EVL_THRIOC_SWITCH_OOB, {.result = -EINTR});
  core().answer(EVL_THRIOC_SWITCH_OOB, {.result = -EINTR});
  const int efd = evl_attach_self("one");
  ASSERT_GE(efd, 0);
  EXPECT_EQ(core().requests(EVL_THRIOC_SWITCH_OOB), 3);
}

TEST_F(ThreadTest, SwitchingToTheStageOneIsOnIsNoRequest) {
  attach("one");
  core().reset_counts();
  EXPECT_EQ(evl_switch_oob(), 0);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  EXPECT_EQ(evl_switch_inband(), 0);
  EXPECT_TRUE(evl_is_inband());
  EXPECT_EQ(core().in_band_calls(), 1) << "by an in-band call, which is reported if asked for";
  EXPECT_EQ(evl_switch_inband(), 0);
  EXPECT_EQ(core().in_band_calls(), 1);
  EXPECT_EQ(evl_switch_oob(), 0);
  EXPECT_FALSE(evl_is_inband());
}

TEST_F(ThreadTest, RequestsThatBothStagesServeStayOnTheStageOfTheCaller) {
  const int efd = attach("one");
  core().reset_counts();
  int before = -1;
  EXPECT_EQ(evl_set_thread_mode(efd, EVL_T_WOSS | EVL_T_HMSIG, &before), 0);
  EXPECT_EQ(before, 0);
  EXPECT_EQ(evl_clear_thread_mode(efd, 0, &before), 0);
  EXPECT_EQ(before, EVL_T_WOSS | EVL_T_HMSIG);
  EXPECT_EQ(evl_set_thread_mode(efd, EVL_T_READY, nullptr), -EINVAL);
  int state = 0;
  EXPECT_EQ(evl_get_cpustate(0, &state), 0);
  EXPECT_EQ(state, EVL_CPU_OOB);
  EXPECT_EQ(evl_get_cpustate(9, &state), -EINVAL);
  EXPECT_EQ(core().in_band_calls(), 0);
  ASSERT_EQ(evl_switch_inband(), 0);
  core().reset_counts();
  EXPECT_EQ(evl_get_cpustate(0, &state), 0);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  EXPECT_TRUE(evl_is_inband());
}

TEST_F(ThreadTest, BuiltInClocksAreReadWithoutTheCore) {
  attach("one");
  core().reset_counts();
  timespec before{};
  timespec now{};
  ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &before), 0);
  ASSERT_EQ(evl_read_clock(EVL_CLOCK_MONOTONIC, &now), 0);
  EXPECT_GE(now.tv_sec * 1'000'000'000 + now.tv_nsec,
            before.tv_sec * 1'000'000'000 + before.tv_nsec);
  ASSERT_EQ(evl_read_clock(EVL_CLOCK_REALTIME, &now), 0);
  EXPECT_GT(now.tv_sec, 1'600'000'000);
  EXPECT_EQ(core().in_band_calls() + core().out_of_band_requests(), 0);
}

TEST_F(ThreadTest, SleepsAreAbsoluteAndBounded) {
  attach("one");
  timespec before{};
  ASSERT_EQ(evl_read_clock(EVL_CLOCK_MONOTONIC, &before), 0);
  ASSERT_EQ(evl_usleep(1'000'000), 0);
  const auto nanoseconds = [](long long sec, long long nsec) { return sec * 1'000'000'000 + nsec; };
  const long long delay = nanoseconds(core().last_date.tv_sec, core().last_date.tv_nsec) -
                          nanoseconds(before.tv_sec, before.tv_nsec);
  EXPECT_GE(delay, 1'000'000'000);
  EXPECT_LT(delay, 61'000'000'000) << "one second, and how long this took on a busy machine";
  EXPECT_LT(core().last_date.tv_nsec, 1'000'000'000);
  core().reset_counts();
  EXPECT_EQ(evl_usleep(0), 0);
  EXPECT_EQ(evl_usleep(1'000'001), -EINVAL);
  EXPECT_EQ(core().out_of_band_requests(), 0);
  core().answer(EVL_CLKIOC_SLEEP, {.result = -EINTR});
  EXPECT_EQ(evl_usleep(1), -EINTR);
}

TEST_F(ThreadTest, TimersNeedAnInitializedProcess) {
  EXPECT_EQ(evl_new_timer(EVL_CLOCK_MONOTONIC), -ENXIO);
  ASSERT_EQ(evl_init(), 0);
  EXPECT_GE(evl_new_timer(EVL_CLOCK_MONOTONIC), 0);
  EXPECT_EQ(evl_new_timer(99), -EBADF);
}

}  // namespace

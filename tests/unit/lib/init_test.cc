// SPDX-License-Identifier: MIT
#include "init.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evl/sys.h"
#include "fixture.h"

namespace {

using InitTest = LibTest;

TEST_F(InitTest, OpensWhatAProcessNeedsOnce) {
  ASSERT_EQ(evl_init(), 0);
  const std::vector<std::string> wanted{
      "control/",
      "clock/monotonic",
      "clock/realtime",
      "proxy/stdout:" + std::to_string(getpid()),
      "proxy/stderr:" + std::to_string(getpid()),
  };
  EXPECT_EQ(core().open_files(), wanted);
  core().reset_counts();
  EXPECT_EQ(evl_init(), 0);
  EXPECT_EQ(core().in_band_calls(), 0);
  EXPECT_EQ(evl_detect_fpu(), 3u);
}

TEST_F(InitTest, AMissingCoreIsENOSYSAndStaysSo) {
  core().control_exists = false;
  EXPECT_EQ(evl_init(), -ENOSYS);
  core().control_exists = true;
  EXPECT_EQ(evl_init(), -ENOSYS);
  EXPECT_EQ(evl_detect_fpu(), 0u);
  EXPECT_EQ(evl_attach_self("test"), -ENOSYS);
}

TEST_F(InitTest, MemoryThatCannotBeLockedEndsIt) {
  core().lock_memory_result = -EPERM;
  EXPECT_EQ(evl_init(), -EPERM);
  EXPECT_TRUE(core().open_files().empty());
}

struct Levels {
  __u32 base;
  __u32 current;
  int status;
};

class AbiTest : public LibTest, public ::testing::WithParamInterface<Levels> {};

TEST_P(AbiTest, OnlyACoreThatServesOurLevelIsUsed) {
  core().info.abi_base = GetParam().base;
  core().info.abi_current = GetParam().current;
  EXPECT_EQ(evl_init(), GetParam().status);
  EXPECT_EQ(core().open_files().empty(), GetParam().status < 0) << "what was opened is closed";
}

INSTANTIATE_TEST_SUITE_P(Ranges, AbiTest,
                         ::testing::Values(Levels{36, 36, 0}, Levels{23, 40, 0},
                                           Levels{37, 40, -ENOEXEC}, Levels{23, 35, -ENOEXEC}));

TEST_F(InitTest, AnotherSizeOfTheCoreInfoIsAnAbiMismatch) {
  core().answer(EVL_CTLIOC_GET_COREINFO, {.result = -ENOTTY});
  EXPECT_EQ(evl_init(), -ENOEXEC);
}

TEST_F(InitTest, OtherErrorsArePassedOn) {
  core().answer(EVL_CTLIOC_GET_COREINFO, {.result = -EFAULT});
  EXPECT_EQ(evl_init(), -EFAULT);
}

TEST_F(InitTest, AHeapThatCannotBeMappedEndsIt) {
  core().info.shm_size = 4096;  // The fake core maps its own size only, as the real one does.
  EXPECT_EQ(evl_init(), -EINVAL);
  EXPECT_TRUE(core().open_files().empty());
}

TEST_F(InitTest, AChildOfForkStartsFromNothing) {
  attach("parent");
  EXPECT_FALSE(evl_is_inband());
  const pid_t child = fork();
  if (child == 0) {
    const bool fresh = evl_get_self() == -1 && evl_is_inband() && evl_stdout() == -EBADF &&
                       core().unmapped == 1 && !evl::process.initialized() &&
                       core().open_files().empty();
    _exit(fresh && evl_init() == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(evl_detach_self(), 0) << "the parent is what it was";
}

TEST_F(InitTest, TheVersionNeedsNoInitialization) {
  const evl_version version = evl_get_version();
  EXPECT_EQ(version.api_level, 27);
  EXPECT_EQ(version.abi_level, 36);
  EXPECT_EQ(std::string{version.version_string}.rfind("evl.", 0), 0u);
  EXPECT_EQ(core().in_band_calls(), 0);
}

TEST_F(InitTest, OffsetsOutsideOfTheHeapAreNoObjects) {
  ASSERT_EQ(evl_init(), 0);
  const auto& process = evl::process;
  const auto size = static_cast<__u32>(process.heap_size);
  EXPECT_NE(process.shared<evl_monitor_state>(0), nullptr);
  EXPECT_NE(process.shared<evl_monitor_state>(size - 16), nullptr);
  EXPECT_EQ(process.shared<evl_monitor_state>(size - 12), nullptr);
  EXPECT_EQ(process.shared<evl_monitor_state>(size), nullptr);
  EXPECT_EQ(process.shared<evl_monitor_state>(EVL_NO_STATE_OFFSET), nullptr);
  EXPECT_EQ(process.shared<evl_monitor_state>(2), nullptr) << "not aligned";
}

TEST_F(InitTest, ElementsAreMadeAndOpenedByName) {
  evl_element_ids ids{};
  evl_monitor_attrs attributes{};
  attributes.type = EVL_MONITOR_GATE;
  const int efd = evl_create_element("monitor", "/one", &attributes,
                                     static_cast<int>(EVL_CLONE_NONBLOCK), &ids);
  ASSERT_GE(efd, 0);
  EXPECT_TRUE(core().file(efd).nonblocking);
  EXPECT_EQ(core().last_clone_flags, EVL_CLONE_PUBLIC) << "NONBLOCK stays in the library";
  EXPECT_EQ(core().file(efd).ids.fundle, ids.fundle);
  EXPECT_EQ(core().open_files(), (std::vector<std::string>{"monitor/one", "monitor/one"}))
      << "the element and its node; the clone device is closed";
  const int again = evl_open_element("monitor", "%s", "one");
  ASSERT_GE(again, 0);
  EXPECT_EQ(core().file(again).ids.fundle, ids.fundle);
  EXPECT_EQ(evl_open_element("monitor", "two"), -ENOENT);
  EXPECT_EQ(evl_create_element("monitor", "one", &attributes, 0, nullptr), -EEXIST);
  EXPECT_EQ(evl_create_element("monitor", nullptr, &attributes, EVL_CLONE_PUBLIC, nullptr),
            -EINVAL);
}

}  // namespace

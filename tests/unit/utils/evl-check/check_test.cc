// SPDX-License-Identifier: MIT

#include <gtest/gtest.h>

#include "../fake_system.h"
#include "common/files.h"
#include "evl-check/kconfig.h"
#include "evl-check/runtime.h"

namespace utils {
namespace {

constexpr const char* kConfig =
    "# Linux/x86 6.12.117 Kernel Configuration\n"
    "CONFIG_EVL=y\nCONFIG_E1000=m\n# CONFIG_KASAN is not set\nCONFIG_NR_CPUS=64\nCONFIG_X=\"y\"\n";

bool holds(const std::string& assertion, const std::string& machine = "x86_64") {
  const CheckList list = CheckList::parse(assertion);
  EXPECT_EQ(list.assertions.size(), 1U) << assertion;
  return list.assertions.at(0).holds(KernelConfig::parse(kConfig), machine);
}

TEST(Kconfig, KeepsWhatIsSetToYOrM) {
  const KernelConfig config = KernelConfig::parse(kConfig);
  EXPECT_EQ(config.value("CONFIG_EVL"), 'y');
  EXPECT_EQ(config.value("CONFIG_E1000"), 'm');
  EXPECT_EQ(config.value("CONFIG_KASAN"), 'n');
  EXPECT_EQ(config.value("CONFIG_NR_CPUS"), 'n');
  EXPECT_EQ(config.value("CONFIG_X"), 'n');
  EXPECT_EQ(config.size(), 2U);
  EXPECT_EQ(config.arch(), "x86");
}

TEST(Kconfig, WithoutAValueBothYAndMWillDo) {
  EXPECT_TRUE(holds("CONFIG_EVL"));
  EXPECT_TRUE(holds("CONFIG_E1000"));
  EXPECT_FALSE(holds("CONFIG_KASAN"));
  EXPECT_FALSE(holds("CONFIG_E1000=y"));
  EXPECT_TRUE(holds("CONFIG_E1000=m"));
}

TEST(Kconfig, TwoNegationsCancelOut) {
  EXPECT_TRUE(holds("CONFIG_KASAN=n"));
  EXPECT_TRUE(holds("!CONFIG_KASAN"));
  EXPECT_FALSE(holds("!CONFIG_KASAN=n"));
  EXPECT_TRUE(holds("!CONFIG_EVL=m"));
}

TEST(Kconfig, AConditionThatDoesNotHoldAsksForNothing) {
  EXPECT_TRUE(holds("CONFIG_KASAN if CONFIG_NONE"));
  EXPECT_FALSE(holds("CONFIG_KASAN if CONFIG_EVL"));
  EXPECT_FALSE(holds("CONFIG_KASAN if !CONFIG_NONE"));
  EXPECT_TRUE(holds("CONFIG_KASAN on arm64"));
  EXPECT_FALSE(holds("CONFIG_KASAN on arm64", "aarch64"));
  EXPECT_FALSE(holds("CONFIG_KASAN if CONFIG_EVL on x86"));
}

TEST(Kconfig, LinesThatAreNoAssertionAreCounted) {
  const CheckList list = CheckList::parse(
      "# comment\nCONFIG_A\nKASAN=n\nCONFIG_B=x\nCONFIG_C if\nCONFIG_D unless CONFIG_E\n\nCONFIG_F "
      "# yes\n");
  EXPECT_EQ(list.assertions.size(), 2U);
  EXPECT_EQ(list.bad_lines, (std::vector<int>{3, 4, 5, 6}));
}

TEST(Kconfig, TheShippedListIsWellFormed) {
  const auto text = read_file(CHECK_LIST);
  ASSERT_TRUE(text);
  const CheckList list = CheckList::parse(*text);
  EXPECT_TRUE(list.bad_lines.empty());
  EXPECT_EQ(list.assertions.size(), 13U);
}

class Runtime : public ::testing::Test {
 protected:
  // A machine on which everything is as it should be.
  void SetUp() override {
    fake_.put("/dev/evl/control", "");
    fake_.put("/sys/devices/virtual/evl/control/state", "running");
    fake_.put("/sys/devices/virtual/evl/control/abi", "36");
    fake_.put("/sys/devices/virtual/evl/control/cpus", "0-1");
    fake_.put(kClock + "vdso_clocksource", "architected");
    fake_.put(kClock + "current_clocksource", "tsc");
    fake_.put("/sys/devices/system/cpu/online", "0-1");
    fake_.put("/sys/devices/system/cpu/isolated", "1");
    fake_.put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
    fake_.put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance");
    fake_.put("/proc/sys/kernel/nmi_watchdog", "0");
    fake_.put("/sys/kernel/tracing/tracing_on", "1");
    fake_.put("/sys/kernel/tracing/current_tracer", "nop");
  }

  std::string failures() {
    std::string names;
    for (const Finding& finding : check_runtime(fake_.system(), 36).failed) {
      names += finding.name + "=" + finding.found + " ";
    }
    return names;
  }

  const std::string kClock = "/sys/devices/system/clocksource/clocksource0/";
  FakeSystem fake_;
};

TEST_F(Runtime, AGoodMachinePasses) {
  EXPECT_EQ(failures(), "");
  EXPECT_EQ(check_runtime(fake_.system(), 36).checked, 10);
}

TEST_F(Runtime, EachSettingIsSeen) {
  fake_.put("/sys/devices/virtual/evl/control/state", "stopped");
  fake_.put("/sys/devices/virtual/evl/control/abi", "35");
  fake_.put(kClock + "vdso_clocksource", "none");
  fake_.put(kClock + "current_clocksource", "hpet");
  fake_.put("/sys/devices/system/cpu/isolated", "");
  fake_.put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
  fake_.put("/proc/sys/kernel/nmi_watchdog", "1");
  fake_.put("/sys/kernel/tracing/current_tracer", "function");
  EXPECT_EQ(failures(),
            "state=stopped abi=35 vdso_clocksource=none clocksource=hpet governor=powersave "
            "isolated=none nmi_watchdog=1 tracer=function ");
}

TEST_F(Runtime, WithoutACoreThereIsNothingElseToSayAboutIt) {
  fake_.remove("/dev/evl");
  fake_.remove("/sys/devices/virtual/evl");
  EXPECT_EQ(failures(), "core=none ");
}

TEST_F(Runtime, OneCpuNeedsNoIsolation) {
  fake_.put("/sys/devices/system/cpu/online", "0");
  fake_.put("/sys/devices/system/cpu/isolated", "");
  EXPECT_EQ(failures(), "");
}

}  // namespace
}  // namespace utils
